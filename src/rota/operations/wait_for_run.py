"""Wait for runs: until they end, write a text, or listen on a port; for any of them, or for all.

One that fails and is retried is waited for to its last attempt.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rota.logs.entries import EVERY
from rota.logs.follower import Following
from rota.logs.line import Ansi
from rota.logs.news import News, Over
from rota.logs.page import View, read_cursor
from rota.logs.pattern import compiled, found_in
from rota.model.error import Fault, Invalid
from rota.model.run import RunId, Status
from rota.operations.follow_log import follow_log
from rota.operations.get_run import get_run
from rota.operations.ports import listens
from rota.operations.read_lines import Grep, LinesWanted, read_lines
from rota.operations.search_logs import check_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rota.logs.pattern import Pattern, Wanted
    from rota.model.run import Run
    from rota.operations.rota import Rota

#: What a program writes itself.
_OUTPUT = tuple(EVERY)[:2]

#: Seconds between two looks for a port: nothing tells of one.
_LOOK = 0.1

#: Seconds after which the end of a run is asked for anew, by those who wait without limit.
_LONG = 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitWanted:
    """For what is waited; without text and port for the end."""

    run_ids: Sequence[RunId]
    all: bool = True  #: it is to come true for each run, or else for one of them
    text: Wanted | None = None  #: a line of its output has it
    since: str | None = None  #: the text is looked for from this cursor on; with one run only
    port: int | None = None  #: a process of it listens on this TCP port


@dataclass(frozen=True, kw_only=True, slots=True)
class Awaited:
    """What came of the wait for one run."""

    run: Run
    met: bool
    line: str | None = None  #: that has the text


@dataclass(frozen=True, kw_only=True, slots=True)
class Waited:
    """What came of the wait. It is over also when what was waited for can no longer come true."""

    met: bool
    over: bool
    items: Sequence[Awaited]


async def wait_for_run(rota: Rota, wanted: WaitWanted, timeout: float | None) -> Waited:  # noqa: ASYNC109  the runs go on after it
    """How things stand once it has come true, cannot any more, or so many seconds are over.

    The runs never notice; who goes away takes nothing along. Raises RunNotFound and Invalid.
    """
    if wanted.text is not None:
        check_pattern(wanted.text, "query.text")
    for run_id in wanted.run_ids:
        run = await get_run(rota, run_id)
        _check_cursor(wanted, run)
    looks = {run_id: asyncio.create_task(_one(rota, run_id, wanted)) for run_id in wanted.run_ids}
    try:
        over = await _first(wanted, list(looks.values()), timeout)
    finally:
        for look in looks.values():
            look.cancel()
        await asyncio.gather(*looks.values(), return_exceptions=True)
    items = [
        look.result()
        if not look.cancelled() and look.exception() is None
        else Awaited(run=await rota.engine.runs.last_attempt(await get_run(rota, run_id)), met=False)
        for run_id, look in looks.items()
    ]
    met = all(each.met for each in items) if wanted.all else any(each.met for each in items)
    return Waited(met=met, over=over, items=items)


def _check_cursor(wanted: WaitWanted, run: Run) -> None:
    if wanted.since is None:
        return
    try:
        read_cursor(run.id, wanted.since)
    except ValueError as error:
        raise Invalid([Fault(location="query.since", message=str(error), value=wanted.since)]) from error


async def _first(wanted: WaitWanted, looks: list[asyncio.Task[Awaited]], timeout: float | None) -> bool:  # noqa: ASYNC109  as above
    """Whether it was decided in time. What went wrong with a look is raised."""
    loop = asyncio.get_running_loop()
    deadline = None if timeout is None else loop.time() + timeout
    waiting = set(looks)
    while waiting:
        left = None if deadline is None else max(0.0, deadline - loop.time())
        done, waiting = await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            return False
        # One that did not come true decides for all, one that did for any.
        if any(look.result().met is not wanted.all for look in done):
            return True
    return True


async def _one(rota: Rota, run_id: RunId, wanted: WaitWanted) -> Awaited:
    if wanted.text is not None:
        return await _text(rota, run_id, wanted.text, wanted.since)
    if wanted.port is not None:
        return await _port(rota, run_id, wanted.port)
    run = await _ended(rota, run_id)
    return Awaited(run=run, met=True)


async def _ended(rota: Rota, run_id: RunId) -> Run:
    """The ended run. While the server stops it stays without an end, and its waiters are sent away."""
    while (run := await rota.engine.runs.wait(run_id, _LONG)).status is not Status.ENDED:
        if rota.engine.stopping:
            await asyncio.Event().wait()
    return run


async def _port(rota: Rota, run_id: RunId, port: int) -> Awaited:
    while True:
        run = await rota.engine.runs.wait(run_id, _LOOK)
        if run.status is Status.ENDED:
            return Awaited(run=run, met=False)
        if run.pid is not None and await asyncio.to_thread(listens, run.pid, run.id, port):
            return Awaited(run=run, met=True)
        if rota.engine.stopping:
            await asyncio.Event().wait()


async def _text(rota: Rota, run_id: RunId, wanted: Wanted, since: str | None) -> Awaited:
    """The first of its attempts that writes it."""
    while not (awaited := await _text_of_attempt(rota, run_id, wanted, since)).met:
        if awaited.run.next_attempt_run_id is None:
            break
        run_id, since = awaited.run.next_attempt_run_id, None
    return awaited


async def _text_of_attempt(rota: Rota, run_id: RunId, wanted: Wanted, since: str | None) -> Awaited:
    """First what is there already, by those who search; then what is being written."""
    view = View(streams=_OUTPUT, ansi=Ansi.STRIP, limit=1)
    start = 1
    while True:
        page = await read_lines(
            rota, run_id, LinesWanted(since=since, grep=Grep(wanted=wanted), progress=False, view=view)
        )
        if page.lines:
            return Awaited(run=await get_run(rota, run_id), met=True, line=page.lines[0].text)
        if page.next_cursor is None:
            return Awaited(run=await get_run(rota, run_id), met=False)
        since, start = page.next_cursor, read_cursor(run_id, page.next_cursor).n
        if not page.stopped_early:
            break
    return await _text_to_come(rota, run_id, compiled(wanted), start)


async def _text_to_come(rota: Rota, run_id: RunId, pattern: Pattern, start: int) -> Awaited:
    following = Following(start=start, streams=_OUTPUT, ansi=Ansi.STRIP, progress=True)
    follower = await follow_log(rota, run_id, following)
    try:
        while not isinstance(news := await follower.next(), Over):
            if isinstance(news, News) and (line := _found(news, pattern)) is not None:
                return Awaited(run=await get_run(rota, run_id), met=True, line=line)
        if news.outcome is None:  # the server stops
            await asyncio.Event().wait()
        return Awaited(run=await get_run(rota, run_id), met=False)
    finally:
        follower.close()


def _found(news: News, pattern: Pattern) -> str | None:
    """The text of the line that has it; a line that is still being written counts: so prompts are seen."""
    lines, unfinished = news.lines.get(Ansi.STRIP, ()), (news.open or {}).get(Ansi.STRIP, ())
    texts = [
        *(each.text for each in lines if each.stream in _OUTPUT),
        *(each.text for each in unfinished if each.stream in _OUTPUT),
    ]
    return next((text for text in texts if found_in(pattern, text.encode("utf-8", "replace"))), None)
