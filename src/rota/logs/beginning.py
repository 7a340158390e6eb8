"""Where a log begins: at its first byte, or behind what was dropped to keep it within its cap."""

from __future__ import annotations

import os
from dataclasses import dataclass

from rota.logs.index import CUT, ENTRY


@dataclass(frozen=True, kw_only=True, slots=True)
class Beginning:
    """What is left of a log. It moves while the run writes; bytes that it has passed may be zeros by now."""

    offset: int = 0  #: first byte that is left; as many went
    entry: int = 0  #: first entry of the index that is left
    lines: int = 0  #: lines that went, of all streams: the number of the first that is left


_WHOLE = Beginning()


def beginning(index: int) -> Beginning:
    """Where the log of an open index begins now."""
    packed = os.pread(index, ENTRY.size, 0)
    if len(packed) < ENTRY.size:
        return _WHOLE
    offset, first, _, lines, _, _, _, flags = ENTRY.unpack(packed)
    return Beginning(offset=offset, entry=first, lines=lines) if flags & CUT else _WHOLE
