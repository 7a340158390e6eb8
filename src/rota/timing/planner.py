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
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LATE = timedelta(seconds=60)
"""A tick that is found this late or less still runs; an older one is missed."""

WRONG_CLOCK = timedelta(hours=3)
"""A horizon further ahead than this was written by a wrong clock and is given up, as Debian's cron does."""

COUNTED = 1_000  #: a gap is counted exactly up to here; beyond, its run says "more than"
COUNTED_IN_ALL = (
    100_000  #: shared by all tasks of one gap, each of which may count to at least `COUNTED_LEAST`
)
COUNTED_LEAST = 20
SLICE = 250  #: steps of counting in one look: a few milliseconds

_MICROSECOND = timedelta(microseconds=1)


class Ticking(Protocol):
    """What has ticks: a `Schedule`."""

    def next_after(self, instant: datetime, /) -> datetime | None:
        """The first tick later than the instant; None when there is none."""


def next_tick(schedules: Sequence[Ticking], after: datetime) -> datetime | None:
    """The first tick of any of a task's schedules; one that several of them share is one tick."""
    ticks = [tick for schedule in schedules if (tick := schedule.next_after(after)) is not None]
    return min(ticks, default=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """One instant at which a task is due."""

    task_name: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """The ticks of one task that passed while nothing could run them."""

    task_name: str
    count: int
    exact: bool = True  #: False: there were more than `count`
    first: datetime
    newest: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """What one look found."""

    ticks: Sequence[Tick] = ()
    gaps: Sequence[Gap] = ()


_NOTHING = Due()


@dataclass(slots=True)
class _Owed:
    """A gap that is being counted: its ticks from `first` to before `until`."""

    task_name: str
    first: datetime
    newest: datetime
    until: datetime
    limit: int
    count: int = 1


class Planner:
    """The ticks of all tasks from the horizon on: each is handed out once, as due or as part of a gap.

    `horizon` is the instant up to which all ticks were decided by an earlier server, None on the first start;
    `since` says from when on each task has had its schedule: a new or changed one owes nothing before that.
    """

    def __init__(
        self,
        schedules: Mapping[str, Sequence[Ticking]],
        since: Mapping[str, datetime],
        *,
        horizon: datetime | None,
        now: datetime,
    ) -> None:
        self._schedules = schedules
        self._names = list(schedules)
        self._heap: list[tuple[datetime, int]] = []
        self._unplanned: deque[tuple[int, datetime]] = deque()
        self._owed: deque[_Owed] = deque()
        decided = min(since.values(), default=now) if horizon is None else _believable(horizon, now) or now
        self._seen = self._horizon = decided
        self._begin({name: max(decided, _believable(at, now) or now) for name, at in since.items()}, now)

    @property
    def horizon(self) -> datetime:
        """All ticks up to here have been handed out; as of the last call of `next_at`."""
        return self._horizon

    def due(self, now: datetime) -> Due:
        """What is due by now, at most one tick of each task; `next_at` says when to look again.

        A jump of the clock ahead makes gaps of what is older than `LATE`. A jump back makes nothing due
        again, until the clock has come to where it was, or is found to have been wrong.
        """
        if now < self._seen:
            if _believable(self._seen, now) is None:
                self._give_up(now)
            return self._counted()
        self._seen = now
        heap = self._heap
        if not heap or heap[0][0] > now:
            return self._counted()

        oldest = now - LATE
        ticks: list[Tick] = []
        gaps: list[tuple[int, datetime]] = []
        while heap and heap[0][0] <= now:
            at, index = heappop(heap)
            if at < oldest:
                gaps.append((index, at))
                self._unplanned.append((index, oldest - _MICROSECOND))
            else:
                ticks.append(Tick(task_name=self._names[index], at=at))
                self._unplanned.append((index, at))
        limit = max(COUNTED_LEAST, min(COUNTED, COUNTED_IN_ALL // max(1, len(gaps))))
        self._owed.extend(_Owed(self._names[index], at, at, oldest, limit) for index, at in gaps)
        return Due(ticks=ticks)  # the gaps are counted in later looks: what is due does not wait for that

    def next_at(self) -> datetime | None:
        """When to look again (it may be over already); None when nothing will ever be due.

        Computes the following tick of each task that was handed one since, and moves the horizon.
        """
        while self._unplanned:
            index, after = self._unplanned.popleft()
            self._plan(index, after)
        if self._owed:
            return self._seen
        if self._heap and self._heap[0][0] <= self._seen:
            return self._heap[0][0]
        self._horizon = self._seen
        return self._heap[0][0] if self._heap else None

    def _begin(self, after: Mapping[str, datetime], now: datetime) -> None:
        for index, name in enumerate(self._names):
            tick = next_tick(self._schedules[name], after.get(name, now))
            if tick is not None:
                self._heap.append((tick, index))
        heapify(self._heap)

    def _give_up(self, now: datetime) -> None:
        """The clock was far ahead: forget what it made us believe, and plan from now."""
        self._heap.clear()
        self._unplanned.clear()
        self._owed.clear()
        self._seen = self._horizon = now
        self._begin({}, now)

    def _plan(self, index: int, after: datetime) -> None:
        tick = next_tick(self._schedules[self._names[index]], after)
        if tick is not None:
            heappush(self._heap, (tick, index))

    def _counted(self) -> Due:
        """Go on counting the gaps for one slice: those that are done with it."""
        if not self._owed:
            return _NOTHING
        gaps: list[Gap] = []
        steps = SLICE
        while self._owed and steps > 0:
            owed = self._owed[0]
            gap, taken = _count(owed, self._schedules[owed.task_name], steps)
            steps -= taken
            if gap is not None:
                gaps.append(gap)
                self._owed.popleft()
        return Due(gaps=gaps)


def _believable(instant: datetime | None, now: datetime) -> datetime | None:
    return instant if instant is not None and instant - now <= WRONG_CLOCK else None


def _count(owed: _Owed, schedules: Sequence[Ticking], steps: int) -> tuple[Gap | None, int]:
    """Count on for so many steps: the gap once it is done, and the steps taken."""
    for taken in range(1, steps + 1):
        if owed.count >= owed.limit:
            newest = _newest_before(owed.until, schedules, owed.newest)
            return _gap(owed, newest, exact=newest == owed.newest), taken + 20  # what the search costs, about
        tick = next_tick(schedules, owed.newest)
        if tick is None or tick >= owed.until:
            return _gap(owed, owed.newest, exact=True), taken
        owed.newest = tick
        owed.count += 1
    return None, steps


def _gap(owed: _Owed, newest: datetime, *, exact: bool) -> Gap:
    return Gap(task_name=owed.task_name, count=owed.count, exact=exact, first=owed.first, newest=newest)


def _newest_before(until: datetime, schedules: Sequence[Ticking], known: datetime) -> datetime:
    """The last tick before an instant, given an earlier one; by bisection: schedules only look ahead."""
    empty = until - _MICROSECOND  # no tick lies between this and `until`
    window = timedelta(seconds=1)
    while until - window > known:  # most gaps end in ticks that are close together
        tick = next_tick(schedules, until - window)
        if tick is not None and tick < until:
            known = tick
            break
        empty = until - window
        window *= 2
    while True:
        tick = next_tick(schedules, known)
        if tick is None or tick >= until:
            return known
        known = tick
        middle = known + (empty - known) / 2
        tick = next_tick(schedules, middle) if middle > known else None
        if tick is not None and tick < until:
            known = tick
        elif middle > known:
            empty = middle
