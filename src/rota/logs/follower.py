"""A follower of a log: every line from any place on, live where the run goes on, until its end."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from rota.logs.entries import EVERY
from rota.logs.line import Ansi
from rota.logs.log import Log
from rota.logs.news import Dropped, News, Over
from rota.logs.page import Page, Position, View, read_page, read_tail, steady

if TYPE_CHECKING:
    from collections.abc import Collection

    from rota.logs.live import LiveLog

T = TypeVar("T")

#: Characters of news that wait for a follower; one that lets more wait has to read from the disk.
WAITING = 1024 * 1024

#: Lines that are read from the disk at once.
AT_ONCE = 1000

#: A follower that has kept up once and then is so many lines behind is taken to the last so many.
BEHIND = 10_000
KEPT = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Following:
    """What a follower wants to be told."""

    start: int = 1  #: from this line on
    tail: int | None = None  #: from so many of the last lines on, in the place of `start`
    streams: Collection[int] = EVERY
    ansi: Ansi = Ansi.KEEP
    progress: bool = False  #: also what is still being written


class Follower(Generic[T]):
    """Reads one log from a place on. To be closed.

    It first reads what is there already, all of it. From then on it keeps up; where it cannot, it is taken to
    the end, and told what it has not seen.
    """

    def __init__(self, live: LiveLog[T], wanted: Following) -> None:
        self.wanted = wanted
        self._live = live
        self._position = Position(wanted.start)
        self._tail = wanted.tail
        self._total = 0
        self._news: deque[News] = deque()
        self._waiting = 0
        self._is_attached = False
        self._has_kept_up = False
        self._is_called = False  # to come back with nothing
        self._woken = asyncio.Event()

    def close(self) -> None:
        """Follow no longer; twice is fine."""
        self._live.leave(self)

    def take(self, news: News) -> None:
        """Something new, which follows what was taken before. Who lets too much wait is detached."""
        if self._waiting > WAITING:
            self._live.detach(self)
        else:
            self._news.append(news)
            self._waiting += news.size
            self._woken.set()

    def detached(self) -> None:
        """Nothing more is handed to it."""
        self._is_attached = False
        self._woken.set()

    def wake(self) -> None:
        """Have `next` come back, whether there is anything or not."""
        self._is_called = True
        self._woken.set()

    async def next(self) -> News | Dropped | Over[T] | None:
        """What comes next; None when it was woken before. It may be cancelled, and loses nothing by it."""
        while True:
            if self._news:
                return self._taken(self._news.popleft())
            if self._is_called:
                self._is_called = False
                return None
            self._woken.clear()
            if self._is_attached:
                await self._woken.wait()
            elif (found := await self._catch_up()) is not None:
                return found

    def _taken(self, news: News) -> News:
        self._waiting -= news.size
        since = self._position.n
        self._position = Position(max(news.next, since))
        return news.since(since)

    async def _catch_up(self) -> News | Dropped | Over[T] | None:
        live = self._live
        if live.is_over:
            outcome = live.outcome()
            found = None if outcome is None else await self._read_on(None)
            return found or Over(total_lines=self._total, outcome=outcome)
        if self._tail is None:
            if self._position >= Position(live.next):
                self._is_attached = self._has_kept_up = True
                live.attach(self)
                return None
            if self._has_kept_up and live.next - self._position.n > BEHIND:
                return self._skip(live.next - KEPT)
        return await self._read_on(live.next)

    def _skip(self, n: int) -> Dropped:
        dropped = Dropped(first=self._position.n, last=n - 1)
        self._position = Position(n)
        return dropped

    async def _read_on(self, stop: int | None) -> News | Dropped | None:
        page, first, self._total = await asyncio.to_thread(self._read, stop)
        if self._tail is None and first > self._position.n:
            return self._skip(first)
        self._position, self._tail = page.next, None
        return News(lines={self.wanted.ansi: page.lines}, next=page.next.n) if page.lines else None

    def _read(self, stop: int | None) -> tuple[Page, int, int]:
        """What is there before line `stop`, the first line that is, and the last of all."""
        live, wanted = self._live, self.wanted
        limit = AT_ONCE if self._tail is None else self._tail
        view = View(streams=wanted.streams, ansi=wanted.ansi, limit=limit)
        with Log(live.data, live.run_id, finalized=stop is None) as log:
            if self._tail is None:
                page = steady(log, lambda: read_page(log, self._position, view, stop=stop))
            else:
                page = steady(log, lambda: read_tail(log, view, stop=stop))
            return page, log.first_available, log.total_lines
