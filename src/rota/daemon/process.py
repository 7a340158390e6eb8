"""The process that serves: every part, in the order in which they need each other."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import json
import os
import resource
import signal
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
import uvloop

import rota
from rota.api.app import create_app
from rota.config.config import Config
from rota.config.load import NOTHING, load
from rota.config.places import config_path
from rota.daemon import folder, listening, log, reloading, systemd
from rota.daemon.http import HttpServer
from rota.daemon.token import token_of
from rota.engine.engine import Engine
from rota.events.bus import BLOCK, Bus
from rota.keeper.finding import find_keeper
from rota.mcp.room import PATH, Room
from rota.model.error import Unusable
from rota.operations.loading import Loading
from rota.operations.rota import Rota
from rota.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping
    from pathlib import Path

    from rota.operations.loading import Read

T = TypeVar("T")

logger = structlog.get_logger(__name__)

#: Says of a running server where it is and since when.
READY_FILE = "server.json"

#: The signals that end the server, and leave the runs alone.
ENDING = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is to be served, and where."""

    config: Config
    read: Read  #: reads it anew
    data: Path
    auth: bool  #: whether requests over TCP need the token
    any_port: bool  #: whether another port will do when the one that is wanted is in use
    descriptors: int  #: how many a child may have open, as the server itself was started with


def run(
    *,
    config: Path | None,
    data: Path,
    host: str | None = None,
    port: int | None = None,
    any_port: bool = False,
) -> int:
    """Serve until told to end; the process's exit code. Raises ConfigInvalid and Unusable."""
    log.configure()
    auth = os.environ.get("ROTA_AUTH", "on")
    if auth not in ("on", "off"):
        raise Unusable(f"ROTA_AUTH is {auth!r}; it may be on or off")
    read = partial(_read, config, host=host, port=port)
    loaded = read()
    for each in loaded.warnings:
        logger.warning("the configuration says something that is hardly meant", warning=str(each))
    folder.prepare(data)
    folder.hold(data)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        plan = Plan(
            config=loaded,
            read=read,
            data=data,
            auth=auth == "on",
            any_port=any_port,
            descriptors=_raise_limit(),
        )
        runner.run(_serve(plan))
    return 0


def _read(
    path: Path | None, instead: Mapping[str, str] = NOTHING, *, host: str | None, port: int | None
) -> Config:
    """The configuration, in which flags take precedence; looked for anew while there was none."""
    found = path or config_path(None, os.environ)
    loaded = Config() if found is None else load(found, instead=instead)
    server = replace(
        loaded.server,
        host=loaded.server.host if host is None else host,
        port=loaded.server.port if port is None else port,
    )
    return replace(loaded, server=server)


def _raise_limit() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return soft


async def _serve(plan: Plan) -> None:
    ending = asyncio.Event()
    for each in ENDING:
        if signal.getsignal(each) is not signal.SIG_IGN:  # `nohup` means it
            asyncio.get_running_loop().add_signal_handler(each, ending.set)
    hangups = reloading.Hangups()
    async with contextlib.AsyncExitStack() as parts:
        it = await _unless(ending, _start(plan, parts, broken=ending.set))
        if it is None:
            return
        _settle_memory()
        async with reloading.automatic(it, hangups, over=ending.set):
            await _unless(ending, it.shutdown_asked.wait())
        if it.shutdown_asked.is_set():
            logger.info("shutting down: every run is being ended")
            await _unless(ending, it.engine.shutdown())
        logger.info("the server is leaving")


def _settle_memory() -> None:
    """What is there now stays: looking through it again and again for garbage would stall every answer."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()
    # What the start has freed goes back to the machine: glibc would keep it, a tenth of all.
    with contextlib.suppress(AttributeError):  # another C library gives back by itself, or not at all
        ctypes.CDLL(None).malloc_trim(0)


async def _unless(event: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What the work returns; None, and the work is cancelled, when the event comes first."""
    working, waiting = asyncio.create_task(work), asyncio.create_task(event.wait())
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        waiting.cancel()
        working.cancel()
        await asyncio.gather(working, waiting, return_exceptions=True)


async def _start(plan: Plan, parts: contextlib.AsyncExitStack, *, broken: Callable[[], None]) -> Rota:
    """Everything, in order; `parts` gets what stops it again, in reverse."""
    data, server = plan.data, plan.config.server
    unix = parts.enter_context(listening.unix(data))
    tcp = parts.enter_context(listening.tcp(server.host, server.port, or_any=plan.any_port))
    url = listening.url_of(server.host, listening.port_of(tcp))
    token = token_of(data)
    store = Store.open(data)
    parts.push_async_callback(store.close)
    http, agents = HttpServer(), Room()
    parts.push_async_callback(agents.stop)
    parts.push_async_callback(http.stop)  # after everybody who waits was sent away
    bus = Bus(await store.reserve_event_ids(BLOCK), BLOCK, store.reserve_event_ids)
    parts.callback(bus.close)
    engine = Engine(
        config=plan.config,
        store=store,
        bus=bus,
        data=data,
        open_link=partial(
            find_keeper,
            data,
            descriptors=plan.descriptors,
        ),
    )
    parts.push_async_callback(engine.stop)
    await engine.start()
    loading = Loading(read=plan.read, loaded_at=datetime.now(UTC))
    loading.note(plan.config.watched, {})
    it = Rota(
        engine=engine,
        store=store,
        bus=bus,
        loading=loading,
        data=data,
        version=rota.__version__,
        pid=os.getpid(),
        started_at=datetime.now(UTC),
        url=url,
    )
    parts.push_async_callback(it.searchers.close)
    app = create_app(it, token=token if plan.auth else None, rooms={PATH: agents})
    await http.start(app, [unix, *tcp], broken=broken)
    parts.callback(http.close)
    if not plan.auth:
        logger.warning(
            "ROTA_AUTH is off: whoever can open a connection on this machine can run the tasks",
            and_any_command=plan.config.jobs.enabled is True,
        )
    await systemd.warn_of_kill_mode()
    parts.enter_context(_told(it))
    return it


@contextlib.contextmanager
def _told(it: Rota) -> Iterator[None]:
    """Everybody who wants to know hears that the server is ready, and later that it is on its way out."""
    path = it.data / READY_FILE
    draft = path.with_name(f"{READY_FILE}.new")
    host, port = it.config.server.host, int(it.url.rpartition(":")[2])
    facts = {
        "pid": it.pid,
        "host": host,
        "port": port,
        "url": it.url,
        "version": it.version,
        "started_at": it.started_at.isoformat(),
    }
    try:
        draft.write_text(json.dumps(facts) + "\n", encoding="utf-8")
        draft.replace(path)
    except OSError as error:  # a full disk is no reason not to serve either: what runs is taken up again
        logger.warning("the file that says where the server is could not be written", reason=str(error))
    systemd.notify("READY=1")
    counts = ((len(it.engine.tasks), "task"), (len(it.engine.services.services), "service"))
    what = " and ".join(f"{count} {kind}{'' if count == 1 else 's'}" for count, kind in counts)
    with contextlib.suppress(OSError):  # nobody who reads it is no reason not to serve
        sys.stdout.write(f"Rota {it.version} serves {what} at {it.url}, data folder {it.data}\n")
        sys.stdout.flush()
    try:
        yield
    finally:
        systemd.notify("STOPPING=1")
        path.unlink(missing_ok=True)
