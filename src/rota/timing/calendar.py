"""Calendars: sets of days with a name, such as the days on which an office is closed. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from rota.timing.holiday import is_holiday
from rota.timing.unreadable import Unreadable

DAY = r"(?:[0-9]{4}-)?[0-9]{2}-[0-9]{2}"
DAY_ALLOWED = 'a day such as "2026-12-24", or "12-24" for each year'
RANGE_ALLOWED = 'two days such as "2026-07-20/2026-07-31" or, for each year, "12-24/01-02"'
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")

_LONG = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")

Day = date | tuple[int, int]
"""One day, or with month and day alone the same day of each year."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """A set of days: those that any of its parts names."""

    dates: frozenset[Day] = frozenset()
    ranges: tuple[tuple[Day, Day], ...] = ()  #: first and last, both of the set
    weekdays: frozenset[int] = frozenset()  #: 0 is Monday
    holidays: tuple[str, ...] = ()  #: countries, as `find_holidays` names them

    def __contains__(self, day: date) -> bool:
        return (
            day.weekday() in self.weekdays
            or day in self.dates
            or (day.month, day.day) in self.dates
            or any(_within(day, first, last) for first, last in self.ranges)
            or any(is_holiday(code, day) for code in self.holidays)
        )

    @property
    def text(self) -> str:
        """All that it says, in one line: two calendars of the same text have the same days."""
        dates = ",".join(sorted(_written(day) for day in self.dates))
        ranges = ",".join(sorted(f"{_written(first)}/{_written(last)}" for first, last in self.ranges))
        weekdays = ",".join(WEEKDAYS[number] for number in sorted(self.weekdays))
        return ";".join((dates, ranges, weekdays, ",".join(sorted(self.holidays))))


def parse_day(value: str | date) -> Day:
    """The day that text or a date stands for; Unreadable says what is allowed."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(DAY, value):
        month, day = int(value[-5:-3]), int(value[-2:])
        try:
            # 2024 had every day that a year can have.
            found = date(int(value[:4]) if len(value) > len("12-24") else 2024, month, day)
        except ValueError:
            raise Unreadable(f'there is no day "{value}"', DAY_ALLOWED) from None
        return found if len(value) > len("12-24") else (month, day)
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    raise Unreadable(f"{shown} is not a day", DAY_ALLOWED)


def parse_range(text: str) -> tuple[Day, Day]:
    """The first and the last day of a range; Unreadable says what is allowed."""
    parts = text.split("/")
    if len(parts) != 2:
        raise Unreadable(f'"{text}" is not a range of days', RANGE_ALLOWED)
    first, last = (parse_day(part.strip()) for part in parts)
    if isinstance(first, date) and isinstance(last, date):
        if last < first:
            raise Unreadable(f'"{text}" ends before it begins', RANGE_ALLOWED)
    elif isinstance(first, date) or isinstance(last, date):
        raise Unreadable(f'"{text}" has a year on one side only', RANGE_ALLOWED)
    return first, last


def parse_weekday(text: str) -> int:
    """The number of a weekday, Monday being 0; Unreadable says what is allowed."""
    name = text.strip().upper()
    for names in (WEEKDAYS, _LONG):
        if name in names:
            return names.index(name)
    near = next((short for short in WEEKDAYS if name.startswith(short)), None)
    raise Unreadable(f'"{text}" is not a weekday', ", ".join(WEEKDAYS), near)


def _within(day: date, first: Day, last: Day) -> bool:
    if isinstance(first, date) and isinstance(last, date):
        return first <= day <= last
    of_year = (day.month, day.day)
    if isinstance(first, tuple) and isinstance(last, tuple) and first <= last:
        return first <= of_year <= last
    return of_year >= first or of_year <= last  # type: ignore[operator]  # over the turn of the year


def _written(day: Day) -> str:
    return day.isoformat() if isinstance(day, date) else f"{day[0]:02d}-{day[1]:02d}"
