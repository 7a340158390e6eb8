"""Moments and durations, as people say them."""

from __future__ import annotations

from datetime import datetime, timedelta

#: From so many seconds on, in units of so many seconds, named so.
_STEPS = ((86_400, "day"), (3600, "h"), (60, "min"), (1, "s"))

#: What is further away is told by its date.
_FAR = timedelta(days=60)


def moment(text: str) -> datetime:
    """The moment that a time of the API's stands for."""
    return datetime.fromisoformat(text)


def relative(at: datetime, now: datetime) -> str:
    """How long ago, or in how long: `3 min ago`, `in 2 h`, `now`, or a date."""
    away = at - now
    if abs(away) >= _FAR:
        return at.astimezone().strftime("%Y-%m-%d")
    seconds = round(abs(away).total_seconds())
    for size, unit in _STEPS:
        if seconds >= size:
            count = seconds // size
            words = f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
            return f"in {words}" if away > timedelta() else f"{words} ago"
    return "now"


def local(at: datetime) -> str:
    """A moment on the reader's own clock, to the second."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def rough(seconds: float) -> str:
    """A duration to the precision that a person reads: `35ms`, `2.1s`, `3m20s`, `2d4h`."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    if seconds < 60:
        return f"{seconds:.1f}s"
    from rota.timing.duration import format_duration

    whole = round(seconds) if seconds < 86_400 else round(seconds / 60) * 60
    return format_duration(timedelta(seconds=whole))
