"""Loading a configuration: its file read, checked whole, and made into what the model knows."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rota.config.config import Config, Group, Jobs, Mcp, Server, Storage
from rota.config.conflict import conflicts
from rota.config.conflict_of_services import conflicts_of_services
from rota.config.doubt import doubts
from rota.config.env_file import EnvFiles
from rota.config.expand import expanded
from rota.config.fault import ConfigFault, ConfigInvalid
from rota.config.keys import FileTable, ProgramTable
from rota.config.machine_zone import machine_zone
from rota.config.param import param_of
from rota.config.sentence import faults_of, placed, sentence_of, warnings_of
from rota.model.limit import LIMITS
from rota.model.service import KEEP_RUNS, MOST_LIVES, HealthCheck, Service
from rota.model.task import Task
from rota.timing.calendar import Calendar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rota.config.keys import CalendarTable, JobsTable, ServiceTable, TaskTable
    from rota.config.position import KeyPath
    from rota.config.sentence import Sentence

__all__ = ["ConfigFault", "ConfigInvalid", "load"]


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration in a file; ConfigInvalid names everything that is wrong with it."""
    path = Path(os.path.abspath(path))  # noqa: PTH100  # resolve() would follow links; `working_dir` must not
    text = _read(path)
    document = _parse(path, text)
    told: list[tuple[KeyPath, Sentence]] = []
    if "${" in text:
        document, wrong = expanded(document, environ=environ, folder=str(path.parent))
        told += [(where, sentence_of(unreadable)) for where, unreadable in wrong]
    try:
        tables = FileTable.model_validate(document)
    except ValidationError as error:
        unexpanded = {where for where, _ in told}
        told += [fault for fault in faults_of(error, document) if fault[0] not in unexpanded]
    if told:
        tables = _sound(document, {where for where, _ in told})
    shared = _said(tables.defaults)
    files = EnvFiles(str(path.parent))
    tasks = {name: _task(name, table, shared, files) for name, table in tables.tasks.items()}
    services = {name: _service(name, table, shared, files) for name, table in tables.services.items()}
    told += [*files.missing.items(), *conflicts(tasks, _names(document, "calendars"))]
    told += conflicts_of_services(services, document)
    if told or files.faults:
        raise ConfigInvalid([*placed(told, text, str(path)), *files.faults])
    server = {"timezone": machine_zone(environ)} | _said(tables.server)
    warnings = warnings_of(doubts(tables, tasks, services), text, str(path))
    return Config(
        path=path,
        server=Server(**server),
        storage=Storage(**_said(tables.storage)),
        jobs=_jobs(tables.jobs, str(path.parent)),
        mcp=Mcp(**_said(tables.mcp)),
        calendars={name: _calendar(table) for name, table in tables.calendars.items()},
        groups={name: Group(**_said(table)) for name, table in tables.groups.items()},
        tasks=tasks,
        services=services,
        warnings=tuple(warnings),
    )


def _names(document: dict[str, Any], kind: str) -> list[str]:
    """What tables of this kind there are, sound or not."""
    tables = document.get(kind)
    return [*tables] if isinstance(tables, dict) else []


def _sound(document: dict[str, Any], faulty: set[KeyPath]) -> FileTable:
    """What is left of a file without faulty tasks and services; nothing, where what they share is faulty."""
    if any(path[0] == "defaults" for path in faulty):
        return FileTable.model_validate({})
    bad = {path[:2] for path in faulty}
    sound = {
        kind: {name: table for name, table in tables.items() if (kind, name) not in bad}
        for kind in ("tasks", "services")
        if isinstance(tables := document.get(kind), dict) and (kind,) not in faulty
    }
    return FileTable.model_validate({"defaults": document.get("defaults", {}), **sound})


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        wrong = "there is no such file; create it, or name another with --config"
    except IsADirectoryError:
        wrong = "this is a folder; name the file in it, such as rota.toml"
    except OSError as error:
        wrong = f"the file cannot be read: {error.strerror or error}"
    else:
        try:
            return content.decode("utf-8-sig")  # some editors begin with a byte order mark
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode()
            raise ConfigInvalid([
                ConfigFault(
                    file=str(path),
                    line=before.count("\n") + 1,
                    column=len(before) - before.rfind("\n"),
                    message=f"the file is not UTF-8: it has the byte 0x{error.object[error.start]:02x} here",
                    allowed="text saved as UTF-8",
                )
            ]) from None  # fmt: skip
    raise ConfigInvalid([ConfigFault(file=str(path), message=wrong)])


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigInvalid(
            [ConfigFault(file=str(path), message="lists or tables are nested too deeply")]
        ) from None
    except ValueError as error:  # a TOMLDecodeError, or a number of thousands of digits
        line, column, message = _syntax(str(error), text)
        raise ConfigInvalid(
            [ConfigFault(file=str(path), line=line, column=column, message=message)]
        ) from None


def _syntax(error: str, text: str) -> tuple[int | None, int | None, str]:
    """Line, column and sentence of a TOML error, which says its place in its text alone."""
    if match := re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", error, re.DOTALL):
        return int(match[2]), int(match[3]), _plain(match[1])
    if match := re.fullmatch(r"(.*) \(at end of document\)", error, re.DOTALL):
        lines = text.split("\n")
        return len(lines), len(lines[-1]) + 1, f"{_plain(match[1])}; the file ends here"
    return None, None, _plain(error)


def _plain(reason: str) -> str:
    if reason == "Invalid value":
        return "not TOML: this is no value; text stands in quotes"
    if reason == "Cannot overwrite a value":
        return "not TOML: this key has a value already"
    if match := re.fullmatch(r"Cannot declare \((.*)\) twice", reason):
        names = re.findall(r"'([^']*)'", match[1])
        return f"not TOML: the table [{'.'.join(names)}] is there twice"
    return f"not TOML: {reason[0].lower()}{reason[1:]}"


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
    for key in ("cron", "tags", "except_", "only"):
        if key in said:
            said[key] = tuple(dict.fromkeys(said[key]))
    if table.params:
        said["params"] = tuple(param_of(each) for each in table.params)
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
    if "exit_codes" in said:
        said["exit_codes"] = frozenset(said["exit_codes"])
    return said


def _absolute(folder: str, path: str) -> str:
    return os.path.normpath(os.path.join(folder, path))  # noqa: PTH118  # ten thousand Paths take long


def _without_limit(said: dict[str, Any]) -> dict[str, Any]:
    """0 is no limit."""
    for key in ("timeout", "start_deadline", "keep_for", "log_max_size", *LIMITS):
        if key in said and not said[key]:
            said[key] = None
    return said
