"""The nights on which clocks are changed: every tick of three zones, written out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rota.timing.schedule import parse_schedule

# (zone, UTC window) of each night; the local meaning of each tick stands beside the expectations.
PARIS_SPRING = (
    "Europe/Paris",
    "2026-03-29T00:00",
    "2026-03-29T03:00",
)  # 01:00+01 … 05:00+02; 02:00 → 03:00 at 01:00Z
PARIS_AUTUMN = (
    "Europe/Paris",
    "2026-10-24T23:00",
    "2026-10-25T03:00",
)  # 01:00+02 … 04:00+01; 03:00 → 02:00 at 01:00Z
YORK_SPRING = (
    "America/New_York",
    "2026-03-08T06:00",
    "2026-03-08T09:00",
)  # 01:00-05 … 05:00-04; 02:00 → 03:00 at 07:00Z
YORK_AUTUMN = (
    "America/New_York",
    "2026-11-01T04:00",
    "2026-11-01T08:00",
)  # 00:00-04 … 03:00-05; 02:00 → 01:00 at 06:00Z
LORD_HOWE_SPRING = (
    "Australia/Lord_Howe",
    "2026-10-03T14:30",
    "2026-10-03T17:00",
)  # 01:00+10:30 … 04:00+11; 02:00 → 02:30 at 15:30Z
LORD_HOWE_AUTUMN = (
    "Australia/Lord_Howe",
    "2026-04-04T14:00",
    "2026-04-04T16:30",
)  # 01:00+11 … 03:00+10:30; 02:00 → 01:30 at 15:00Z

TABLE = [
    # A fixed time inside the gap comes once, as soon as the gap is over.
    (PARIS_SPRING, "30 2 * * *", ["01:00"]),
    (YORK_SPRING, "30 2 * * *", ["07:00"]),
    (LORD_HOWE_SPRING, "15 2 * * *", ["15:30"]),
    (PARIS_SPRING, "0 30 2 * * *", ["01:00"]),
    (PARIS_SPRING, "10,50 2,3 * * *", ["01:00", "01:10", "01:50"]),
    # A fixed time inside the fold comes once, in the first pass.
    (PARIS_AUTUMN, "30 2 * * *", ["00:30"]),
    (YORK_AUTUMN, "30 1 * * *", ["05:30"]),
    (LORD_HOWE_AUTUMN, "45 1 * * *", ["14:45"]),
    (PARIS_AUTUMN, "15 30 2 * * *", ["00:30:15"]),
    # Every half hour: each real one, none that is not.
    (PARIS_SPRING, "*/30 * * * *", ["00:30", "01:00", "01:30", "02:00", "02:30", "03:00"]),
    (PARIS_AUTUMN, "*/30 * * * *", ["23:30", "00:00", "00:30", "01:00", "01:30", "02:00", "02:30", "03:00"]),
    (YORK_SPRING, "*/30 * * * *", ["06:30", "07:00", "07:30", "08:00", "08:30", "09:00"]),
    (YORK_AUTUMN, "*/30 * * * *", ["04:30", "05:00", "05:30", "06:00", "06:30", "07:00", "07:30", "08:00"]),
    (LORD_HOWE_SPRING, "*/30 * * * *", ["15:00", "15:30", "16:00", "16:30", "17:00"]),
    (LORD_HOWE_AUTUMN, "*/30 * * * *", ["14:30", "15:00", "15:30", "16:00", "16:30"]),
    # Every hour at a quarter past: each time that the clock shows it.
    (PARIS_SPRING, "15 * * * *", ["00:15", "01:15", "02:15"]),
    (PARIS_AUTUMN, "15 * * * *", ["23:15", "00:15", "01:15", "02:15"]),
    (YORK_SPRING, "15 * * * *", ["06:15", "07:15", "08:15"]),
    (YORK_AUTUMN, "15 * * * *", ["04:15", "05:15", "06:15", "07:15"]),
    (LORD_HOWE_SPRING, "15 * * * *", ["14:45", "16:15"]),  # 02:15 was not
    (LORD_HOWE_SPRING, "45 * * * *", ["15:15", "15:45", "16:45"]),  # 01:45, and 02:45 half an hour later
    (LORD_HOWE_AUTUMN, "15 * * * *", ["14:15", "15:45"]),
    (LORD_HOWE_AUTUMN, "45 * * * *", ["14:45", "15:15", "16:15"]),  # 01:45 twice
    # An hour without the minute fixed is an interval inside it: none in the gap, both passes of the fold.
    (PARIS_SPRING, "*/30 2 * * *", []),
    (PARIS_AUTUMN, "*/30 2 * * *", ["00:00", "00:30", "01:00", "01:30"]),
    (LORD_HOWE_SPRING, "*/15 2 * * *", ["15:30", "15:45"]),
    (LORD_HOWE_AUTUMN, "*/15 2 * * *", ["15:30", "15:45", "16:00", "16:15"]),
    # Daily, outside of the change: once.
    (PARIS_SPRING, "0 4 * * *", ["02:00"]),
    (PARIS_AUTUMN, "0 3 * * *", ["02:00"]),
    (YORK_SPRING, "30 1 * * *", ["06:30"]),
    (YORK_SPRING, "0 3 * * *", ["07:00"]),
    (YORK_AUTUMN, "0 2 * * *", ["07:00"]),
    (LORD_HOWE_SPRING, "30 3 * * *", ["16:30"]),
    (LORD_HOWE_AUTUMN, "0 2 * * *", ["15:30"]),
    # Counted from the epoch: no clock on any wall matters.
    (PARIS_AUTUMN, "@every 1h", ["00:00", "01:00", "02:00", "03:00"]),
    (LORD_HOWE_SPRING, "@every 1h", ["15:00", "16:00", "17:00"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("night", "expression", "expected"),
    TABLE,
    ids=[f"{night[0]} {night[1][:10]} {text}" for night, text, _ in TABLE],
)
def test_the_ticks_of_the_night_are(
    night: tuple[str, str, str], expression: str, expected: list[str]
) -> None:
    zone, opens, closes = night
    schedule = parse_schedule(expression, zone)
    instant, last = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (opens, closes))

    found = []
    while (instant := schedule.next_after(instant)) <= last:
        found.append(instant)

    assert [tick.strftime("%H:%M:%S").removesuffix(":00") for tick in found] == expected


def test_a_fixed_time_of_the_fold_is_over_when_the_second_pass_is_asked() -> None:
    schedule = parse_schedule("50 2 * * *", "Europe/Paris")
    second_pass = datetime(2026, 10, 25, 1, 45, tzinfo=UTC)  # 02:45 for the second time

    assert schedule.next_after(second_pass) == datetime(2026, 10, 26, 1, 50, tzinfo=UTC)


def test_an_interval_of_the_fold_alone_comes_again_in_the_second_pass_rather_than_next_year() -> None:
    schedule = parse_schedule("* 2 25 10 *", "Europe/Paris")
    last_minute_of_the_first_pass = datetime(2026, 10, 25, 0, 59, tzinfo=UTC)

    assert schedule.next_after(last_minute_of_the_first_pass) == last_minute_of_the_first_pass + timedelta(
        minutes=1
    )


def test_a_gap_at_midnight_is_no_midnight() -> None:
    # Cairo goes from 23:59 to 01:00.
    before = datetime(2026, 4, 23, 21, 59, tzinfo=UTC)

    assert parse_schedule("0 0 * * *", "Africa/Cairo").next_after(before) == datetime(
        2026, 4, 23, 22, tzinfo=UTC
    )
    assert parse_schedule("*/20 0 * * *", "Africa/Cairo").next_after(before) == datetime(
        2026, 4, 24, 21, tzinfo=UTC
    )
