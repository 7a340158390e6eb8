"""What is found in logs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rota.api.shapes.log import LogLine
from rota.api.shapes.shape import Inner, RunIdText, Shape
from rota.api.wire import moment
from rota.logs.searching import Stopped

if TYPE_CHECKING:
    from rota.operations.search_logs import Matches


class LogMatch(Inner):
    """A line that was found."""

    run_id: RunIdText
    task_name: str | None
    line: LogLine = Field(description="As readers see it, without colours; of a very long one the beginning.")


class RunReached(Inner):
    """How far back a search got."""

    run_id: RunIdText
    created_at: datetime


class LogMatches(Shape):
    """What a search has found, newest runs first, and how far it got."""

    items: list[LogMatch]
    stopped: Stopped | None = Field(description="Why it ended early; null when everything was looked at.")
    runs: int = Field(ge=0, description="The logs of so many runs were looked at.")
    bytes: int = Field(ge=0, description="So much of them was.")
    reached: RunReached | None = Field(description="The oldest run that was looked at.")
    next_cursor: str | None = Field(description="Give it as `cursor` to go on; null at the end.")

    @staticmethod
    def as_json(it: Matches) -> dict[str, Any]:
        reached = it.reached
        return {
            "items": [
                {"run_id": each.run.id, "task_name": each.run.task_name, "line": LogLine.as_json(each.line)}
                for each in it.items
            ],
            "stopped": it.stopped,
            "runs": it.runs,
            "bytes": it.bytes,
            "reached": None
            if reached is None
            else {"run_id": reached.id, "created_at": moment(reached.created_at)},
            "next_cursor": it.next_cursor,
        }
