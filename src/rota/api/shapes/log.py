"""The log of a run, by lines."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rota.api.shapes.shape import Inner, Shape
from rota.api.wire import moment, shared_moment
from rota.logs import line as lines
from rota.logs.index import STREAMS
from rota.logs.line import Stream
from rota.model.run import EndReason, Status

if TYPE_CHECKING:
    from rota.logs import page
    from rota.logs.line import Line
    from rota.operations.read_lines import LogLines


class LogLine(Inner):
    """A line of a log, or a piece of one."""

    n: int = Field(ge=1, description="Its number. The streams share one numbering, which counts from 1.")
    at: datetime = Field(description="When its newline, or its stream's end, arrived.")
    stream: Stream
    text: str = Field(description="What is not UTF-8 is replaced; `log/raw` has the bytes.")
    continued: bool = Field(description="The line goes on in the next piece, which has the same number.")
    match: bool | None = Field(None, description="Whether it matches; null where nothing was looked for.")

    @staticmethod
    def as_json(it: Line) -> dict[str, Any]:
        return {
            "n": it.n,
            "at": shared_moment(it.at),
            "stream": STREAMS[it.stream],
            "text": it.text,
            "continued": it.continued,
            "match": it.match,
        }


class OpenLine(Inner):
    """What a stream has written of a line that is not complete, as it looks now. It has no number yet."""

    at: datetime = Field(description="When its last bytes arrived.")
    stream: Stream
    text: str

    @staticmethod
    def as_json(it: page.OpenLine) -> dict[str, Any]:
        return {"at": moment(lines.moment(it.at)), "stream": STREAMS[it.stream], "text": it.text}


class LogPage(Shape):
    """Some lines of a run's log."""

    lines: list[LogLine]
    open: list[OpenLine] | None = Field(description="With `progress=true`: what is still being written.")
    first_available: int = Field(
        ge=1,
        description="The number of the first line that is still there; behind others that were dropped it "
        "may have lost its beginning.",
    )
    total_lines: int = Field(ge=0, description="The number of the last complete line.")
    truncated: bool = Field(description="The log's beginning, or all of it, was dropped.")
    dropped_lines: int = Field(ge=0, description="So many lines went with the beginning.")
    dropped_bytes: int = Field(ge=0, description="And so many bytes.")
    removed_at: datetime | None = Field(description="When all of it was removed, for want of space.")
    finalized: bool = Field(description="The run has ended: no line follows the last.")
    stopped_early: bool = Field(description="The time for finding matches was over; go on with the cursor.")
    next_cursor: str | None = Field(description="Give it as `since` for what follows; null at the end.")

    @staticmethod
    def as_json(it: LogLines) -> dict[str, Any]:
        return {
            "lines": [LogLine.as_json(each) for each in it.lines],
            "open": None if it.open is None else [OpenLine.as_json(each) for each in it.open],
            "first_available": it.first_available,
            "total_lines": it.total_lines,
            "truncated": it.first_available > 1 or it.dropped_bytes > 0 or it.removed_at is not None,
            "dropped_lines": it.first_available - 1,
            "dropped_bytes": it.dropped_bytes,
            "removed_at": moment(it.removed_at),
            "finalized": it.finalized,
            "stopped_early": it.stopped_early,
            "next_cursor": it.next_cursor,
        }


class LogDropped(Shape):
    """Lines that are not in a stream of lines: their reader was too slow, or they went to keep a cap."""

    first: int = Field(ge=1)
    last: int = Field(ge=1)


class LogDone(Shape):
    """The run has ended, and every line of its log was told."""

    total_lines: int = Field(ge=0)
    status: Status
    end_reason: EndReason | None
