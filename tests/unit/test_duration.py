"""Durations: what is read, what is refused and how, and what is written."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rota.timing.duration import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("300ms", timedelta(milliseconds=300)),
        ("90s", timedelta(seconds=90)),
        ("1h30m", timedelta(minutes=90)),
        ("2d", timedelta(days=2)),
        ("1w", timedelta(days=7)),
        ("1.5h", timedelta(minutes=90)),
        ("0s", timedelta()),
        (90, timedelta(seconds=90)),
        (0.1, timedelta(milliseconds=100)),
        (0, timedelta()),
        ("36500d", LONGEST),
    ],
)
def test_durations_are_text_with_units_or_numbers_of_seconds(written: str | float, meant: timedelta) -> None:
    assert parse_duration(written) == meant


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("90", 'has no unit; write "90s" for seconds'),
        ("", "is not a duration"),
        ("s", "is not a duration"),
        ("1 h", "is not a duration"),
        ("30m1h", "the largest unit first"),
        ("1m1m", "is not a duration"),
        ("1H", "is not a duration"),
        ("5s\n", "is not a duration"),
        ("٣s", "is not a duration"),
        ("-5s", "is not a duration"),
        (-1, "cannot be negative"),
        (float("nan"), "nan is not a duration"),
        (float("inf"), "inf is not a duration"),
        (10**400, "at most 36500d"),
        ("99999w", "at most 36500d"),
        (1e-9, "at least a microsecond"),
    ],
)
def test_what_is_no_duration_is_refused_with_the_reason(written: str | float, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_duration(written)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(), "0s"),
        (timedelta(seconds=5), "5s"),
        (timedelta(seconds=90), "1m30s"),
        (timedelta(milliseconds=1500), "1s500ms"),
        (timedelta(days=10), "10d"),
        (timedelta(days=14), "2w"),
        (timedelta(microseconds=1), "0.001ms"),
        (timedelta(seconds=-90), "-1m30s"),
    ],
)
def test_a_duration_is_written_shortly(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text
