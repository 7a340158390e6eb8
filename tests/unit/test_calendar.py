"""Calendars, and what they leave of a schedule."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from rota.engine.timetable import Timetable, upcoming
from rota.model.task import Task
from rota.timing.calendar import Calendar, parse_day, parse_range, parse_weekday
from rota.timing.holiday import find_holidays
from rota.timing.unreadable import Unreadable

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
WEEKEND = Calendar(weekdays=frozenset({5, 6}))


def ticks(cron: str, count: int, after: datetime = NOON, zone: str = "UTC", **bounds: object) -> list[str]:
    task = Task(name="job", run="true", cron=(cron,), timezone=zone, **bounds)  # type: ignore[arg-type]
    calendars = {
        "weekend": WEEKEND,
        "first": Calendar(dates=frozenset({date(2026, 3, 4), (12, 24)})),
        "closed": Calendar(ranges=((date(2026, 3, 3), date(2026, 3, 10)), ((12, 24), (1, 2)))),
        "never": Calendar(weekdays=frozenset(range(7))),
        "bavaria": Calendar(holidays=("DE-BY",)),
    }
    schedules = Timetable("UTC", calendars).schedules_of(task)
    found = islice(upcoming(schedules, after), count)
    return [f"{tick.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M}" for tick in found]


@pytest.mark.parametrize(
    ("calendar", "day", "has"),
    [
        (Calendar(dates=frozenset({date(2026, 12, 24)})), date(2026, 12, 24), True),
        (Calendar(dates=frozenset({date(2026, 12, 24)})), date(2027, 12, 24), False),
        (Calendar(dates=frozenset({(12, 24)})), date(2027, 12, 24), True),
        (Calendar(ranges=((date(2026, 1, 1), date(2026, 1, 3)),)), date(2026, 1, 3), True),
        (Calendar(ranges=((date(2026, 1, 1), date(2026, 1, 3)),)), date(2026, 1, 4), False),
        (Calendar(ranges=(((12, 24), (1, 2)),)), date(2030, 1, 2), True),
        (Calendar(ranges=(((12, 24), (1, 2)),)), date(2030, 12, 24), True),
        (Calendar(ranges=(((12, 24), (1, 2)),)), date(2030, 1, 3), False),
        (Calendar(ranges=(((7, 1), (7, 31)),)), date(2030, 7, 31), True),
        (Calendar(ranges=(((7, 1), (7, 31)),)), date(2030, 8, 1), False),
        (Calendar(weekdays=frozenset({0})), date(2026, 3, 2), True),
        (Calendar(holidays=("DE",)), date(2026, 10, 3), True),
        (Calendar(holidays=("DE",)), date(2026, 1, 6), False),
        (Calendar(holidays=("DE-BY",)), date(2026, 1, 6), True),
        (Calendar(), date(2026, 3, 2), False),
    ],
)
def test_a_calendar_has_the_days_that_any_of_its_parts_names(
    calendar: Calendar, day: date, has: bool
) -> None:
    assert (day in calendar) is has


def test_days_are_read_as_people_write_them() -> None:
    assert parse_day("2026-12-24") == date(2026, 12, 24)
    assert parse_day(date(2026, 12, 24)) == date(2026, 12, 24)
    assert parse_day("02-29") == (2, 29)
    assert parse_range("2026-07-20/2026-07-31") == (date(2026, 7, 20), date(2026, 7, 31))
    assert parse_range("12-24 / 01-02") == ((12, 24), (1, 2))
    assert [parse_weekday(name) for name in ("MON", "sunday", " Sat ")] == [0, 6, 5]


@pytest.mark.parametrize("text", ["2026-02-29", "13-01", "24.12.2026", "2026-12", ""])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_day(text)


@pytest.mark.parametrize("text", ["2026-07-31/2026-07-20", "2026-07-20/07-31", "2026-07-20", "a/b"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_range(text)


def test_a_country_is_found_by_its_code_and_guessed_by_its_name() -> None:
    assert (find_holidays("de"), find_holidays("DE-by"), find_holidays("us-ca")) == ("DE", "DE-BY", "US-CA")

    for wrong, nearest in (("Germany", "DE"), ("DE-Augsberg", "DE-Augsburg"), ("XX", None)):
        with pytest.raises(Unreadable) as told:
            find_holidays(wrong)
        assert told.value.nearest == nearest


def test_a_tick_on_an_excepted_day_is_none() -> None:
    assert ticks("0 8 * * *", 5, except_=("weekend",)) == [
        "Tue 2026-03-03 08:00",
        "Wed 2026-03-04 08:00",
        "Thu 2026-03-05 08:00",
        "Fri 2026-03-06 08:00",
        "Mon 2026-03-09 08:00",
    ]


def test_only_and_except_have_both_to_allow_a_day() -> None:
    assert ticks("0 8 * * *", 2, only=("first", "weekend"), except_=("closed",)) == [
        "Sat 2026-03-14 08:00",
        "Sun 2026-03-15 08:00",
    ]


def test_days_are_those_of_the_task_and_not_of_utc() -> None:
    # Sunday 22:00 in UTC is Monday in Tokyo.
    assert ticks("30 7 * * *", 6, zone="Asia/Tokyo", except_=("weekend",))[-2:] == [
        "Mon 2026-03-09 07:30",
        "Tue 2026-03-10 07:30",
    ]


def test_a_day_that_begins_later_because_clocks_are_changed_has_its_ticks() -> None:
    # In Cairo the clock goes from 24:00 of the 23rd to 01:00 of the 24th.
    after = datetime(2026, 4, 22, 12, tzinfo=UTC)

    task = Task(name="job", run="true", cron=("@every 30m",), timezone="Africa/Cairo", only=("day",))
    calendars = {"day": Calendar(dates=frozenset({date(2026, 4, 24)}))}
    rows = list(upcoming(Timetable("UTC", calendars).schedules_of(task), after))
    assert rows[0] == datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert len(rows) == 46


def test_bounds_are_days_and_moments_by_the_clocks_of_the_task() -> None:
    zone = "Europe/Paris"

    assert ticks("0 0 * * *", 9, zone=zone, not_before=date(2026, 4, 1), not_after=date(2026, 4, 2)) == [
        "Wed 2026-04-01 00:00",
        "Thu 2026-04-02 00:00",
    ]
    six, seven = (datetime.fromisoformat(f"2026-04-01T0{hour}:00") for hour in (6, 7))
    assert ticks("0 * * * *", 9, zone=zone, not_before=six, not_after=seven) == [
        "Wed 2026-04-01 06:00",
        "Wed 2026-04-01 07:00",
    ]
    assert ticks("0 * * * *", 1, zone=zone, not_before=datetime(2026, 4, 1, 6, tzinfo=UTC)) == [
        "Wed 2026-04-01 08:00"
    ]


def test_a_schedule_whose_calendars_leave_nothing_ends_the_search_soon() -> None:
    assert ticks("* * * * *", 1, except_=("never",)) == []
    assert ticks("0 8 * * MON", 1, only=("weekend",)) == []


def test_a_changed_calendar_changes_the_schedule_and_its_other_words_do_not() -> None:
    task = Task(name="job", run="true", cron=("@daily",), except_=("off",))

    def fingerprint(calendar: Calendar, task: Task = task) -> str:
        return Timetable("UTC", {"off": calendar}).fingerprint(task)

    both = fingerprint(Calendar(dates=frozenset({(12, 24), date(2026, 1, 1)})))
    assert both == fingerprint(Calendar(dates=frozenset({date(2026, 1, 1), (12, 24)})))
    assert both != fingerprint(Calendar(dates=frozenset({(12, 24)})))
    assert fingerprint(WEEKEND) != fingerprint(WEEKEND, Task(name="job", run="true", cron=("@daily",)))


def test_the_holidays_library_is_imported_only_when_a_calendar_names_a_country() -> None:
    task = '[tasks.a]\\nrun = "true"\\ncron = "@daily"\\nexcept = "c"\\n'
    script = f"""
import sys, tempfile, pathlib
from rota.config.load import load
file = pathlib.Path(tempfile.mkdtemp()) / "rota.toml"
for calendar in ('weekdays = ["SAT"]', 'holidays = "DE"'):
    file.write_text('[calendars.c]\\n' + calendar + '\\n{task}')
    load(file, {{}})
    print('holidays' in sys.modules)
"""

    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert told.stdout.split() == ["False", "True"]
