"""How much: of the disk, of memory, of the processors."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from rota.config.kinds.kind import TEXT
from rota.config.shown import shown
from rota.model.size import PATTERN, parse_size
from rota.timing.unreadable import Unreadable

_PERCENT = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,3})?)\s*%")
_LEAST_MEMORY = 4 << 20  #: bytes; a program that has less may not even be loaded
_LEAST_PROCESSORS, _MOST_PROCESSORS = 0.01, 65_536  #: the kernel's least share, and more than any machine has
_LEAST_LOG = 128 * 1024  #: bytes; two reads of the keeper, so that there is always something to read


def _size(value: Any) -> int:
    allowed = 'a size such as "100mb" (of 1000s) or "64kib" (of 1024s), or a number of bytes'
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Unreadable(f"{shown(value)} is not a size", allowed)
    try:
        return parse_size(value)
    except ValueError as error:
        raise Unreadable(str(error), allowed) from None


def _log_size(value: Any) -> int:
    found = _size(value)
    if 0 < found < _LEAST_LOG:
        raise Unreadable(
            f"{shown(value)} is too small for a log",
            f"at least {_LEAST_LOG} bytes (128kib), or 0 for no limit",
        )
    return found


def _memory(value: Any) -> int:
    found = _size(value)
    if 0 < found < _LEAST_MEMORY:
        raise Unreadable(f"{shown(value)} is too little for any program", "at least 4mib, or 0 for no limit")
    return found


def _processors(value: Any) -> float:
    allowed = 'a number of processors such as 0.5 or 2, a share of one such as "50%", or 0 for no limit'
    if isinstance(value, str) and (match := _PERCENT.fullmatch(value)):
        value = float(match[1]) / 100
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unreadable(f"{shown(value)} is no share of processors", allowed)
    if value != 0 and not _LEAST_PROCESSORS <= value <= _MOST_PROCESSORS:
        raise Unreadable(f"{shown(value)} is out of range", allowed)
    return float(value)


_SIZE = WithJsonSchema({"anyOf": [TEXT | {"pattern": PATTERN}, {"type": "integer", "minimum": 0}]})
Size = Annotated[int, PlainValidator(_size), _SIZE]
LogSize = Annotated[int, PlainValidator(_log_size), _SIZE]
Memory = Annotated[int, PlainValidator(_memory), _SIZE]
Processors = Annotated[
    float,
    PlainValidator(_processors),
    WithJsonSchema({
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": _MOST_PROCESSORS},
            TEXT | {"pattern": f"^{_PERCENT.pattern}$"},
        ]
    }),
]  # fmt: skip
