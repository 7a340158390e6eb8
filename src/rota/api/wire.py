"""JSON on the wire: times in RFC 3339 UTC, durations in seconds, everything else as it is."""

from __future__ import annotations

import json
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def encode(value: Mapping[str, Any]) -> bytes:
    """JSON in UTF-8. Half a surrogate pair (bytes of a file name that are not text) stays `\\udcxx`."""
    try:
        return to_json(value, inf_nan_mode="null")
    except ValueError:  # it takes no surrogates
        return _encode(value).encode("utf-8", "backslashreplace")


def moment(at: datetime | None) -> str | None:
    """`2026-11-22T20:36:03.000000Z`."""
    if at is None:
        return None
    text = at.isoformat(timespec="microseconds")
    if not text.endswith("+00:00"):
        text = at.astimezone(UTC).isoformat(timespec="microseconds")
    return f"{text[:-6]}Z"


#: Thousands of lines come at the same moment.
shared_moment = lru_cache(maxsize=16)(moment)


def seconds(duration: timedelta | None) -> float | None:
    """A duration as a number of seconds."""
    return None if duration is None else duration.total_seconds()
