"""Conflicts: what keys of a task mean together that none of them may mean alone."""

from __future__ import annotations

from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rota.model.shell import hands_on_arguments
from rota.model.task import Overlap
from rota.timing.bounded import first_allowed, last_allowed
from rota.timing.duration import format_duration

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from rota.config.position import KeyPath
    from rota.config.source import Sentence
    from rota.model.retry import Retry
    from rota.model.task import Task

Conflict = tuple["KeyPath", "Sentence"]

_ANY_ZONE = ZoneInfo("UTC")


def conflicts(
    tasks: Mapping[str, Task],
    *,
    faulty: Collection[str],
    calendars: Collection[str],
    names: Collection[str],
    services: Collection[str],
) -> list[Conflict]:
    """Every conflict, with its place; `calendars`, `services` and `names` of tasks are those of the file.

    Of `faulty` tasks some keys are missing: only what one of the others means by itself can be told.
    """
    return [
        *_of_cycles(tasks),
        *(
            (("tasks", name, *path), sentence)
            for name, task in tasks.items()
            for path, sentence in (
                *(_of_calendars(task, calendars) if task.except_ or task.only else ()),
                *(_of_upstreams(task, names, services) if task.after or task.after_failure else ()),
                *(_between_keys(task) if name not in faulty else ()),
            )
        ),
    ]


def _between_keys(task: Task) -> Iterator[Conflict]:
    yield from _of_retry(task.retry)
    if task.catch_up > 1:
        yield from _of_catch_up(task)
    if task.not_before and task.not_after:
        yield from _of_bounds(task)
    if task.params:
        yield from _of_params(task)
        yield from _of_shell(task)


def _of_calendars(task: Task, calendars: Collection[str]) -> Iterator[Conflict]:
    for key, names in (("except", task.except_), ("only", task.only)):
        for place, name in enumerate(names):
            if name not in calendars:
                near = get_close_matches(name, calendars, n=1, cutoff=0.7)
                allowed = ", ".join(calendars) or "none: this file has no [calendars.NAME]"
                path = (key, place) if len(names) > 1 else (key,)
                yield path, (f'there is no calendar "{name}"', allowed, near[0] if near else None)


def _of_upstreams(task: Task, names: Collection[str], services: Collection[str]) -> Iterator[Conflict]:
    for key, upstreams in (("after", task.after), ("after_failure", task.after_failure)):
        for place, name in enumerate(upstreams):
            if name not in names:
                near = get_close_matches(name, names, n=1, cutoff=0.7)
                path = (key, place) if len(upstreams) > 1 else (key,)
                wrong = f'"{name}" is a service' if name in services else f'there is no task "{name}"'
                yield path, (wrong, ", ".join(names), near[0] if near else None)


def _of_cycles(tasks: Mapping[str, Task]) -> Iterator[Conflict]:
    """Each cycle once, at the task of it that comes first in the file."""
    done: set[str] = set()
    for start in [name for name, task in tasks.items() if task.after or task.after_failure]:
        path: dict[str, Iterator[str]] = {}  # from each task to what it comes after
        name: str | None = start
        while name is not None:
            if name in path:
                cycle = [*path][[*path].index(name) :]
                yield _cycle(tasks, cycle)
            elif name not in done and name in tasks:
                task = tasks[name]
                path[name] = iter((*task.after, *task.after_failure))
            name = None
            while path and name is None:
                name = next(path[last := next(reversed(path))], None)
                if name is None:
                    done.add(last)
                    del path[last]


def _cycle(tasks: Mapping[str, Task], cycle: list[str]) -> Conflict:
    first = min(cycle, key=[*tasks].index)
    place = cycle.index(first)
    names = [*cycle[place:], *cycle[:place], first]
    key = "after" if names[1] in tasks[first].after else "after_failure"
    wrong = "it comes after itself" + (f": {' after '.join(names)}" if len(cycle) > 1 else "")
    return ("tasks", first, key), (wrong, "tasks that do not come after it", None)


def _of_catch_up(task: Task) -> Iterator[Conflict]:
    if task.on_overlap is not Overlap.QUEUE:
        overlap = f'with "{task.on_overlap}" they would not all run'
        wrong = f'catch_up = {task.catch_up} needs on_overlap = "queue": {overlap}'
        yield ("catch_up",), (wrong, "0 or 1", None)


def _of_retry(retry: Retry) -> Iterator[Conflict]:
    if retry.max_delay is not None and retry.max_delay < retry.delay:
        wrong = f"it is less than the first delay, which is {format_duration(retry.delay)}"
        yield ("retry", "max_delay"), (wrong, "as much or more", None)


def _of_bounds(task: Task) -> Iterator[Conflict]:
    first, last = task.not_before, task.not_after
    zoned = {bound.tzinfo is not None for bound in (first, last) if isinstance(bound, datetime)}
    if first is None or last is None or len(zoned) > 1:
        return
    if last_allowed(last, _ANY_ZONE) < first_allowed(first, _ANY_ZONE):
        yield ("not_after",), ("it is never due: this is before not_before", "a later day or moment", None)


def _of_params(task: Task) -> Iterator[Conflict]:
    seen: set[str] = set()
    for place, param in enumerate(task.params):
        path = ("params", place, param.kind.value)
        if param.name in seen:
            yield path, (f'there is a parameter "{param.name}" already', "another name", None)
        seen.add(param.name)
        if task.starts_by_itself and param.required and param.default is None:
            wrong = "the task starts by itself, and nobody gives it this value"
            yield ("params", place, "required"), (wrong, "it with a default, or false", None)


def _of_shell(task: Task) -> Iterator[Conflict]:
    if not isinstance(task.run, str) or hands_on_arguments(task.shell):
        return
    for place, param in enumerate(task.params):
        if param.is_argument:
            yield (
                ("params", place, param.kind.value),
                (
                    f"{task.shell} would take an argument for a part of the script",
                    "a parameter by env, a POSIX shell, fish or python, or a run that is a list",
                    None,
                ),
            )
