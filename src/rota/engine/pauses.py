"""The pauses that there are, and which of them hold a task or a run; those that were last, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.job import JOBS
from rota.model.pause import Pause, PauseKind, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from rota.model.pause import Wanting
    from rota.model.run import Run
    from rota.model.task import Task

_ALL = Scope(kind=PauseKind.ALL)


class Pauses:
    """Of each scope the newest pause, be it over or not. A task or group that is gone keeps its own."""

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        self._tasks = tasks
        self._newest: dict[Scope, Pause] = {}

    def put(self, *pauses: Pause) -> None:
        """These are the newest of their scopes."""
        for pause in pauses:
            self._newest[pause.scope] = pause

    def drop(self, scope: Scope) -> None:
        """There never was one."""
        self._newest.pop(scope, None)

    def newest(self, scope: Scope) -> Pause | None:
        """The newest pause of just this; it may be over."""
        return self._newest.get(scope)

    def in_force(self) -> list[Pause]:
        """All that last, the oldest first."""
        lasting = (pause for pause in self._newest.values() if pause.resumed_at is None)
        return sorted(lasting, key=lambda pause: pause.since)

    def of(self, name: str) -> list[Pause]:
        """Those that last and hold a task, or all jobs; the narrowest first."""
        return [pause for pause in self._all_of(name) if pause.resumed_at is None] if self._newest else []

    def of_scope(self, scope: Scope) -> list[Pause]:
        """Those that last, and hold all that there is in the scope."""
        if scope.kind is PauseKind.TASK:
            return self.of(scope.name or "")
        found = (self._newest.get(each) for each in dict.fromkeys((scope, _ALL)))
        return [pause for pause in found if pause is not None and pause.resumed_at is None]

    def at(self, name: str, moment: datetime) -> Pause | None:
        """One that held the task at that moment, which is not long ago."""
        if not self._newest:
            return None
        return next((pause for pause in self._all_of(name) if pause.was_in_force(moment)), None)

    def holding(self, name: str, it: Wanting, created_at: datetime) -> Pause | None:
        """One that lasts, and holds what wants to start."""
        return next((pause for pause in self.of(name) if pause.holds(it, created_at)), None)

    def holding_run(self, run: Run) -> Pause | None:
        """One that lasts, and holds this run while it is pending."""
        return self.holding(run.defined_by, run, run.created_at)

    def within(self, scope: Scope, names: Iterable[str]) -> list[str]:
        """Those of the names that the scope holds."""
        return [name for name in names if scope in self._scopes(name)]

    def _all_of(self, name: str) -> Iterator[Pause]:
        for scope in self._scopes(name):
            pause = self._newest.get(scope)
            if pause is not None:
                yield pause

    def _scopes(self, name: str) -> Iterator[Scope]:
        task = self._tasks.get(name)
        if task is not None:
            yield Scope(kind=PauseKind.TASK, name=name)
            if task.group is not None:
                yield Scope(kind=PauseKind.GROUP, name=task.group)
        if task is not None or name == JOBS:
            yield _ALL
