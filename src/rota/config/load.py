"""Loading a configuration: its file read, checked whole, and made into what the model knows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rota.config.config import Config, Group, Jobs, Mcp, Server, Storage
from rota.config.conflict import conflicts
from rota.config.conflict_of_services import conflicts_of_services
from rota.config.doubt import doubts
from rota.config.env_file import EnvFiles
from rota.config.fault import ConfigFault, ConfigInvalid
from rota.config.machine_zone import machine_zone
from rota.config.sentence import faults_of, placed, warnings_of
from rota.config.sources import Sources
from rota.config.tables.file import FileTable
from rota.config.tables.param import param_of
from rota.config.tables.program import ProgramTable
from rota.model.limit import LIMITS
from rota.model.retry import Retry
from rota.model.service import KEEP_RUNS, MOST_LIVES, HealthCheck, Service
from rota.model.task import Task
from rota.timing.calendar import Calendar

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from rota.config.position import KeyPath
    from rota.config.source import Sentence
    from rota.config.tables.calendar import CalendarTable
    from rota.config.tables.defaults import DefaultsTable
    from rota.config.tables.jobs import JobsTable
    from rota.config.tables.service import ServiceTable
    from rota.config.tables.task import TaskTable

__all__ = ["ConfigFault", "ConfigInvalid", "load"]


NOTHING: Mapping[str, str] = {}


def load(
    path: Path, environ: Mapping[str, str] = os.environ, *, instead: Mapping[str, str] = NOTHING
) -> Config:
    """The configuration in a file; ConfigInvalid names everything that is wrong with it.

    `instead` has the texts of files, by their absolute paths, that are to be taken for what they hold.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100  # resolve() would follow links; `working_dir` must not
    sources = Sources(path, environ, instead)
    document, told = sources.document, sources.told
    try:
        tables = FileTable.model_validate(document)
    except ValidationError as error:
        unexpanded = {where for where, _ in told}
        told += [fault for fault in faults_of(error, document) if fault[0] not in unexpanded]
    if told:
        tables = _sound(document, {where for where, _ in told})
    files = _Files(sources)
    shared = _shared(tables.defaults, sources.main.folder)
    tasks = {
        name: _task(name, table, shared, files.of(("tasks", name))) for name, table in tables.tasks.items()
    }
    services = {
        name: _service(name, table, shared, files.of(("services", name)))
        for name, table in tables.services.items()
    }
    told += [
        *files.missing(),
        *conflicts(
            tasks,
            faulty={str(path[1]) for path, _ in told if path[0] == "tasks" and len(path) > 1},
            calendars=_names(document, "calendars"),
            names=_names(document, "tasks"),
            services=_names(document, "services"),
        ),
    ]
    told += conflicts_of_services(services, document)
    faults = [*sources.faults, *files.faults()]
    watched = replace(sources.watched, files=sources.watched.files | files.seen())
    if told or faults:
        raise ConfigInvalid([*placed(told, sources.of), *faults], watched)
    server = {"timezone": machine_zone(environ)} | _said(tables.server)
    server["managed_file"] = sources.managed()
    warnings = warnings_of(doubts(tables, tasks, services), sources.of)
    return Config(
        path=path,
        server=Server(**server),
        storage=Storage(**_said(tables.storage)),
        jobs=_jobs(tables.jobs, sources.main.folder),
        mcp=Mcp(**_said(tables.mcp)),
        calendars={name: _calendar(table) for name, table in tables.calendars.items()},
        groups={name: Group(**_said(table)) for name, table in tables.groups.items()},
        tasks=tasks,
        services=services,
        warnings=tuple(warnings),
        watched=watched,
    )


class _Files:
    """The environment files that each source names, relative to its folder."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._known: dict[str, EnvFiles] = {}

    def of(self, path: KeyPath) -> EnvFiles:
        """Those of the source that says this."""
        folder = self._sources.of(path).folder
        if folder not in self._known:
            self._known[folder] = EnvFiles(folder)
        return self._known[folder]

    def missing(self) -> list[tuple[KeyPath, Sentence]]:
        """Files that cannot be read, by where they are named."""
        return [each for files in self._known.values() for each in files.missing.items()]

    def faults(self) -> list[ConfigFault]:
        """What is wrong in them."""
        return [each for files in self._known.values() for each in files.faults]

    def seen(self) -> set[str]:
        """All that were looked for."""
        return {path for files in self._known.values() for path in files.seen}


def _shared(table: DefaultsTable, folder: str) -> dict[str, Any]:
    """What `[defaults]` say, whose paths begin in the folder of the main file, in whichever a task stands."""
    said = _said(table)
    if said.get("working_dir"):
        said["working_dir"] = _absolute(folder, said["working_dir"])
    for key in ("env_file", "secrets_file"):
        if key in said:
            said[key] = [name if name.startswith("~") else _absolute(folder, name) for name in said[key]]
    return said


def _names(document: dict[str, Any], kind: str) -> list[str]:
    """What tables of this kind there are, sound or not."""
    tables = document.get(kind)
    return [*tables] if isinstance(tables, dict) else []


def _sound(document: dict[str, Any], faulty: set[KeyPath]) -> FileTable:
    """What is left of a file without what is faulty in its tasks and services.

    Of those the other keys stay, so that what is wrong with these is told, too. Nothing is left where what
    they share is faulty.
    """
    if any(path[0] == "defaults" for path in faulty):
        return FileTable.model_validate({})
    gone: dict[KeyPath, set[str | int]] = {}
    for where in faulty:
        gone.setdefault(where[:2], set()).update(where[2:3])
    sound: dict[str, Any] = {"defaults": document.get("defaults", {})}
    for kind in ("tasks", "services"):
        tables = document.get(kind)
        if isinstance(tables, dict) and (kind,) not in faulty:
            sound[kind] = {
                name: _without(table, gone.get((kind, name), set()))
                for name, table in tables.items()
                if (kind, name) not in faulty
            }
    try:
        return FileTable.model_validate(sound)
    except ValidationError as error:  # one of these keys needs another that is gone
        faulty = {*faulty, *(where[:2] for where, _ in faults_of(error, sound))}
        return _sound(document, faulty)


def _without(table: dict[str, Any], gone: AbstractSet[str | int]) -> dict[str, Any]:
    """A task or service without these keys, and with something to run all the same."""
    if not gone:
        return table
    sound = {key: value for key, value in table.items() if key not in gone}
    return {"run": ["true"], **sound} if "run" in gone else sound


def _said(table: Any) -> dict[str, Any]:
    """What a table says itself, without its defaults."""
    return {key: getattr(table, key) for key in table.model_fields_set}


def _jobs(table: JobsTable, folder: str) -> Jobs:
    said = _said(table)
    for key in ("allow", "deny"):
        if said.get(key) is not None:
            said[key] = tuple(said[key])
    if said.get("cwd_roots") is not None:
        said["cwd_roots"] = tuple(_absolute(folder, root) for root in said["cwd_roots"])
    return Jobs(**_without_limit(said))


def _calendar(table: CalendarTable) -> Calendar:
    said = _said(table)
    kinds = {"dates": frozenset, "ranges": tuple, "weekdays": frozenset, "holidays": tuple}
    return Calendar(**{key: kinds[key](days) for key, days in said.items()})


def _task(name: str, table: TaskTable, shared: Mapping[str, Any], files: EnvFiles) -> Task:
    said = _program(("tasks", name), table, shared, files)
    for key in ("cron", "tags", "except_", "only", "after", "after_failure"):
        if key in said:
            said[key] = tuple(dict.fromkeys(said[key]))
    if table.params:
        said["params"] = tuple(param_of(each) for each in table.params)
    if "retry" in said:
        said["retry"] = _retry({**_said(shared.get("retry", table.retry)), **_said(table.retry)})
    return Task(name=name, **_without_limit(said))


#: What of a service's table is not of each of its lives.
_OF_SERVICE = frozenset(Service.__dataclass_fields__) - {"life"}


def _service(name: str, table: ServiceTable, shared: Mapping[str, Any], files: EnvFiles) -> Service:
    fit = {key: value for key, value in shared.items() if key in ProgramTable.model_fields}
    said = {"keep_runs": KEEP_RUNS, **_program(("services", name), table, fit, files)}
    of_service = {key: said.pop(key) for key in [*said] if key in _OF_SERVICE}
    if "tags" in said:
        said["tags"] = tuple(dict.fromkeys(said["tags"]))
    if "depends_on" in of_service:
        of_service["depends_on"] = tuple(dict.fromkeys(of_service["depends_on"]))
    if table.health is not None:
        of_service["health"] = HealthCheck(**_said(table.health))
    life = Task(name=name, max_concurrent=MOST_LIVES, **_without_limit(said))
    return Service(life=life, **of_service)


def _program(
    where: KeyPath, table: ProgramTable, shared: Mapping[str, Any], files: EnvFiles
) -> dict[str, Any]:
    """What a table says with the defaults, its files read and its folders found."""
    said = {**shared, **_said(table)}
    said["env"] = {**shared.get("env", {}), **table.env}
    said["secrets"] = {**shared.get("secrets", {}), **table.secrets}
    for key in ("env_file", "secrets_file"):
        if key in said:
            table_of_key: KeyPath = where if key in table.model_fields_set else ("defaults",)
            said[key], values = files.read(said[key], (*table_of_key, key))
            if key == "env_file":
                said["file_env"] = values
            else:
                said["secrets"] = {**values, **said["secrets"]}
    folder = files.folder
    said["working_dir"] = _absolute(folder, said["working_dir"]) if said.get("working_dir") else folder
    for key in ("exit_codes", "failures"):
        if key in said:
            said[key] = frozenset(said[key])
    return said


def _retry(said: dict[str, Any]) -> Retry:
    if said.get("on") is not None:
        said["on"] = frozenset(said["on"])
    return Retry(**said)


def _absolute(folder: str, path: str) -> str:
    return os.path.normpath(os.path.join(folder, path))  # noqa: PTH118  # ten thousand Paths take long


def _without_limit(said: dict[str, Any]) -> dict[str, Any]:
    """0 is no limit."""
    for key in ("timeout", "start_deadline", "keep_for", "log_max_size", *LIMITS):
        if key in said and not said[key]:
            said[key] = None
    return said
