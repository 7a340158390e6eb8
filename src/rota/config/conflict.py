"""Conflicts: what keys of a task mean together that none of them may mean alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.shell import hands_on_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rota.config.position import KeyPath
    from rota.config.sentence import Sentence
    from rota.model.task import Task

Conflict = tuple["KeyPath", "Sentence"]


def conflicts(tasks: Mapping[str, Task]) -> list[Conflict]:
    """Every conflict, with its place."""
    return [
        (("tasks", name, *path), sentence)
        for name, task in tasks.items()
        if task.params
        for path, sentence in (*_of_params(task), *_of_shell(task))
    ]


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
