"""`GET /api/runs/{run_id}/log/stream`: a run's log as it is written, as server-sent events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from rota.api import wire
from rota.api.call import Call
from rota.api.describe import streams
from rota.api.form import AS_WHOLE, Flag, Form, RunIdInPath
from rota.api.route import Routes
from rota.api.routes.read_lines import streams_of
from rota.api.server_events import ALIVE, CLOSING, HEARTBEAT, MEDIA, ServerEvents
from rota.api.shapes.log import LogLine, OpenLine
from rota.logs.follower import Following
from rota.logs.line import Ansi, Stream
from rota.logs.news import Dropped, News, Over
from rota.model.error import Fault, Invalid
from rota.operations import follow_log as operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rota.api.server_events import Say
    from rota.logs.follower import Follower
    from rota.model.run import Run

routes = Routes()


class StreamQuery(Form):
    """Which lines. All of them, unless told otherwise."""

    from_: Annotated[int, Field(ge=1), AS_WHOLE] | None = Field(
        default=None, alias="from", description="From this line on, whether it is there already or not."
    )
    tail: Annotated[int, Field(ge=0, le=10_000), AS_WHOLE] | None = Field(
        default=None, description="From so many of the last lines on; 0 tells what is new only."
    )
    stream: list[Stream] = Field(default=[], description="Lines of this stream; may be repeated.")
    ansi: Ansi = Field(default=Ansi.KEEP, description="What becomes of colours and other escape sequences.")
    progress: Flag = Field(
        default=False, description="Also tell what is still being written of a line, such as a progress bar."
    )


class StreamHeaders(Form):
    """Where to go on."""

    last_event_id: str | None = Field(
        default=None,
        alias="Last-Event-ID",
        pattern=r"^[0-9]{1,17}$",
        description="The id of the last event that was seen; it takes precedence over the query.",
    )


@routes.get(
    "/api/runs/{run_id}/log/stream",
    name="follow_log",
    tags=["runs"],
    summary="Follow a run's log",
    **streams(
        MEDIA,
        "`line` (with a `LogLine`) is a line, or a piece of one; the `id` of a line's last piece is its "
        "number. `progress` (with `{open: [OpenLine…]}`) is what is still being written. `dropped` (with a "
        "`LogDropped`) says which lines are not told, since they are no longer there or the reader was too "
        "slow; `/api/runs/{run_id}/log` may have them. `done` (with a `LogDone`) comes last; `closing` in "
        "its place says that the server stops. Comments keep the connection alive.",
        "run-not-found",
        "run-unclear",
    ),
)
async def follow_log(
    call: Call,
    run_id: RunIdInPath,
    query: StreamQuery,
    headers: StreamHeaders,
) -> Any:
    """Every line from a place on: what is there already, then as it is written, until the run has ended.

    A line is on its way within some hundredths of a second after it was written. A reader that once was up to
    date and then falls 10,000 lines behind is taken to the end. The run never waits for anybody.
    """
    if query.tail is not None and query.from_ is not None:
        raise Invalid([Fault(location="query.tail", message="it does not go with from")])
    last = headers.last_event_id
    wanted = Following(
        start=(query.from_ or 1) if last is None else int(last) + 1,
        tail=query.tail if last is None else None,
        streams=streams_of(query.stream),
        ansi=query.ansi,
        progress=query.progress,
    )
    return LogStream(await operation.follow_log(call.rota, run_id, wanted), call.origin)


class Heartbeat:
    """Wakes a follower that was told nothing for a while.

    One timer does for all of its life: one for each thing told would cost more than the telling.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._said_at = self._loop.time()
        self._timer = self._loop.call_later(HEARTBEAT, self._beat)

    def said(self) -> None:
        """Something was told."""
        self._said_at = self._loop.time()

    def stop(self) -> None:
        """It wakes nobody any more."""
        self._timer.cancel()

    def _beat(self) -> None:
        silence = self._loop.time() - self._said_at
        if silence >= HEARTBEAT:
            self._wake()
            silence = 0
        self._timer = self._loop.call_later(HEARTBEAT - silence, self._beat)


class LogStream(ServerEvents):
    """What a follower is told, as server-sent events."""

    def __init__(self, follower: Follower[Run], origin: str) -> None:
        super().__init__(origin)
        self._follower = follower
        wanted = follower.wanted
        self._key = (wanted.ansi, tuple(wanted.streams), wanted.progress)

    def close(self) -> None:
        """Nobody listens any more."""
        self._follower.close()

    async def tell(self, say: Say) -> None:
        """Tell lines until the log is over, or the server stops."""
        heartbeat = Heartbeat(self._follower.wake)
        try:
            while True:
                told = await self._follower.next()
                if text := self._text(told):
                    await say(text)
                    heartbeat.said()
                if isinstance(told, Over):
                    break
        finally:
            heartbeat.stop()

    def _text(self, told: News | Dropped | Over[Run] | None) -> bytes:
        if told is None:
            return ALIVE
        if isinstance(told, News):
            # Hundreds may be told the same: it is put into words once.
            text = told.memo.get(self._key)
            if text is None:
                text = told.memo[self._key] = b"".join(self._events(told))
            return text
        if isinstance(told, Dropped):
            body = {"first": told.first, "last": told.last}
            return b"id: %d\nevent: dropped\ndata: %s\n\n" % (told.last, self.data("LogDropped", body))
        run = told.outcome
        if run is None:
            return CLOSING
        done = {"total_lines": told.total_lines, "status": run.status, "end_reason": run.end_reason}
        return b"event: done\ndata: %s\n\n" % self.data("LogDone", done)

    def _events(self, news: News) -> Iterator[bytes]:
        wanted = self._follower.wanted
        for line in news.lines.get(wanted.ansi, ()):
            if line.stream in wanted.streams:
                if not line.continued:
                    yield b"id: %d\n" % line.n
                yield b"event: line\ndata: %s\n\n" % wire.encode(LogLine.as_json(line))
        if wanted.progress and news.open is not None and wanted.ansi in news.open:
            opened = [
                OpenLine.as_json(each) for each in news.open[wanted.ansi] if each.stream in wanted.streams
            ]
            yield b"event: progress\ndata: %s\n\n" % wire.encode({"open": opened})
