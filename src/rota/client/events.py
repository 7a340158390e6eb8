"""Server-sent events, read one at a time (the `text/event-stream` format of the HTML standard)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerEvent:
    """One event as it came: its id, its name, and its data as JSON."""

    id: str | None
    name: str  #: such as `run.ended`, or `gap`
    data: Any


def read_events(lines: Iterable[bytes]) -> Iterator[ServerEvent]:
    """Every event of a stream. Comments (keep-alives) and a piece cut off at the end are passed over."""
    last_id: str | None = None
    name, data = "", list[str]()
    for line in lines:
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if not text:
            if data:
                yield ServerEvent(id=last_id, name=name or "message", data=_decoded("\n".join(data)))
            name, data = "", []
            continue
        field, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif field == "id":
            last_id = value


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
