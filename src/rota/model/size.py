"""Sizes: `10mb` is 10,000,000 bytes, `10mib` is 10,485,760."""

from __future__ import annotations

import re

_UNITS = {
    "": 1, "b": 1,
    "kb": 1000, "mb": 1000**2, "gb": 1000**3, "tb": 1000**4,
    "kib": 1024, "mib": 1024**2, "gib": 1024**3, "tib": 1024**4,
}  # fmt: skip
PATTERN = r"^\s*([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*((?:[kKmMgGtT][iI]?)?[bB]|)\s*$"
"""A size as text."""

_TEXT = re.compile(PATTERN)


def parse_size(text: str | int) -> int:
    """Bytes, from a whole number or text such as `100mb`; ValueError says what is wrong."""
    if isinstance(text, int):
        if text < 0:
            raise ValueError("a size cannot be negative")
        return text
    match = _TEXT.match(text)
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ValueError(f'"{text}" is not a size')
    return round(float(match[1]) * unit)
