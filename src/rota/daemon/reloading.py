"""Reloads that nobody asks for over a surface: by SIGHUP, and when files change. The status tells of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import TYPE_CHECKING

import structlog

from rota.config.fault import ConfigInvalid
from rota.daemon import systemd
from rota.model.error import RotaError
from rota.operations.reload import reload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from rota.config.watched import Mark
    from rota.operations.rota import Rota

log = structlog.get_logger(__name__)


LOOK = 1.0
"""Seconds between two looks at the files; and so long nothing may have changed before they are read."""

TRY_AGAIN = 10.0
"""Seconds after a reload that failed for other reasons than its files."""


class Hangups:
    """SIGHUP, which reloads. That of a terminal which was closed ends the server, as Ctrl-C in it would."""

    def __init__(self) -> None:
        """Hear it from now on: until the server is there, it waits."""
        self._on_terminal = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _has_terminal()
        self._heard = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._heard.set)

    async def run(self, rota: Rota, *, over: Callable[[], None]) -> None:
        """Reload at each, until cancelled; `over` is called when the terminal is gone."""
        while True:
            await self._heard.wait()
            self._heard.clear()
            if self._on_terminal and not _has_terminal():
                over()
            else:
                await reload_by(rota, "SIGHUP")


async def watch(rota: Rota) -> None:
    """With `[server] watch`, reload once the files have changed and then stayed as they are for a while.

    They are looked at by name: so whatever becomes of a name counts, be it written in place, renamed over, or
    behind a link that is turned; and no file system, mount or number of watches has a say in it.
    """
    changed = None
    while True:
        await asyncio.sleep(LOOK)
        if not rota.config.server.watch:
            continue
        now = await asyncio.to_thread(rota.loading.look)
        if now == rota.loading.seen:
            changed = None
        elif now != changed or _is_begun(rota, now):
            changed = now
        elif not await reload_by(rota, "watch"):
            await asyncio.sleep(TRY_AGAIN)


def _is_begun(rota: Rota, now: Mapping[str, Mark | None]) -> bool:
    """Whether the main file is empty: who writes it has just begun, or had no room on the disk.

    To go by it would end everything, and nobody would watch any more; who means that says `rota reload`.
    """
    mark = now.get(str(rota.config.path))
    return mark is not None and mark.size == 0


@contextlib.asynccontextmanager
async def automatic(rota: Rota, hangups: Hangups, *, over: Callable[[], None]) -> AsyncIterator[None]:
    """While this is entered, the server reloads by itself when it is to."""
    loops = [
        asyncio.create_task(hangups.run(rota, over=over), name="reload by SIGHUP"),
        asyncio.create_task(watch(rota), name="watch over the configuration"),
    ]
    try:
        yield
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)


async def reload_by(rota: Rota, who: str) -> bool:
    """Reload, and say what has gone wrong to those who read the log. Whether the files had their answer."""
    systemd.notify_reloading()
    try:
        await reload(rota, by=who)
    except ConfigInvalid:
        return True  # the operation has told of it
    except RotaError as error:
        log.warning("the configuration could not be loaded anew", by=who, reason=str(error))
    except Exception:
        log.exception("a reload broke", by=who)
    else:
        return True
    finally:
        systemd.notify("READY=1")
    return False


def _has_terminal() -> bool:
    """Whether the process belongs to a terminal that is still there."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
