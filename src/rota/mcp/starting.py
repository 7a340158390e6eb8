"""Starting a task for an agent: once for each key, and refused in words when it is turned away."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rota.mcp.refusal import Refusal
from rota.model.run import RunId, TriggeredBy
from rota.operations.trigger import meaning_of, trigger
from rota.storage.requests import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rota.mcp.call import Call
    from rota.model.run import Run

#: Seconds that a start may take before the answer says that it is under way.
PATIENCE = 5.0

#: What stands in the place of a request's method.
METHOD = "MCP"


async def start_task(call: Call, name: str, params: Mapping[str, object], key: str | None) -> Run:
    """The run. Raises RotaError; Refusal when the task's own rules turned it away."""
    meaning = await meaning_of(call.rota, name, params)
    asked = request(call, f"run_task/{name}", {"params": dict(meaning)}, key)
    triggered = await trigger(
        call.rota, name, triggered_by=TriggeredBy.MCP, params=params, actor=call.caller.actor, request=asked
    )
    if triggered.turned_away is not None:
        why = triggered.run.message or f"it was turned away ({triggered.turned_away})"
        raise Refusal(f"{name} was not started: {why}. Run {triggered.run.id} records it.")
    return triggered.run


def request(call: Call, what: str, meaning: Mapping[str, object], key: str | None) -> Request | None:
    """By what a repetition is known: the agent's own key, or that of the bridge that it came over."""
    chosen = key if key is not None else call.key
    if chosen is None:
        return None
    return Request(
        key=chosen,
        method=METHOD,
        path=what,
        body_hash=hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest(),
        run_id=RunId(""),
        status_code=201,
        at=datetime.now(UTC),
    )
