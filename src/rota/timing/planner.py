"""What is due and what a gap owes, over the schedules of all tasks; no clock, no I/O.

A look costs next to nothing while nothing is due: the next tick of every task stands in a heap. What has to
be computed (the tick after the one that was taken, the ticks of a gap) is computed after the due ticks have
been handed out, and a long gap in slices, so that no look holds up the ticks of the others.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from rota.timing.gap import (
    COUNTED,
    COUNTED_IN_ALL,
    COUNTED_LEAST,
    SLICE,
    Found,
    Gap,
    GapCause,
    Ticking,
    count,
    next_tick,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator, Mapping, Sequence

LATE = timedelta(seconds=60)
"""A tick that is found this late or less still runs; an older one is missed."""

WRONG_CLOCK = timedelta(hours=3)
"""A horizon further ahead than this was written by a wrong clock and is given up, as Debian's cron does."""

_MICROSECOND = timedelta(microseconds=1)

#: So much later than `LATE` a tick may be handed out that was not late at the first of several looks: those
#: of a task come one at a look, and the oldest would else be late by then, and of a gap of its own.
CATCHING_UP = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """One instant at which a task is due."""

    task_name: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """What one look found."""

    ticks: Sequence[Tick] = ()
    gaps: Sequence[Gap] = ()


_NOTHING = Due()


class Planner:
    """The ticks of all tasks from the horizon on: each is handed out once, as due or as part of a gap.

    `horizon` is the instant up to which all ticks were decided by an earlier server, None on the first start;
    `since` says from when on each task has had its schedule: a new or changed one owes nothing before that.
    `catch_up` says of how many ticks after a gap each task makes good.
    """

    def __init__(
        self,
        schedules: Mapping[str, Sequence[Ticking]],
        since: Mapping[str, datetime],
        *,
        horizon: datetime | None,
        now: datetime,
        catch_up: Mapping[str, int] | None = None,
    ) -> None:
        self._schedules = schedules
        self._catch_up = catch_up or {}
        self._names = list(schedules)
        self._heap: list[tuple[datetime, int]] = []
        self._unplanned: deque[tuple[int, datetime]] = deque()
        self._gaps: deque[tuple[int, Generator[int, None, Gap]]] = deque()  # that are being counted
        self._looked = False
        decided = min(since.values(), default=now) if horizon is None else _believable(horizon, now) or now
        self._seen = decided  #: the latest instant that was looked at
        self._horizon = decided
        self._behind: datetime | None = None  # what came after this was to run, when it was looked at first
        self._leapt: tuple[datetime, datetime] | None = None  # between these, no tick was handed out to run
        self._done: list[tuple[datetime, datetime]] = []  # from the first to the second, each was
        self._begin({name: max(decided, _believable(at, now) or now) for name, at in since.items()}, now)

    @property
    def horizon(self) -> datetime:
        """All ticks up to here have been handed out; as of the last call of `next_at`."""
        return self._horizon

    def due(self, now: datetime, *, passed: timedelta | None = None) -> Due:
        """What is due by now, at most one tick of each task; `next_at` says when to look again.

        What is older than `LATE` makes gaps. `passed` is how much time really went by since the look before:
        if it was less than `LATE`, it is the clock that makes a tick look late. A jump back makes nothing due
        again that was; but if it takes back a jump ahead, the ticks that were leapt over do come.
        """
        cause = self._cause(passed)
        if now >= self._seen:
            if now - self._seen > LATE:
                self._leapt = (self._seen, now - LATE)
            self._seen = now
        elif self._leapt is not None and self._leapt[0] <= now < self._leapt[1]:
            self._done.append((self._leapt[1], self._seen))
            self._plan_anew(now)
        elif _believable(self._seen, now) is None:
            self._done.clear()
            self._plan_anew(now)
        heap = self._heap
        if not heap or heap[0][0] > now:
            return self._counted()

        oldest = now - LATE
        if self._behind is not None and self._behind < oldest <= self._behind + CATCHING_UP:
            oldest = self._behind
        ticks: list[Tick] = []
        gaps: list[tuple[int, datetime]] = []
        while heap and heap[0][0] <= now:
            at, index = heappop(heap)
            if (done := self._done_until(at)) is not None:
                self._unplanned.append((index, done))
            elif at < oldest:
                gaps.append((index, at))
                self._unplanned.append((index, oldest - _MICROSECOND))
            else:
                ticks.append(Tick(task_name=self._names[index], at=at))
                self._unplanned.append((index, at))
        self._behind = oldest
        if gaps:
            self._found(gaps, cause, until=oldest, seen_at=now)
        return Due(ticks=ticks)  # the gaps are counted in later looks: what is due does not wait for that

    def change(
        self,
        schedules: Mapping[str, Sequence[Ticking]],
        since: Mapping[str, datetime],
        *,
        catch_up: Mapping[str, int],
    ) -> None:
        """These are the schedules from now on.

        A task whose schedules are the very same goes on where it stands. Any other owes nothing: it is due
        from `since` on, and what was not handed out of its former schedules is gone with them.
        """
        index_of = {name: index for index, name in enumerate(schedules)}
        kept = {
            index: index_of[name]
            for index, name in enumerate(self._names)
            if name in schedules and schedules[name] is self._schedules[name]
        }
        self._heap = [(at, kept[index]) for at, index in self._heap if index in kept]
        heapify(self._heap)
        self._unplanned = deque((kept[index], at) for index, at in self._unplanned if index in kept)
        self._gaps = deque((kept[index], gap) for index, gap in self._gaps if index in kept)
        self._names, self._schedules, self._catch_up = list(schedules), schedules, catch_up
        goes_on = frozenset(kept.values())
        self._unplanned.extend(
            (index, since[name]) for name, index in index_of.items() if index not in goes_on
        )

    def coming(self, *, but: Collection[str] = ()) -> Iterator[Tick]:
        """The ticks of all tasks, but for these, from here on, in their order."""
        self._plan_all()
        heap = [(at, index) for at, index in self._heap if self._names[index] not in but]
        heapify(heap)
        while heap:
            at, index = heappop(heap)
            yield Tick(task_name=self._names[index], at=at)
            following = next_tick(self._schedules[self._names[index]], at)
            if following is not None:
                heappush(heap, (following, index))

    def next_at(self) -> datetime | None:
        """When to look again (it may be over already); None when nothing will ever be due.

        Computes the following tick of each task that was handed one since, and moves the horizon.
        """
        self._plan_all()
        is_behind = bool(self._heap) and self._heap[0][0] <= self._seen
        if not is_behind:
            self._behind = None
        if self._gaps:
            return self._seen
        if is_behind:
            return self._heap[0][0]
        self._horizon = self._seen
        return self._heap[0][0] if self._heap else None

    def _begin(self, after: Mapping[str, datetime], now: datetime) -> None:
        for index, name in enumerate(self._names):
            tick = next_tick(self._schedules[name], after.get(name, now))
            if tick is not None:
                self._heap.append((tick, index))
        heapify(self._heap)

    def _cause(self, passed: timedelta | None) -> GapCause:
        """Why what this look finds late is late."""
        looked, self._looked = self._looked, True
        if not looked:
            return GapCause.DOWN
        return GapCause.ASLEEP if passed is None or passed > LATE else GapCause.CLOCK

    def _found(
        self, gaps: Sequence[tuple[int, datetime]], cause: GapCause, *, until: datetime, seen_at: datetime
    ) -> None:
        limit = max(COUNTED_LEAST, min(COUNTED, COUNTED_IN_ALL // len(gaps)))
        for index, first in gaps:
            name = self._names[index]
            found = Found(
                task_name=name,
                cause=cause,
                first=first,
                until=until,
                seen_at=seen_at,
                limit=limit,
                catch_up=self._catch_up.get(name, 0),
            )
            self._gaps.append((index, count(found, self._schedules[name])))

    def _done_until(self, at: datetime) -> datetime | None:
        """For a tick that was handed out before the clock went back: the end of what was."""
        return next((until for since, until in self._done if since <= at <= until), None)

    def _plan_anew(self, now: datetime) -> None:
        """The clock was ahead: forget what it made us believe, except which ticks were handed out."""
        self._heap.clear()
        self._unplanned.clear()
        self._gaps.clear()
        self._seen = self._horizon = now
        self._leapt = self._behind = None
        self._begin({}, now)

    def _plan_all(self) -> None:
        while self._unplanned:
            index, after = self._unplanned.popleft()
            self._plan(index, after)

    def _plan(self, index: int, after: datetime) -> None:
        tick = next_tick(self._schedules[self._names[index]], after)
        if tick is not None:
            heappush(self._heap, (tick, index))

    def _counted(self) -> Due:
        """Go on counting the gaps for one slice: those that are done with it."""
        if not self._gaps:
            return _NOTHING
        gaps: list[Gap] = []
        steps = SLICE
        while self._gaps and steps > 0:
            try:
                steps -= next(self._gaps[0][1])
            except StopIteration as counted:
                gaps.append(counted.value)
                self._gaps.popleft()
                steps -= 1
        return Due(gaps=gaps)


def _believable(instant: datetime | None, now: datetime) -> datetime | None:
    return instant if instant is not None and instant - now <= WRONG_CLOCK else None
