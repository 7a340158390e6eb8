"""A schedule within bounds: only on some days, not before one moment and not after another. Pure.

A tick outside of them is none: it is never due, owes nothing, and no list of ticks names it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from rota.timing.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from rota.timing.calendar import Calendar

_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)
_LOOKED_AHEAD = 50 * 366  #: days without one that is allowed, after which none is expected
_LEAPS = 1_000  #: over days that are not allowed, in search of one tick; a schedule may meet none that is


class Days:
    """The days that calendars leave: those in one of `only`, if there are any, and in none of `but`."""

    def __init__(self, *, only: Sequence[Calendar], but: Sequence[Calendar]) -> None:
        self._only = only
        self._but = but
        self._next: dict[date, date | None] = {}  # for days that were asked for

    def first_from(self, day: date) -> date | None:
        """This day if it is allowed, or the next that is; None when there is none in sight."""
        if day in self._next:
            return self._next[day]
        found: date | None = day
        for ahead in range(_LOOKED_AHEAD):
            found = day + ahead * _DAY
            if self._allows(found):
                break
        else:
            found = None
        if len(self._next) > _LOOKED_AHEAD:
            self._next.clear()
        self._next[day] = found
        return found

    def _allows(self, day: date) -> bool:
        if self._only and not any(day in calendar for calendar in self._only):
            return False
        return not any(day in calendar for calendar in self._but)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounded(Schedule):
    """Those ticks of a schedule that are within its bounds; days are those of its zone."""

    within: Schedule
    days: Days | None = field(default=None, compare=False)
    not_before: datetime | None = None  #: the first moment that is allowed
    not_after: datetime | None = None  #: the last

    def next_after(self, instant: datetime) -> datetime | None:
        if self.not_before is not None and instant < self.not_before:
            instant = self.not_before - _MICROSECOND
        for _ in range(_LEAPS):
            tick = self.within.next_after(instant)
            if tick is None or (self.not_after is not None and tick > self.not_after):
                return None
            if self.days is None:
                return tick
            day = tick.astimezone(self.zone).date()
            allowed = self.days.first_from(day)
            if allowed is None:
                return None
            if allowed == day:
                return tick
            instant = max(tick, first_moment(allowed, self.zone) - _MICROSECOND)
        return None

    def explain(self) -> str:
        return self.within.explain()


def first_moment(day: date, zone: ZoneInfo) -> datetime:
    """When this day begins by the clocks of the zone, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def first_allowed(bound: date, zone: ZoneInfo) -> datetime:
    """The moment that `not_before` means: a day from its beginning on; without a zone it is on the wall."""
    if isinstance(bound, datetime):
        return (bound if bound.tzinfo is not None else bound.replace(tzinfo=zone)).astimezone(UTC)
    return first_moment(bound, zone)


def last_allowed(bound: date, zone: ZoneInfo) -> datetime:
    """The moment that `not_after` means: a day to its end."""
    if isinstance(bound, datetime):
        return first_allowed(bound, zone)
    return first_moment(bound + _DAY, zone) - _MICROSECOND
