"""Jitter: how much later than its tick a run is due, the same whenever it is asked. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b

_MILLISECOND = timedelta(milliseconds=1)


def due(tick: datetime, jitter: timedelta, *seed: str) -> datetime:
    """The tick, and a part of `jitter` that seed and tick alone decide; evenly spread over all of it."""
    text = "\n".join((*seed, str(round(tick.timestamp()))))
    number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
    return tick + jitter // _MILLISECOND * number // 2**64 * _MILLISECOND
