"""The API as it is served: real sockets, in a thread of its own, over a keeper whose runs end at once."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from api_bed import TOKEN, Api
from engine_bed import PATIENCE, Bed

from rota.daemon import listening
from rota.daemon.http import HttpServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rota.model.task import Task


class Live:
    """Where it is served."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = 0
        self.api: Api
        self.http = HttpServer()
        self.loop: asyncio.AbstractEventLoop
        self.ended = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def live_api(data: Path, *tasks: Task) -> Iterator[Live]:
    live = Live(data)
    ready = threading.Event()

    async def serve() -> None:
        live.loop = asyncio.get_running_loop()
        bed = Bed(data, tasks)
        bed.keeper.at_once = True
        await bed.start()
        live.api = Api(bed, TOKEN)
        with ExitStack() as sockets:
            unix = sockets.enter_context(listening.unix(data))
            tcp = sockets.enter_context(listening.tcp("127.0.0.1", 0))
            live.port = listening.port_of(tcp)
            await live.http.start(live.api.app, [unix, *tcp], broken=live.ended.set)
            ready.set()
            await live.ended.wait()
            bed.bus.close()
            await live.http.stop()
        await live.api.close()
        await bed.stop()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield live
    finally:
        live.loop.call_soon_threadsafe(live.ended.set)
        thread.join(PATIENCE)
