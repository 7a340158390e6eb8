"""How the API writes times, durations and text."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from rota.api import wire


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05.000000Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=UTC), "2026-01-02T03:04:05.000060Z"),
        (
            datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=5, minutes=30))),
            "2026-01-01T21:30:00.000000Z",
        ),
        (None, None),
    ],
)
def test_a_time_is_rfc_3339_in_utc_with_microseconds(at: datetime | None, text: str | None) -> None:
    assert wire.moment(at) == text


def test_a_duration_is_a_number_of_seconds() -> None:
    assert wire.seconds(timedelta(minutes=1, milliseconds=300)) == 60.3
    assert wire.seconds(None) is None


@pytest.mark.parametrize("text", ["ä€𐍈", '\0\x1f"\\', "bytes \udc80\udcff of a file name"])
def test_any_text_comes_back_from_the_json(text: str) -> None:
    assert json.loads(wire.encode({"text": text})) == {"text": text}
