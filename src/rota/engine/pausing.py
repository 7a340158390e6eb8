"""Pausing and resuming: a task, a group or everything; written down, so that it outlasts a restart."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from rota.model.error import GroupNotFound, StoreUnavailable, TaskNotFound
from rota.model.event import EventKind
from rota.model.pause import Pause, PauseKind, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rota.engine.background import Background
    from rota.engine.clock import Clock
    from rota.engine.pauses import Pauses
    from rota.engine.store_watch import StoreWatch
    from rota.engine.turns import Turns
    from rota.events.bus import Bus
    from rota.model.run import Actor, TriggeredBy
    from rota.model.task import Task
    from rota.storage.store import Store


class Pausing:
    """A pause holds from the moment at which it is asked for, and is taken back if it cannot be written."""

    def __init__(
        self,
        *,
        tasks: Mapping[str, Task],
        pauses: Pauses,
        turns: Turns,
        store: Store,
        bus: Bus,
        clock: Clock,
        watch: StoreWatch,
        background: Background,
    ) -> None:
        self._tasks = tasks
        self._pauses = pauses
        self._turns = turns
        self._store = store
        self._bus = bus
        self._clock = clock
        self._watch = watch
        self._background = background
        self._one_at_a_time = asyncio.Lock()

    async def take_up(self) -> None:
        """Those that an earlier server was told of."""
        self._pauses.put(*await self._store.pauses())

    def in_force(self) -> list[Pause]:
        """All that last, the oldest first."""
        return self._pauses.in_force()

    def of(self, task_name: str) -> list[Pause]:
        """Those that hold a task, the narrowest first."""
        return self._pauses.of(task_name)

    def of_scope(self, scope: Scope) -> list[Pause]:
        """Those that hold the whole scope, the narrowest first."""
        return self._pauses.of_scope(scope)

    async def pause(
        self, scope: Scope, *, reason: str | None, actor: Actor | None, via: TriggeredBy
    ) -> Pause:
        """The pause that holds from now on. Of what is paused already a reason replaces the one before.

        It is carried out even if the caller goes away. Raises TaskNotFound, GroupNotFound and
        StoreUnavailable, having changed nothing.
        """
        self._check(scope)
        return await self._background.finish(self._pause(scope, reason, actor, via))

    async def resume(self, scope: Scope) -> Pause | None:
        """The pause that is over now; None: there was none. What was held goes on, unless another holds it.

        It is carried out even if the caller goes away. Raises TaskNotFound, GroupNotFound and
        StoreUnavailable, having changed nothing.
        """
        if not self._lasting(scope):
            self._check(scope)  # what is paused can be resumed, though its task or group be gone
        return await self._background.finish(self._resume(scope))

    async def _pause(self, scope: Scope, reason: str | None, actor: Actor | None, via: TriggeredBy) -> Pause:
        async with self._one_at_a_time:
            before, lasting = self._pauses.newest(scope), self._lasting(scope)
            if lasting is not None:
                if reason is None or reason == lasting.reason:
                    return lasting
                pause = replace(lasting, reason=reason, actor=actor, via=via)
            else:
                pause = Pause(scope=scope, reason=reason, actor=actor, via=via, since=self._clock.now())
            self._pauses.put(pause)
            if lasting is None:
                self._turns.hold(scope)
            try:
                await self._write(pause)
            except StoreUnavailable:
                if before is None:
                    self._pauses.drop(scope)
                else:
                    self._pauses.put(before)
                self._turns.let_go(scope)
                raise
            self._bus.emit(
                EventKind.PAUSE_BEGAN, self._clock.now(), message=f"{scope} was paused {pause.circumstances}"
            )
            return pause

    async def _resume(self, scope: Scope) -> Pause | None:
        async with self._one_at_a_time:
            lasting = self._lasting(scope)
            if lasting is None:
                return None
            over = replace(lasting, resumed_at=self._clock.now())
            await self._write(over)
            self._pauses.put(over)
            self._turns.let_go(scope)
            self._bus.emit(
                EventKind.PAUSE_ENDED, self._clock.now(), message=f"{scope} is not paused any more"
            )
            return over

    async def _write(self, pause: Pause) -> None:
        try:
            await self._store.put_pause(pause)
        except StoreUnavailable as error:
            self._watch.failed(error)
            raise

    def _lasting(self, scope: Scope) -> Pause | None:
        pause = self._pauses.newest(scope)
        return pause if pause is not None and pause.resumed_at is None else None

    def _check(self, scope: Scope) -> None:
        name = scope.name or ""
        if scope.kind is PauseKind.TASK and name not in self._tasks:
            raise TaskNotFound(name, next(iter(get_close_matches(name, self._tasks, 1)), None))
        if scope.kind is PauseKind.GROUP:
            groups = {task.group for task in self._tasks.values() if task.group is not None}
            if name not in groups:
                raise GroupNotFound(name, next(iter(get_close_matches(name, groups, 1)), None))
