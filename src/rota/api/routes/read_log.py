"""`GET /api/runs/{run_id}/log/raw`: what the program wrote, byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rota.api.call import Call, ClientGone, while_connected
from rota.api.describe import router, streams
from rota.api.form import RunIdInPath
from rota.model.run import RunId
from rota.operations import read_log as operation

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from rota.operations.read_log import RawLog

routes = router()

#: What nearly every program writes; `nosniff` keeps a browser from taking it for anything else.
MEDIA = "text/plain; charset=utf-8"


@routes.get(
    "/api/runs/{run_id}/log/raw",
    name="read_log",
    tags=["runs"],
    summary="Read a run's output",
    **streams(
        MEDIA, "The bytes that were written when the request came; none if there were none.", "run-not-found"
    ),
)
async def read_log(call: Call, run_id: RunIdInPath) -> Any:
    """The program's own bytes, both streams in order of arrival, and nothing of Rota's among them.

    A run that goes on is not followed: the answer ends where its log ended when the request came.
    """
    return LogAnswer(await operation.read_log(call.rota, RunId(run_id)))


class LogAnswer:
    """A log, sent as fast as its client takes it."""

    def __init__(self, log: RawLog) -> None:
        self._log = log

    async def send(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; a client that goes away ends the reading."""
        try:
            headers = [(b"content-type", MEDIA.encode()), (b"content-length", b"%d" % self._log.size)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body"})
            else:
                await while_connected(receive, self._pieces(send))
        except ClientGone:
            pass
        finally:
            self._log.close()

    async def _pieces(self, send: Send) -> None:
        async for piece in self._log.pieces():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})
