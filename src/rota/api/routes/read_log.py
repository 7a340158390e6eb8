"""`GET /api/runs/{run_id}/log/raw`: what the program wrote, byte for byte."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from rota.api.byte_range import byte_range
from rota.api.call import Call, ClientGone, while_connected
from rota.api.describe import streams
from rota.api.form import Form, RunIdInPath
from rota.api.route import Routes
from rota.logs.line import Stream
from rota.operations import read_log as operation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

    from rota.operations.read_log import RawLog

routes = Routes()

#: What nearly every program writes; `nosniff` keeps a browser from taking it for anything else.
MEDIA = "text/plain; charset=utf-8"

#: Fast rather than small: a log shrinks to a tenth all the same.
LEVEL = 1


class RawQuery(Form):
    """Which bytes."""

    stream: Literal["stdout", "stderr"] | None = Field(
        default=None, description="Those of one stream; of both, in order of arrival, unless told otherwise."
    )


class RawHeaders(Form):
    """How much of them, and how."""

    range: str | None = Field(
        default=None,
        alias="Range",
        description="One range of bytes, such as `bytes=1000-` or `bytes=-500`. Offsets count from the first "
        "byte that was ever written, also where the beginning was dropped.",
    )
    if_range: str | None = Field(
        default=None, alias="If-Range", description="There is nothing to compare it with: all is answered."
    )
    accept_encoding: str | None = Field(
        default=None, alias="Accept-Encoding", description="`gzip` compresses what is not a range."
    )


@routes.get(
    "/api/runs/{run_id}/log/raw",
    name="read_log",
    tags=["runs"],
    summary="Read a run's output",
    **streams(
        MEDIA,
        "The bytes that were written when the request came; none if there were none.",
        "run-not-found",
        "run-unclear",
        "range-not-satisfiable",
        partial="The bytes of the range, as `Content-Range` says.",
    ),
)
async def read_log(
    call: Call,
    run_id: RunIdInPath,
    query: RawQuery,
    headers: RawHeaders,
) -> Any:
    """The program's own bytes, both streams in order of arrival or one, and nothing of Rota's among them.

    A run that goes on is not followed: the answer ends where its log ended when the request came.
    """
    stream = None if query.stream is None else Stream(query.stream).number
    log = await operation.read_log(call.rota, run_id, stream)
    try:
        asked = None if headers.if_range is not None else headers.range
        part = byte_range(asked, log.start, log.stop)
    except BaseException:
        log.close()
        raise
    compressed = part is None and _takes_gzip(headers.accept_encoding)
    return LogAnswer(log, part, query.stream, compressed=compressed)


class LogAnswer:
    """A log, sent as fast as its client takes it."""

    def __init__(
        self, log: RawLog, part: tuple[int, int] | None, stream: str | None, *, compressed: bool
    ) -> None:
        self._log = log
        self._part = part
        self._start, self._stop = (log.start, log.stop) if part is None else part
        self._stream = stream
        self._compressed = compressed

    async def send(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; a client that goes away ends the reading."""
        try:
            status = 200 if self._part is None else 206
            await send({"type": "http.response.start", "status": status, "headers": self._headers()})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body"})
            else:
                await while_connected(receive, self._send_pieces(send))
        except ClientGone:
            pass
        finally:
            self._log.close()

    def _headers(self) -> list[tuple[bytes, bytes]]:
        run = self._log.run
        name = ".".join(filter(None, (run.task_name, run.id, self._stream, "log")))
        headers = [
            (b"content-type", MEDIA.encode()),
            (b"content-disposition", f'inline; filename="{name}"'.encode()),
            (b"accept-ranges", b"bytes"),
            (b"vary", b"accept-encoding"),
        ]
        if self._compressed:
            headers.append((b"content-encoding", b"gzip"))
        else:
            headers.append((b"content-length", b"%d" % (self._stop - self._start)))
        if self._part is not None:
            said = b"bytes %d-%d/%d" % (self._start, self._stop - 1, self._log.stop)
            headers.append((b"content-range", said))
        return headers

    async def _send_pieces(self, send: Send) -> None:
        pieces = self._log.pieces(self._start, self._stop)
        async for piece in _gzipped(pieces) if self._compressed else pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})


def _takes_gzip(accepted: str | None) -> bool:
    for each in (accepted or "").lower().split(","):
        name, _, weight = each.replace(" ", "").partition(";q=")
        if name in ("gzip", "x-gzip"):
            return weight.strip("0.") != "" or not weight
    return False


async def _gzipped(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    compressor = zlib.compressobj(LEVEL, wbits=zlib.MAX_WBITS | 16)
    async for piece in pieces:
        if compressed := await asyncio.to_thread(compressor.compress, piece):
            yield compressed
    yield compressor.flush()
