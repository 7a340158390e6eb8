"""Which bytes a `Range` header asks for (RFC 9110, section 14)."""

from __future__ import annotations

import re

from rota.api.refused import RangeNotSatisfiable

_ONE = re.compile(r"bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", re.IGNORECASE)


def byte_range(header: str | None, start: int, stop: int) -> tuple[int, int] | None:
    """The part, of the bytes from `start` up to `stop`, that one range asks for; None when all is asked for.

    Several ranges, other units and what cannot be read count as none, as the RFC has it.
    Raises RangeNotSatisfiable.
    """
    found = _ONE.fullmatch(header or "")
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        first, last = max(start, stop - int(found[2])), stop - 1
        if not int(found[2]):
            raise RangeNotSatisfiable(start, stop)
    else:
        first, last = int(found[1]), min(int(found[2] or stop), stop - 1)
        if found[2] and int(found[2]) < int(found[1]):
            return None
    first = max(first, start)
    if first > last:
        raise RangeNotSatisfiable(start, stop)
    return first, last + 1
