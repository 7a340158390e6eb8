"""Durations: `1h30m` as text, or a number of seconds; never negative, never endless."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from decimal import Decimal

from rota.timing.unreadable import Unreadable

LONGEST = timedelta(days=36_500)
"""A hundred years; what is longer is a mistake, and would not fit the store's microseconds."""

ALLOWED = 'text such as "300ms", "90s", "1h30m", "2d" or "1w", or a number of seconds'

_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,15})?"
_UNITS = {
    "w": Decimal(604_800),
    "d": Decimal(86_400),
    "h": Decimal(3600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("0.001"),
}

PATTERN = r"^(?=[0-9])" + "".join(f"(?:{_NUMBER}{unit})?" for unit in _UNITS) + "$"
"""A duration as text: each unit at most once, from the largest to the smallest."""

_TEXT = re.compile(PATTERN)
_PART = re.compile(rf"({_NUMBER})([a-z]+)")


def parse_duration(value: str | float) -> timedelta:
    """The duration that text or a number of seconds stands for; Unreadable says what is allowed."""
    seconds = _seconds_in(value) if isinstance(value, str) else _finite(value)
    if seconds < 0:
        raise Unreadable("a duration cannot be negative", ALLOWED)
    if seconds > LONGEST.total_seconds():
        raise Unreadable(f"a duration is at most {format_duration(LONGEST)}", ALLOWED)
    microseconds = round(seconds * 1_000_000)
    if seconds and not microseconds:
        raise Unreadable("a duration is 0 or at least a microsecond", ALLOWED)
    return timedelta(microseconds=microseconds)


def format_duration(duration: timedelta) -> str:
    """The shortest text that `parse_duration` reads as the same duration: `1h30m`, `300ms`, `10d`, `2w`."""
    if duration < timedelta():
        return "-" + format_duration(-duration)
    if not duration:
        return "0s"
    if duration % timedelta(weeks=1) == timedelta():
        return f"{duration // timedelta(weeks=1)}w"
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, duration = divmod(duration, timedelta(seconds=float(_UNITS[unit])))
        if count:
            parts.append(f"{count}{unit}")
    if duration:
        parts.append(f"{duration.microseconds / 1000:g}ms")
    return "".join(parts)


def _finite(number: float) -> int | Decimal:
    if isinstance(number, int):
        return number
    if not math.isfinite(number):
        raise Unreadable(f"{number} is not a duration", ALLOWED)
    return Decimal(str(number))


def _seconds_in(text: str) -> Decimal:
    if _TEXT.fullmatch(text):
        return sum((Decimal(number) * _UNITS[unit] for number, unit in _PART.findall(text)), Decimal(0))
    if re.fullmatch(_NUMBER, text):
        raise Unreadable(f'"{text}" has no unit', f'"{text}s" for seconds or "{text}m" for minutes')
    raise Unreadable(f'"{text}" is not a duration', f"{ALLOWED}; the largest unit first")
