"""Conflicts: what keys of a task mean together that none of them may mean alone."""

from __future__ import annotations

from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rota.model.shell import hands_on_arguments
from rota.model.task import Overlap
from rota.timing.bounded import first_allowed, last_allowed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from rota.config.position import KeyPath
    from rota.config.source import Sentence
    from rota.model.task import Task

Conflict = tuple["KeyPath", "Sentence"]

_ANY_ZONE = ZoneInfo("UTC")


def conflicts(tasks: Mapping[str, Task], calendars: Collection[str]) -> list[Conflict]:
    """Every conflict, with its place; `calendars` are the names of those that there are."""
    return [
        (("tasks", name, *path), sentence)
        for name, task in tasks.items()
        for path, sentence in (
            *(_of_calendars(task, calendars) if task.except_ or task.only else ()),
            *(_of_catch_up(task) if task.catch_up > 1 else ()),
            *(_of_bounds(task) if task.not_before and task.not_after else ()),
            *((*_of_params(task), *_of_shell(task)) if task.params else ()),
        )
    ]


def _of_calendars(task: Task, calendars: Collection[str]) -> Iterator[Conflict]:
    for key, names in (("except", task.except_), ("only", task.only)):
        for place, name in enumerate(names):
            if name not in calendars:
                near = get_close_matches(name, calendars, n=1, cutoff=0.7)
                allowed = ", ".join(calendars) or "none: this file has no [calendars.NAME]"
                path = (key, place) if len(names) > 1 else (key,)
                yield path, (f'there is no calendar "{name}"', allowed, near[0] if near else None)


def _of_catch_up(task: Task) -> Iterator[Conflict]:
    if task.on_overlap is not Overlap.QUEUE:
        overlap = f'with "{task.on_overlap}" they would not all run'
        wrong = f'catch_up = {task.catch_up} needs on_overlap = "queue": {overlap}'
        yield ("catch_up",), (wrong, "0 or 1", None)


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
