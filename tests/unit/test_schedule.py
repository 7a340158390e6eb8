"""Schedules: the syntax, the sentences for what is none, and the ticks of ordinary days."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import pytest

from rota.timing.schedule import parse_schedule

if TYPE_CHECKING:
    from collections.abc import Iterator


def ticks(expression: str, zone: str, after: datetime) -> Iterator[datetime]:
    schedule = parse_schedule(expression, zone)
    instant: datetime | None = after
    while (instant := schedule.next_after(instant)) is not None:
        yield instant


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 2 * * *", "2026-03-04T02:30:00"),
        ("*/15 * * * *", "2026-03-03T12:45:00"),
        ("*/20 * * * * *", "2026-03-03T12:35:00"),
        ("57 34 12 * * *", "2026-03-03T12:34:57"),
        ("0 9-17 * * mon-fri", "2026-03-03T13:00:00"),
        ("0 0 * * Mon-SUN", "2026-03-04T00:00:00"),
        ("0 0 * * 7", "2026-03-08T00:00:00"),
        ("0 0 13 * fri", "2026-03-06T00:00:00"),
        ("0 0 */13 * fri", "2026-03-27T00:00:00"),
        ("0 0 L * *", "2026-03-31T00:00:00"),
        ("0 0 * * 5L", "2026-03-27T00:00:00"),
        ("0 0 * jun MON#2", "2026-06-08T00:00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00:00"),
        ("@hourly", "2026-03-03T13:00:00"),
        ("@daily", "2026-03-04T00:00:00"),
        ("@midnight", "2026-03-04T00:00:00"),
        ("@weekly", "2026-03-08T00:00:00"),
        ("@Monthly", "2026-04-01T00:00:00"),
        ("@yearly", "2027-01-01T00:00:00"),
        ("@annually", "2027-01-01T00:00:00"),
        ("  0   13 * * *  ", "2026-03-03T13:00:00"),
        ("@every 90s", "2026-03-03T12:36:00"),
        ("@every 1h", "2026-03-03T13:00:00"),
        ("@EVERY 1d", "2026-03-04T00:00:00"),
    ],
)
def test_an_expression_comes_next_at(expression: str, expected: str) -> None:
    after = datetime(2026, 3, 3, 12, 34, 56, 789, tzinfo=UTC)

    found = parse_schedule(expression, "UTC").next_after(after)

    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("", "has 0 fields; write five fields"),
        ("* * * *", "has 4 fields"),
        ("0 0 1 1 * 2026 3", "has seven fields; a year is not offered"),
        ("60 * * * *", 'minute "60" does not fit; write 0 to 59'),
        ("0 24 * * *", 'hour "24" does not fit; write 0 to 23'),
        ("0 0 0 * *", 'day of month "0" does not fit; write 1 to 31'),
        ("0 0 * foo *", 'month "FOO" does not fit; write 1 to 12 or JAN to DEC'),
        ("0 0 * * 1,MONDAY", 'day of week "MONDAY" does not fit; write 0 to 7'),
        ("0 22-2 * * *", "runs backwards; write it as two, 22-23,0-2"),
        ("*/0 * * * *", "has a step of 0"),
        ("/5 * * * *", r'write "\*/5"'),
        ("1,,2 * * * *", "has a comma too many"),
        ("0 0 ? * *", r'day of month "\?" is from Quartz; write \*'),
        ("H * * * *", "a hash of Jenkins, which is not offered; write one value"),
        ("H(0-29)/10 * * * *", "a hash of Jenkins, which is not offered; write one value"),
        ("1~5 * * * *", "is random, which is not offered"),
        ("0 0 15W * *", "write a day, or LW for the last weekday"),
        ("TZ=UTC 0 0 * * *", "write the zone as the key timezone"),
        ("CRON_TZ=UTC 0 0 0 * * *", "write the zone as the key timezone"),
        ("@reboot", "@reboot is not a time"),
        ("@dayly", "did you mean @daily"),
        ("@evry 5s", "did you mean @every"),
        ("@every", "is not a duration"),
        ("@every 90", 'write "90s" for seconds'),
        ("@every 1500ms", "is not whole seconds; write @every 1s or longer"),
        ("@every 0s", "is not whole seconds; write @every 1s or longer"),
        ("0 0 31 2 *", "it never comes"),
        ("0 0 30 2 *", "it never comes"),
        ("0 0 31 4,6,9,11 *", "it never comes"),
        ("0 0 */5 2 MON#5", "it never comes"),
    ],
)
def test_what_is_no_schedule_is_refused_with_a_helpful_sentence(expression: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_schedule(expression, "UTC")


@pytest.mark.parametrize(
    ("zone", "sentence"),
    [
        ("Paris", "did you mean Europe/Paris"),
        ("europe/paris", "did you mean Europe/Paris"),
        ("New York", "did you mean America/New_York"),
        ("Europe", "is not a time zone"),
        ("", "is not a time zone"),
        ("/etc/passwd", "is not a time zone"),
        ("UTC+2", "is not a time zone"),
        ("a\0b", "is not a time zone"),
    ],
)
def test_what_is_no_zone_is_refused_with_the_nearest(zone: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_schedule("* * * * *", zone)


@pytest.mark.parametrize(
    ("expression", "zone", "sentence"),
    [
        ("30 2 * * *", "Europe/Paris", "At 02:30 every day, Europe/Paris time"),
        ("@hourly", "UTC", "At the start of every hour, UTC"),
        ("0 0 21,22,31 * *", "UTC", "At 00:00 on the 21st, the 22nd, and the 31st day of month, UTC"),
        ("@every 90s", "Europe/Paris", "Every 1m30s, counted from 1970-01-01 00:00 UTC"),
    ],
)  # fmt: skip
def test_a_schedule_explains_itself(expression: str, zone: str, sentence: str) -> None:
    schedule = parse_schedule(expression, zone)

    assert schedule.explain() == sentence
    assert schedule.text == expression


def test_a_tick_is_a_whole_second_in_utc_and_strictly_later_whatever_the_zone_of_the_question() -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=30)))

    tick = parse_schedule("30 8 * * *", "Europe/Paris").next_after(noon)

    assert tick == datetime(2026, 7, 2, 6, 30, tzinfo=UTC)
    assert tick.tzinfo is UTC
    assert parse_schedule("30 8 * * *", "Europe/Paris").next_after(tick) == tick + timedelta(days=1)


def test_every_counts_from_the_epoch_so_that_a_restart_changes_nothing() -> None:
    found = list(islice(ticks("@every 7s", "Asia/Tokyo", datetime(2026, 1, 1, tzinfo=UTC)), 50))

    assert all(tick.timestamp() % 7 == 0 for tick in found)
    assert all(later - earlier == timedelta(seconds=7) for earlier, later in pairwise(found))


@pytest.mark.parametrize("expression", ["0 0 29 2 *", "* * * * * *", "@every 9s", "0 0 1 1 *"])
def test_no_tick_is_sought_at_the_end_of_the_calendar(expression: str) -> None:
    last = datetime(9999, 12, 31, 23, 59, 58, tzinfo=UTC)

    assert parse_schedule(expression, "Europe/Paris").next_after(last) is None


def test_a_schedule_that_hardly_ever_comes_is_found_in_bounded_time() -> None:
    # 29 February on a Sunday, over the missing leap day of 2100.
    after = datetime(2088, 3, 1, tzinfo=UTC)
    started = time.process_time()

    found = parse_schedule("0 0 29 2 */7", "UTC").next_after(after)

    assert found == datetime(2128, 2, 29, tzinfo=UTC)
    assert time.process_time() - started < 1


def test_ten_thousand_schedules_are_read_and_yield_their_first_tick_in_under_a_second_and_a_half() -> None:
    now = datetime(2026, 3, 3, 12, tzinfo=UTC)

    def seconds(turn: int) -> float:
        texts = [
            f"{n % 60},{n // 60 % 60} {n % 24} {'*' if n % 3 else n % 28 + 1} {'*' if turn else '1-12'} *"
            for n in range(10_000)
        ]
        started = time.process_time()
        found = [parse_schedule(text, "Europe/Paris").next_after(now) for text in texts]
        taken = time.process_time() - started
        assert None not in found
        return taken

    assert min(seconds(0), seconds(1)) < 1.5  # the better of two, since the machine has other work
