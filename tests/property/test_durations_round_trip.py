"""A duration that was written is read back as the same duration."""

from __future__ import annotations

import re
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rota.timing.duration import LONGEST, PATTERN, format_duration, parse_duration


@given(st.timedeltas(min_value=timedelta(), max_value=LONGEST))
def test_what_is_written_is_read_as_the_same(duration: timedelta) -> None:
    text = format_duration(duration)

    assert parse_duration(text) == duration
    assert re.search(PATTERN, text)


@given(st.integers(0, 10**9))
def test_a_number_and_its_text_in_seconds_mean_the_same(seconds: int) -> None:
    assert parse_duration(seconds) == parse_duration(f"{seconds}s") == timedelta(seconds=seconds)


@given(st.text(max_size=12) | st.floats() | st.integers())
def test_any_other_text_or_number_is_read_or_refused_but_never_breaks(value: str | float) -> None:
    try:
        duration = parse_duration(value)
    except ValueError:
        return

    assert timedelta() <= duration <= LONGEST
