"""Doubts: what a file may say, and its author has probably not meant."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import PurePath
from typing import TYPE_CHECKING

from rota.config.unread import unread
from rota.model.param import ParamKind
from rota.model.retry import RETRIED
from rota.model.run import EndReason
from rota.model.service import Restart
from rota.model.shell import is_posix
from rota.model.task import Overlap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rota.config.position import KeyPath
    from rota.config.tables.file import FileTable
    from rota.model.service import Service
    from rota.model.task import Task

_SHARING = frozenset({"group", "priority", "max_concurrent"})

Doubt = tuple["KeyPath", str]  #: where it is, and a sentence


def doubts(tables: FileTable, tasks: Mapping[str, Task], services: Mapping[str, Service]) -> list[Doubt]:
    """Every doubt about a file that has no fault."""
    if not tasks and not services and "jobs" not in tables.model_fields_set:
        return [((), "there is no task in this file; a task is a table [tasks.NAME]")]
    return [
        *_of_groups(tables, tasks),
        *(
            (("tasks", name, *path), sentence)
            for name, task in tasks.items()
            for path, sentence in (
                *_of_task(task, tables.tasks[name].model_fields_set),
                *(
                    ()
                    if tables.tasks[name].model_fields_set.isdisjoint(_SHARING)
                    else _of_sharing(task, tables, tables.tasks[name].model_fields_set)
                ),
            )
        ),
        *(
            (("services", name, *path), sentence)
            for name, service in services.items()
            for path, sentence in _of_service(service, tables.services[name].model_fields_set)
        ),
        *_of_ports(services),
    ]


def _of_service(service: Service, said: set[str]) -> Iterator[Doubt]:
    life = service.life
    yield from _of_command(life, said)
    if isinstance(life.run, str) and life.run.rstrip().endswith("&"):
        yield (
            ("run",),
            "it goes to the background, and its life is over at once; leave out the &",
        )
    if "log_on_full" in said and life.log_max_size is None:
        yield ("log_on_full",), "no log is ever full: log_max_size is 0"
    if service.restart is Restart.NEVER:
        for key in ("restart_delay", "restart_backoff", "restart_attempts"):
            if key in said:
                yield (key,), 'nothing is started again: restart is "never"'


def _of_ports(services: Mapping[str, Service]) -> Iterator[Doubt]:
    taken: dict[int, str] = {}
    for name, service in services.items():
        if service.port is not None:
            ports = range(service.port, service.port + service.instances)
            others = {taken[port]: port for port in reversed(ports) if port in taken}
            if others:
                whose = " and ".join(f'{port} is also of "{other}"' for other, port in others.items())
                yield ("services", name, "port"), f"two cannot listen at one port: {whose}"
            taken.update(dict.fromkeys(ports, name))


def _of_groups(tables: FileTable, tasks: Mapping[str, Task]) -> Iterator[Doubt]:
    labels = {task.group for task in tasks.values() if task.group is not None}
    for name in tables.groups:
        if name not in labels:
            near = get_close_matches(name, labels, n=1, cutoff=0.7)
            meant = f'; did you mean "{near[0]}"?' if near else ""
            yield ("groups", name), f'no task has group = "{name}"{meant}'


def _of_sharing(task: Task, tables: FileTable, said: set[str]) -> Iterator[Doubt]:
    """What a task says of the slots that it shares with others."""
    group = tables.groups.get(task.group or "")
    if task.group is not None and group is None:
        near = get_close_matches(task.group, tables.groups, n=1, cutoff=0.7)
        if near:
            yield (
                ("group",),
                f'a mere label: there is no [groups."{task.group}"]; did you mean "{near[0]}"?',
            )
    if "priority" in said and group is None and tables.server.max_concurrent is None:
        yield (
            ("priority",),
            "it shares no slots: there is no limit of its group, nor [server] max_concurrent",
        )
    if "max_concurrent" in said:
        limits = {
            "[server] max_concurrent": tables.server.max_concurrent,
            f"max_concurrent of its group {task.group}": None if group is None else group.max_concurrent,
        }
        for name, most in limits.items():
            if most is not None and most < task.max_concurrent:
                yield ("max_concurrent",), f"never so many at once: {name} is {most}"


def _of_task(task: Task, said: set[str]) -> Iterator[Doubt]:
    yield from _of_times(task, said)
    yield from _of_command(task, said)
    if "retry" in said:
        yield from _of_retry(task)
    if task.params:
        yield from _of_arguments(task)
    if "log_on_full" in said and task.log_max_size is None:
        yield ("log_on_full",), "no log is ever full: log_max_size is 0"
    if "max_queued" in said and task.on_overlap is not Overlap.QUEUE:
        yield ("max_queued",), f'none ever wait: on_overlap is "{task.on_overlap}"'


def _of_times(task: Task, said: set[str]) -> Iterator[Doubt]:
    if not task.manual_trigger and not task.starts_by_itself:
        missing = "its schedule is off" if task.cron else "it has no cron"
        yield ("manual_trigger",), f"nothing can start this task: {missing}, and manual_trigger is false"
    if not task.cron:
        for key in ("except_", "only", "not_before", "not_after", "catch_up", "jitter"):
            if key in said:
                yield (key.removesuffix("_"),), "it has no cron, and so no ticks"
    if task.catch_up > task.max_concurrent + task.max_queued:
        rest = f"max_concurrent is {task.max_concurrent}, max_queued is {task.max_queued}"
        yield ("catch_up",), f"not so many can run or wait at once: {rest}"


def _of_retry(task: Task) -> Iterator[tuple[tuple[str, ...], str]]:
    if task.retry.attempts == 1:
        yield ("retry",), "nothing is retried: its attempts are 1, the first included"
    elif RETRIED.isdisjoint(task.failures):
        yield ("retry",), "nothing is retried: no end that can be is among failures"
        return
    for on in sorted(task.retry.on or (), key=str):
        if on in task.exit_codes:
            yield ("retry", "on"), f"exit code {on} is not retried: it is among exit_codes, and a success"
        elif isinstance(on, EndReason) and on not in task.failures:
            yield ("retry", "on"), f"{on} is not retried: it is not among failures"
        elif isinstance(on, int) and EndReason.FAILED not in task.failures:
            yield ("retry", "on"), f"exit code {on} is not retried: failed is not among failures"


def _of_command(task: Task, said: set[str]) -> Iterator[Doubt]:
    if isinstance(task.run, str):
        interpreter = _interpreter(task.run)
        if interpreter and interpreter != PurePath(task.shell).name:
            yield (
                ("run",),
                f"the first line is a comment to {task.shell}, which runs this text; {interpreter} does not",
            )
    else:
        if len(task.run) == 1 and " " in task.run[0]:
            yield (
                ("run",),
                f'this starts a program whose name is "{task.run[0]}"; in text, the shell runs it',
            )
        if "shell" in said:
            yield ("shell",), "no shell is used: run is a list"


def _of_arguments(task: Task) -> Iterator[Doubt]:
    for param in unread(task):
        yield (
            ("params", task.params.index(param), param.kind.value),
            'the script never reads it; it is in "$@"'
            if is_posix(task.shell)
            else "the script never reads it",
        )
    arguments = [param for param in task.params if param.kind is ParamKind.ARG]
    for param in arguments[:-1]:
        if not param.required and param.default is None:
            yield (
                ("params", task.params.index(param), "arg"),
                "without a value it is left out, and the arguments after it take its place",
            )


def _interpreter(script: str) -> str | None:
    """The program that the first line of a script asks for: `python3` of `#!/usr/bin/env python3`."""
    if not script.lstrip().startswith("#!"):
        return None
    words = script.lstrip()[2:].split("\n", 1)[0].split()
    names = [PurePath(word).name for word in words if not word.startswith("-")]
    return next((name for name in names if name != "env"), None)
