"""`GET /api/runs/{run_id}/log`: a run's log as lines."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import answers
from rota.api.form import AS_WHOLE, Flag, Form, Moment, RunIdInPath, Whole
from rota.api.route import Routes
from rota.api.shapes.log import LogPage
from rota.logs.line import Ansi, Stream
from rota.logs.page import View
from rota.logs.pattern import LONGEST_PATTERN, Wanted
from rota.model.error import Fault, Invalid
from rota.operations.read_lines import Grep, LinesWanted
from rota.operations.read_lines import read_lines as read

routes = Routes()

#: What says where a page begins; one of them at most.
BEGINNINGS = ("from", "from_at", "tail", "since")


class LinesQuery(Form):
    """Which lines, and how they look. The first ones, unless told otherwise."""

    from_: Annotated[int, Field(ge=1), AS_WHOLE] | None = Field(
        default=None, alias="from", description="From this line on."
    )
    from_at: Moment | None = Field(
        default=None, description="From the first line that came at this time or later (RFC 3339)."
    )
    tail: Annotated[int, Field(ge=0, le=10_000), AS_WHOLE] | None = Field(
        default=None, description="The last so many lines."
    )
    since: str | None = Field(default=None, description="What follows the page with this `next_cursor`.")
    limit: Annotated[int, Field(ge=1, le=10_000), AS_WHOLE] | None = Field(
        default=None,
        description="How many lines at most (500); with `grep`, how many matches.",
    )
    max_bytes: Whole = Field(
        default=1_048_576,
        ge=1024,
        le=16_777_216,
        description="How much text at most; at least one line, or a piece of one, is answered.",
    )
    stream: list[Stream] = Field(default=[], description="Lines of this stream; may be repeated.")
    ansi: Ansi = Field(default=Ansi.KEEP, description="What becomes of colours and other escape sequences.")
    progress: Flag = Field(
        default=False, description="Also tell what is still being written of a line, such as a progress bar."
    )
    grep: str | None = Field(
        default=None,
        min_length=1,
        max_length=LONGEST_PATTERN,
        description="Only lines that contain this text.",
    )
    regex: Flag = Field(default=False, description="`grep` is a regular expression, in the syntax of RE2.")
    case: Flag = Field(default=True, description="In `grep`, upper and lower case differ.")
    before: Whole = Field(default=0, ge=0, le=100, description="With each match, so many lines before it.")
    after: Whole = Field(default=0, ge=0, le=100, description="With each match, so many lines after it.")


@routes.get(
    "/api/runs/{run_id}/log",
    name="read_lines",
    tags=["runs"],
    summary="Read a run's log as lines",
    **answers(
        200, LogPage, "Some lines, and what is known of the whole log.", "run-not-found", "run-unclear"
    ),
)
async def read_lines(call: Call, run_id: RunIdInPath, query: LinesQuery) -> Any:
    """Lines with number, time and stream: of the program's two streams and, as `system`, Rota's own words.

    A line is told once it is complete. Carriage returns and cursor moves are carried out, so that it reads as
    it stood at its end. One of more than 64 KiB comes in pieces. For what is new, ask again with `since`.
    """
    lines = await read(call.rota, run_id, _wanted(query))
    return answer.described("LogPage", LogPage.as_json(lines), call.origin)


def _wanted(query: LinesQuery) -> LinesWanted:
    given = {**query.model_dump(include={"from_at", "tail", "since"}), "from": query.from_}
    beginnings = [name for name in BEGINNINGS if given[name] is not None]
    faults = [
        Fault(location=f"query.{name}", message=f"it does not go with {beginnings[0]}")
        for name in beginnings[1:]
    ]
    if query.tail is not None and query.limit is not None:
        faults.append(Fault(location="query.limit", message="it does not go with tail"))
    if query.grep is None:
        faults += [
            Fault(location=f"query.{name}", message="it goes with grep only")
            for name in ("regex", "case", "before", "after")
            if name in query.model_fields_set
        ]
    if faults:
        raise Invalid(faults)
    return LinesWanted(
        start=query.from_,
        start_at=query.from_at,
        since=query.since,
        tail=query.tail is not None,
        grep=_grep(query),
        progress=query.progress,
        view=View(
            streams=streams_of(query.stream),
            ansi=query.ansi,
            limit=_limit(query),
            max_bytes=query.max_bytes,
        ),
    )


def streams_of(given: list[Stream]) -> tuple[int, ...]:
    """The streams that were asked for; all of them when none was."""
    return tuple(stream.number for stream in Stream if stream in given or not given)


def _grep(query: LinesQuery) -> Grep | None:
    if query.grep is None:
        return None
    wanted = Wanted(text=query.grep, regex=query.regex, case=query.case)
    return Grep(wanted=wanted, before=query.before, after=query.after)


def _limit(query: LinesQuery) -> int:
    if query.tail is not None:
        return query.tail
    return 500 if query.limit is None else query.limit
