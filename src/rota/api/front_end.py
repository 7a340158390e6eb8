"""The front end: which of Rota's own programs asks, as the data folder's owner may say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.error import Fault
from rota.model.run import TriggeredBy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rota.api.call import Call

HEADER = "Rota-Triggered-By"
_NAME = HEADER.lower().encode()

#: Those that speak through the Unix socket.
FRONT_ENDS = {str(each): each for each in (TriggeredBy.CLI, TriggeredBy.UI, TriggeredBy.TUI)}


def front_end(call: Call) -> TriggeredBy:
    """Who asks, of a call without `faults_of_front_end`."""
    said = _said(call)
    return TriggeredBy.API if said is None else FRONT_ENDS[said]


def faults_of_front_end(call: Call) -> Iterator[Fault]:
    """What is wrong with what a call says of who asks."""
    said = _said(call)
    if said is not None and said not in FRONT_ENDS:
        message = f"it is one of {', '.join(FRONT_ENDS)}"
        yield Fault(location=f"header.{HEADER}", message=message, value=said)


def _said(call: Call) -> str | None:
    """Over TCP everybody is the API, whatever they say."""
    told = call.given(_NAME) if call.by_socket else []
    return ", ".join(told) if told else None
