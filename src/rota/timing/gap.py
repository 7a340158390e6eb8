"""The ticks of a gap: counted in slices, up to a bound, and which of them are to be run; no clock, no I/O."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

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


class GapCause(StrEnum):
    """Why ticks went by."""

    DOWN = "down"  #: Rota was not running
    ASLEEP = "asleep"  #: the machine was suspended, or Rota's process was
    CLOCK = "clock"  #: no time went by: the clock was set ahead
    STORE = "store"  #: the database could not be written, and nothing starts that is not written down


#: The gaps after which ticks are run: those in which time went by, and nobody was there to see it.
OWING = frozenset({GapCause.DOWN, GapCause.ASLEEP})


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """The ticks of one task that passed while nothing could run them."""

    task_name: str
    count: int
    exact: bool = True  #: False: there were more than `count`
    first: datetime
    newest: datetime
    cause: GapCause = GapCause.DOWN
    owed: tuple[datetime, ...] = ()  #: those of its ticks that are to be run after all, the newest


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A gap that is yet to be counted."""

    task_name: str
    cause: GapCause
    first: datetime
    until: datetime  #: what comes from here on was found in time to be run
    seen_at: datetime  #: when it was found
    limit: int  #: how far to count
    catch_up: int  #: how many of the ticks up to `seen_at` are to be run


def count(found: Found, schedules: Sequence[Ticking]) -> Generator[int, None, Gap]:
    """Count a gap, and say which of its ticks are owed; yields after some steps, of which it says how many.

    A tick that was found in time runs anyway. Such ticks are the newest of all that went by, so they come
    first in what `catch_up` allows: a task that has to run once after a gap does not run twice.
    """
    owing = found.catch_up if found.cause in OWING else 0
    tick = next_tick(schedules, found.until - _MICROSECOND)
    while owing and tick is not None and tick <= found.seen_at:
        owing -= 1
        yield 1
        tick = next_tick(schedules, tick)
    owed = deque([found.first], maxlen=owing)
    number, newest, exact = 1, found.first, True
    while (tick := next_tick(schedules, newest)) is not None and tick < found.until:
        yield 1
        if number == found.limit:
            exact = False
            break
        number, newest = number + 1, tick
        owed.append(tick)
    if not exact:
        known, newest = newest, _newest_before(found.until, schedules, newest)
        yield _SEARCH
        back = [newest]
        while len(back) < owing and back[-1] > known:
            back.append(_newest_before(back[-1], schedules, known))
            yield _SEARCH
        if back[-1] == known:  # which stands among those that were counted
            back.pop()
            owed.extend(reversed(back))
        else:
            owed = deque(reversed(back), maxlen=owing)
    return Gap(
        task_name=found.task_name,
        count=number,
        exact=exact,
        first=found.first,
        newest=newest,
        cause=found.cause,
        owed=tuple(owed),
    )


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
