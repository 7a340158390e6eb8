"""A log that is being written, followed by many readers at the cost of one.

One loop per followed run looks at the end of the index, a few bytes, and hands what is new to all who keep
up. Who does not, or comes later, reads from the disk by itself until it has caught up. So nobody waits for a
slow reader, the program least of all.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from rota.logs.follower import BEHIND, KEPT, Follower
from rota.logs.line import Ansi
from rota.logs.log import Log
from rota.logs.news import News
from rota.logs.page import Position, View, open_lines, read_page

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from rota.logs.follower import Following
    from rota.logs.line import Line
    from rota.logs.page import OpenLine

T = TypeVar("T")

#: Seconds between two looks, while something comes, and once nothing has come for a while.
LOOK = 0.01
CALM_LOOK = 0.025
CALM = 1.0

#: Seconds between two tellings of what is still being written.
PROGRESS = 0.1

#: What one look hands out at most; the next one goes on.
LINES = 1000
BYTES = 256 * 1024

#: Characters that a line counts for beside its text, since an empty one takes room, too.
LINE = 100

#: No pause between two looks is longer, however busy this process is.
LONGEST_PAUSE = 0.25


class LiveLogs(Generic[T]):
    """The logs that are followed now."""

    def __init__(self) -> None:
        self._live: dict[str, LiveLog[T]] = {}
        self._leaving: set[asyncio.Task[Any]] = set()

    def follow(
        self, data: Path, run_id: str, wanted: Following, end: Callable[[], Coroutine[Any, Any, T | None]]
    ) -> Follower[T]:
        """A follower of a log. `end`, which is asked once for all, gives how the run has ended, once it has.

        It gives None when nobody will be told any more.
        """
        live = self._live.get(run_id)
        if live is None:
            live = self._live[run_id] = LiveLog(data, run_id, end(), self._forget)
        return live.follow(wanted)

    def _forget(self, live: LiveLog[T], tasks: Sequence[asyncio.Task[Any]]) -> None:
        self._live.pop(live.run_id, None)
        for task in tasks:
            task.cancel()
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)


class LiveLog(Generic[T]):
    """The log of one run. It is over once its end has come."""

    def __init__(
        self,
        data: Path,
        run_id: str,
        end: Coroutine[Any, Any, T | None],
        forget: Callable[[LiveLog[T], Sequence[asyncio.Task[Any]]], None],
    ) -> None:
        self.data = data
        self.run_id = run_id
        self._forget = forget
        self._log = Log(data, run_id, finalized=False)
        self.next = self._log.total_lines + 1  #: the line that is handed out next
        self._seen = self._log.end_of_index
        self._followers: set[Follower[T]] = set()
        self._attached: set[Follower[T]] = set()
        self._changed_at = self._told_at = time.monotonic()
        self._is_untold = False  # of the open lines, that they have changed
        loop = asyncio.get_running_loop()
        self._end = loop.create_task(end, name=f"end of {run_id}")
        self._looking = loop.create_task(self._look_on(), name=f"log of {run_id}")

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, and with it the log."""
        return self._looking.done()

    def outcome(self) -> T | None:
        """What the end gave; None when the run has not ended. What kept us from looking is raised."""
        self._looking.result()
        return self._end.result()

    def follow(self, wanted: Following) -> Follower[T]:
        """Somebody follows."""
        follower = Follower(self, wanted)
        self._followers.add(follower)
        return follower

    def leave(self, follower: Follower[T]) -> None:
        """Somebody follows no longer; with the last one it ends."""
        self._attached.discard(follower)
        if follower in self._followers:
            self._followers.discard(follower)
            if not self._followers:
                self._forget(self, (self._looking, self._end))

    def attach(self, follower: Follower[T]) -> None:
        """It has read everything before `next`: what follows is handed to it."""
        self._attached.add(follower)
        if follower.wanted.progress and not self._end.done():
            ansi = follower.wanted.ansi
            follower.take(News(lines={}, open={ansi: open_lines(self._log, ansi)}, next=self.next))

    def detach(self, follower: Follower[T]) -> None:
        """It does not keep up."""
        self._attached.discard(follower)
        follower.detached()

    async def _look_on(self) -> None:
        late = 0.0
        try:
            while not self._end.done():
                begun = time.monotonic()
                self._look(begun)
                looked = time.monotonic()
                least = LOOK if looked - self._changed_at < CALM else CALM_LOOK
                # A third of the time at most; and less often where the loop is late, since others need it.
                pause = min(max(least, 2 * (looked - begun), late), LONGEST_PAUSE)
                await asyncio.wait({self._end}, timeout=pause)
                late = time.monotonic() - looked - pause
        finally:
            self._log.close()
            # In a turn of its own: by then it is over, so that the rest is read from the disk, to its end.
            asyncio.get_running_loop().call_soon(self._detach_all)

    def _look(self, now: float) -> None:
        log = self._log
        log.refresh(finalized=False)
        if log.end_of_index != self._seen:
            self._seen, self._changed_at, self._is_untold = log.end_of_index, now, True
        elif log.total_lines < self.next and not self._is_untold:
            return
        if log.first_available > self.next:
            self._jump(log.first_available)
        elif log.total_lines - self.next >= BEHIND:
            self._jump(log.total_lines + 1 - KEPT)
        lines = self._new_lines() if log.total_lines >= self.next else {}
        opened = self._opened(now)
        if any(lines.values()) or opened is not None:
            news = News(lines=lines, open=opened, next=self.next, size=_size(lines) + _size(opened or {}))
            for follower in list(self._attached):
                follower.take(news)

    def _new_lines(self) -> Mapping[Ansi, Sequence[Line]]:
        start = Position(self.next)
        page = read_page(self._log, start, View(limit=LINES, max_bytes=BYTES))
        if self._log.follow_beginning() and self._log.first_available > start.n:
            return {}  # some of it may have been a hole already: the next look begins behind it
        if page.next.n == start.n:
            self._jump(start.n + 1)  # an over-long line is read from the disk by each who wants it
            return {}
        self.next = page.next.n
        found = {Ansi.KEEP: [line for line in page.lines if line.n < self.next]}
        if any(follower.wanted.ansi is Ansi.STRIP for follower in self._attached):
            view = View(limit=LINES, max_bytes=BYTES, ansi=Ansi.STRIP)
            found[Ansi.STRIP] = read_page(self._log, start, view, stop=self.next).lines
        return found

    def _opened(self, now: float) -> Mapping[Ansi, Sequence[OpenLine]] | None:
        if not self._is_untold or now - self._told_at < PROGRESS:
            return None
        self._is_untold, self._told_at = False, now
        wanted = {follower.wanted.ansi for follower in self._attached if follower.wanted.progress}
        return {ansi: open_lines(self._log, ansi) for ansi in wanted} or None

    def _jump(self, n: int) -> None:
        self.next = n
        self._detach_all()

    def _detach_all(self) -> None:
        for follower in list(self._followers):
            self.detach(follower)


def _size(told: Mapping[Ansi, Sequence[Line | OpenLine]]) -> int:
    return sum(LINE + len(line.text) for lines in told.values() for line in lines)
