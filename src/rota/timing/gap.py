"""The ticks of a gap: counted in slices, up to a bound, and the last of them found; no clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNTED = 1_000  #: a gap is counted exactly up to here; beyond, its run says "more than"
COUNTED_IN_ALL = 100_000  #: what all tasks of one jump may count together
COUNTED_LEAST = 20  #: what each of them may count all the same
SLICE = 250  #: steps of counting in one look: a few milliseconds

_MICROSECOND = timedelta(microseconds=1)
_SEARCH = 20  #: what finding the last tick of a gap costs, in steps of counting, about


class Ticking(Protocol):
    """What has ticks: a `Schedule`."""

    def next_after(self, instant: datetime, /) -> datetime | None:
        """The first tick later than the instant; None when there is none."""


def next_tick(schedules: Sequence[Ticking], after: datetime) -> datetime | None:
    """The first tick of any of a task's schedules; one that several of them share is one tick."""
    ticks = [tick for schedule in schedules if (tick := schedule.next_after(after)) is not None]
    return min(ticks, default=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """The ticks of one task that passed while nothing could run them."""

    task_name: str
    count: int
    exact: bool = True  #: False: there were more than `count`
    first: datetime
    newest: datetime


@dataclass(slots=True)
class Owed:
    """A gap that is being counted: its ticks from `first` to before `until`."""

    task_name: str
    first: datetime
    newest: datetime
    until: datetime
    limit: int
    count: int = 1


def count_on(owed: Owed, schedules: Sequence[Ticking], steps: int) -> tuple[Gap | None, int]:
    """Count on for so many steps: the gap once it is done, and the steps taken."""
    for taken in range(1, steps + 1):
        if owed.count >= owed.limit:
            newest = _newest_before(owed.until, schedules, owed.newest)
            return _gap(owed, newest, exact=newest == owed.newest), taken + _SEARCH
        tick = next_tick(schedules, owed.newest)
        if tick is None or tick >= owed.until:
            return _gap(owed, owed.newest, exact=True), taken
        owed.newest = tick
        owed.count += 1
    return None, steps


def _gap(owed: Owed, newest: datetime, *, exact: bool) -> Gap:
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
