"""A schedule: when a task is due. Cron expressions in a zone, or every so often from the Unix epoch on.

The daylight rule is Debian cron's. A schedule whose second, minute and hour all begin with something
other than `*` means times of day, and each of them comes once on both nights: as soon as the gap of spring is
over, and in the first of the two passes of autumn. Every other schedule means intervals: it comes
whenever the clock on the wall shows such a time, in both passes, and not in the gap.

cronsim knows the calendar: which days there are. The clock is ours, because cronsim steps by whole hours and
loses ticks where a zone's clock is changed by half of one, because its fixed times fall behind the second
pass, and because it goes through minutes and hours one by one.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cronsim import CronSim, CronSimError
from cronsim.cronsim import Field
from cronsim.explain import explain

from rota.timing.duration import format_duration, parse_duration
from rota.timing.expression import never_comes, six_fields, why_refused
from rota.timing.unreadable import Unreadable
from rota.timing.zone import find_zone, span_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ANCHOR = datetime(2000, 1, 1)  # noqa: DTZ001  # a wall clock has no zone
_LAST_YEAR = 9000  #: the calendar of Python ends at 9999; no tick is sought so late


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule(ABC):
    """When a task is due, as an endless row of ticks: aware UTC moments on whole seconds."""

    text: str  #: as it was written
    zone: ZoneInfo

    @abstractmethod
    def next_after(self, instant: datetime) -> datetime | None:
        """The first tick strictly after this aware moment; None when there is none any more."""

    @abstractmethod
    def explain(self) -> str:
        """The schedule as a phrase for people, such as `At 02:30 every day, Europe/Paris time`."""


def parse_schedule(expression: str, zone: str) -> Schedule:
    """The schedule that this text means in this zone; Unreadable says what is wrong and what is allowed."""
    text = expression.strip()
    found = find_zone(zone)
    if text.lower().split()[:1] == ["@every"]:
        return Interval(text=text, zone=found, period=_period(text))
    fields = six_fields(text)
    fixed = not any(part.startswith("*") for part in fields[:3])
    wall = _calendar(tuple(fields))
    return CronSchedule(text=text, zone=found, wall=wall, times=_times(*fields[:3]), fixed=fixed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval(Schedule):
    """`@every 90s`: the multiples of a period since the Unix epoch, whatever clocks on walls do."""

    period: timedelta

    def next_after(self, instant: datetime) -> datetime | None:
        try:
            return _EPOCH + ((instant - _EPOCH) // self.period + 1) * self.period
        except OverflowError:
            return None

    def explain(self) -> str:
        return f"Every {format_duration(self.period)}, counted from 1970-01-01 00:00 UTC"


@dataclass(frozen=True, kw_only=True, slots=True)
class CronSchedule(Schedule):
    """A cron expression in a zone."""

    wall: CronSim = field(repr=False, compare=False)
    times: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]  #: hours, minutes, seconds, each in order
    fixed: bool  #: it means times of day, rather than an interval

    def next_after(self, instant: datetime) -> datetime | None:
        after = instant.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        if after.year > _LAST_YEAR:
            return None
        span = span_at(self.zone, after)
        wall = after + span.offset
        if self.fixed:  # in the second pass of an autumn, what it repeats has come already
            wall = max(wall, span.starts + span.offset_before - _SECOND)
        due = self._next_wall(wall)
        while due is not None and due.year <= _LAST_YEAR:
            if due - span.offset < span.ends:
                return (due - span.offset).replace(tzinfo=UTC)
            # The clock is changed before the wall shows this time.
            following = span_at(self.zone, span.ends)
            opens = following.starts + following.offset
            if self.fixed and due < opens:
                return following.starts.replace(tzinfo=UTC)
            if not self.fixed and (due < opens or following.offset < span.offset):
                due = self._next_wall(opens - _SECOND)
            span = following
        return None

    def explain(self) -> str:
        sentence = _proper_ordinals(explain(" ".join(self.wall.parts)))
        return f"{sentence}, {self.zone.key} time" if self.zone.key != "UTC" else f"{sentence}, UTC"

    def _next_wall(self, wall: datetime) -> datetime | None:
        """The first match of the calendar after this time on the wall."""
        days = self.wall.parts[3:]
        hours, minutes, seconds = self.times
        day = _day_from(*days, wall.date())
        if day == wall.date():
            at = self._time_after(wall)
            if at is not None:
                return datetime.combine(day, at)
            day = _day_from(*days, day + _DAY)
        return None if day is None else datetime.combine(day, time(hours[0], minutes[0], seconds[0]))

    def _time_after(self, wall: datetime) -> time | None:
        """The first time of the same day after this one."""
        hours, minutes, seconds = self.times
        for hour in hours[bisect_left(hours, wall.hour) :]:
            if hour > wall.hour:
                return time(hour, minutes[0], seconds[0])
            for minute in minutes[bisect_left(minutes, wall.minute) :]:
                if minute > wall.minute:
                    return time(hour, minute, seconds[0])
                later = bisect_right(seconds, wall.second)
                if later < len(seconds):
                    return time(hour, minute, seconds[later])
        return None


@lru_cache(maxsize=16_384)  # a file is checked first, and its schedules are made a moment later
def _calendar(fields: tuple[str, ...]) -> CronSim:
    try:
        calendar = CronSim(" ".join(fields), _ANCHOR)
    except CronSimError:
        raise why_refused(fields) from None
    if not _comes(*fields[3:]):
        raise never_comes("no day in fifty years fits its day, month and weekday")
    # Ten thousand schedules would hold eight kilobytes of sets each.
    calendar.seconds, calendar.minutes, calendar.hours, calendar.days, calendar.months, calendar.weekdays = (
        values_of(text) for values_of, text in zip(_VALUES, fields, strict=True)
    )
    return calendar


#: What is meant by the text of each field, in their order.
_VALUES: tuple[Callable[[str], Any], ...] = tuple(
    lru_cache(maxsize=4096)(which.parse)
    for which in (Field.SECOND, Field.MINUTE, Field.HOUR, Field.DAY, Field.MONTH, Field.DOW)
)


@lru_cache(maxsize=4096)
def _times(*fields: str) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Hours, minutes and seconds, each in order, of the fields that come first."""
    seconds, minutes, hours = (
        tuple(sorted(values_of(text))) for values_of, text in zip(_VALUES, fields, strict=False)
    )
    return hours, minutes, seconds


@lru_cache(maxsize=4096)
def _comes(day: str, month: str, weekday: str) -> bool:
    return next(CronSim(f"0 0 0 {day} {month} {weekday}", _ANCHOR), None) is not None


@lru_cache(maxsize=4096)
def _day_from(day: str, month: str, weekday: str, first: date) -> date | None:
    """The first day from this one on that fits. Many schedules share it, and cronsim goes from day to day."""
    calendar = copy(_calendar(("59", "59", "23", day, month, weekday)))
    calendar.dt = datetime.combine(first, time.min)
    found = next(calendar, None)
    return None if found is None else found.date()


def _period(text: str) -> timedelta:
    period = parse_duration(" ".join(text.split()[1:]))
    if period < _SECOND or period % _SECOND:
        raise Unreadable(f'the period of "{text}" is not whole seconds', "@every 1s or longer")
    return period


def _proper_ordinals(sentence: str) -> str:
    # cronsim says 21th, 22th, 23th and 31th.
    endings = {"1": "st", "2": "nd", "3": "rd"}
    return re.sub(r"\b([23])([123])th\b", lambda match: match[1] + match[2] + endings[match[2]], sentence)
