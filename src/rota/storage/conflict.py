"""What a write finds in its place: the tick or the key has its run already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.error import RotaError

if TYPE_CHECKING:
    from rota.model.run import Run
    from rota.storage.requests import Request


class TickTaken(RotaError):
    """Another run of this task has this tick; nothing was changed."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"task {run.task_name!r} has a run for its tick at {run.scheduled_at} already")
        self.run = run


class KeyTaken(RotaError):
    """The idempotency key belongs to an earlier request; nothing was changed."""

    def __init__(self, request: Request) -> None:
        super().__init__(f"the idempotency key {request.key!r} was used before, for run {request.run_id}")
        self.request = request
