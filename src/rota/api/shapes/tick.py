"""Ticks: those to come, and what became of the last ones."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rota.api.shapes.pause import Pause
from rota.api.shapes.shape import Inner, RunIdText, Shape
from rota.api.wire import moment
from rota.engine.why import Outcome
from rota.model.run import EndReason

if TYPE_CHECKING:
    from rota.engine import why as engine
    from rota.engine.timetable import Coming
    from rota.operations import why as operation


class NextTick(Inner):
    """A start that is to come by itself."""

    task_name: str
    scheduled_at: datetime = Field(description="The tick, or for when a run was asked for.")
    due_at: datetime = Field(description="When it starts: `scheduled_at`, and what jitter adds.")
    run_id: RunIdText | None = Field(description="The pending run that is written down for it, if one is.")

    @staticmethod
    def as_json(it: Coming) -> dict[str, Any]:
        return {
            "task_name": it.task_name,
            "scheduled_at": moment(it.scheduled_at),
            "due_at": moment(it.due_at),
            "run_id": it.run_id,
        }


class NextTicks(Shape):
    """What starts next by itself, in the order in which it is due."""

    items: list[NextTick]


class TickFate(Inner):
    """What became of a tick, or of several in a row of which the same became."""

    outcome: Outcome
    count: int = Field(ge=1, description="How many ticks; of a long gap, at least so many.")
    first: datetime = Field(description="The first of these ticks.")
    last: datetime
    run_id: RunIdText | None = Field(description="The run of the last of them; null when none tells of it.")
    end_reason: EndReason | None
    behind: list[RunIdText] = Field(
        description="The runs in the way of the last: of its task, or of others that share slots with it."
    )
    message: str

    @staticmethod
    def as_json(it: engine.TickFate) -> dict[str, Any]:
        return {
            "outcome": it.outcome,
            "count": it.count,
            "first": moment(it.first),
            "last": moment(it.last),
            "run_id": it.run_id,
            "end_reason": it.end_reason,
            "behind": list(it.behind),
            "message": it.message,
        }


class Why(Shape):
    """What became of a task's last ticks, and which come next."""

    task_name: str
    last: list[TickFate] = Field(description="The oldest first.")
    next: list[NextTick] = Field(description="Ten at most.")
    note: str | None = Field(description="Why nothing comes next, or why what comes will be missed.")
    pauses: list[Pause] = Field(description="Those that hold the task, the narrowest first.")

    @staticmethod
    def as_json(it: operation.Why) -> dict[str, Any]:
        return {
            "task_name": it.task_name,
            "last": [TickFate.as_json(each) for each in it.last],
            "next": [NextTick.as_json(each) for each in it.next],
            "note": it.note,
            "pauses": [Pause.as_json(each) for each in it.pauses],
        }
