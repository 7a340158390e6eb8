"""A value of the file as people call it."""

from __future__ import annotations

from typing import Any

_READABLE = 10**40


def shown(value: Any) -> str:
    """A value of the file as people call it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'the text "{value if len(value) <= 40 else value[:39] + "…"}"'
        case int() if abs(value) >= _READABLE:
            return "a number of many digits"
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return f"the time {value}"
