"""Times and durations as the database holds them: whole microseconds, times since the Unix epoch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def of_time(at: datetime) -> int:
    """An aware time as a number; TypeError for a naive one."""
    return (at - _EPOCH) // _MICROSECOND


def of_duration(duration: timedelta) -> int:
    """A duration as a number."""
    return duration // _MICROSECOND


def to_time(number: int) -> datetime:
    """The aware time in UTC that a number stands for."""
    return _EPOCH + timedelta(microseconds=number)


def to_duration(number: int) -> timedelta:
    """The duration that a number stands for."""
    return timedelta(microseconds=number)
