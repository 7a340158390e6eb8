"""The front end: which of Rota's own programs asks, as the data folder's owner may say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.model.error import Fault, Invalid
from rota.model.run import TriggeredBy

if TYPE_CHECKING:
    from rota.api.call import Call

HEADER = "Rota-Triggered-By"
_NAME = HEADER.lower().encode()

#: Those that speak through the Unix socket.
FRONT_ENDS = {str(each): each for each in (TriggeredBy.CLI, TriggeredBy.UI, TriggeredBy.TUI)}


def front_end(call: Call) -> TriggeredBy:
    """Who asks. Over TCP everybody is the API, whatever they say. Raises Invalid."""
    told = call.given(_NAME) if call.by_socket else []
    if not told:
        return TriggeredBy.API
    said = ", ".join(told)
    if said not in FRONT_ENDS:
        fault = f"it is one of {', '.join(FRONT_ENDS)}"
        raise Invalid([Fault(location=f"header.{HEADER}", message=fault, value=said)])
    return FRONT_ENDS[said]
