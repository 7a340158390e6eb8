"""Tasks of the protocol (extension `io.modelcontextprotocol/tasks`): a call that takes long, answered later.

What the protocol calls a task is a run of ours with all of its attempts, or a kept wait, under the same id.
So it is answered from the store, and survives client and server.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import MCP_NAME_HEADER, decode_header_value
from mcp_types import INVALID_PARAMS, RequestParams
from mcp_types.jsonrpc import HEADER_MISMATCH, MISSING_REQUIRED_CLIENT_CAPABILITY
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ConfigDict, Field

from rota.mcp.outcome import outcome
from rota.mcp.tools.execute_command import ended
from rota.mcp.words import told
from rota.model.error import RunEnded
from rota.model.run import EndReason, Run, RunId, Status
from rota.operations.stop import stop
from rota.storage.waits import KEPT_FOR, StoredWait, WaitStatus

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from rota.mcp.call import Call

EXTENSION = "io.modelcontextprotocol/tasks"

#: How often a client may well ask.
POLL_MS = 1000

#: For how long at least it may ask; a run whose retention is shorter is answered as unknown after that.
TTL_MS = int(KEPT_FOR.total_seconds() * 1000)

Context = Any  # ServerRequestContext of the SDK, which is generic in what we do not use


class TaskParams(RequestParams):
    """Which task."""

    model_config = ConfigDict(populate_by_name=True)

    task_id: str = Field(alias="taskId")


class UpdateParams(TaskParams):
    """And what it was asked for: nothing, since no task of ours asks."""

    input_responses: dict[str, Any] = Field(default_factory=dict, alias="inputResponses")


def are_known_to(ctx: ServerRequestContext[Any, Any]) -> bool:
    """Whether the client has declared that it knows tasks, with this very request."""
    if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return False
    capabilities = ctx.session.client_capabilities
    return capabilities is not None and EXTENSION in (capabilities.extensions or {})


def check(ctx: ServerRequestContext[Any, Any], task_id: str) -> None:
    """Raise what the extension asks for when a request is not its client's to make."""
    if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        raise MCPError(code=-32601, message="Method not found", data=ctx.method)
    if not are_known_to(ctx):
        raise MCPError(
            code=MISSING_REQUIRED_CLIENT_CAPABILITY,
            message=f"the client did not declare the extension {EXTENSION} with this request",
            data={"requiredCapabilities": {"extensions": {EXTENSION: {}}}},
        )
    named = None if ctx.request is None else ctx.request.headers.get(MCP_NAME_HEADER)
    if named is not None and decode_header_value(named) != task_id:
        raise MCPError(code=HEADER_MISMATCH, message="the header Mcp-Name names another task than the body")


def created(of: Run | StoredWait) -> dict[str, Any]:
    """The answer to a call that has become a task."""
    """It goes on under the id of the run's first attempt."""
    return {"resultType": "task", **_standing(of, of.id if isinstance(of, StoredWait) else of.first_run_id)}


async def get(call: Call, task_id: str) -> dict[str, Any]:
    """The task as it stands, with its result once it has ended. Raises MCPError."""
    of = await _find(call, task_id)
    answer = {"resultType": "complete", **_standing(of, task_id)}
    if answer["status"] == "completed":
        answer["result"] = await _result(call, of)
    return answer


async def cancel(call: Call, task_id: str) -> dict[str, Any]:
    """Stop the run, or end the wait; of what has ended already nothing changes. Raises MCPError."""
    of = await _find(call, task_id)
    if isinstance(of, StoredWait):
        await call.waits.cancel(of.id)
    elif of.status is not Status.ENDED:
        with suppress(RunEnded):
            await stop(call.rota, of.id, by=call.by)
    return {"resultType": "complete"}


async def update(call: Call, task_id: str) -> dict[str, Any]:
    """Take note: no task of ours waits for an answer. Raises MCPError."""
    await _find(call, task_id)
    return {"resultType": "complete"}


async def _find(call: Call, task_id: str) -> Run | StoredWait:
    """The wait, or the run in its newest attempt."""
    if (wait := await call.waits.find(task_id)) is not None:
        return wait
    run = await call.rota.store.run(RunId(task_id))
    if run is None:
        raise MCPError(code=INVALID_PARAMS, message=f"there is no task {task_id}")
    return await call.rota.engine.runs.last_attempt(run)


def _standing(of: Run | StoredWait, task_id: str) -> dict[str, Any]:
    changed = of.changed_at if isinstance(of, StoredWait) else of.end_at or of.start_at or of.created_at
    return {
        "taskId": task_id,
        "status": _status(of),
        "createdAt": _moment(of.created_at),
        "lastUpdatedAt": _moment(changed),
        "ttlMs": TTL_MS,
        "pollIntervalMs": POLL_MS,
        "statusMessage": _message(of),
    }


def _status(of: Run | StoredWait) -> str:
    if isinstance(of, StoredWait):
        return {WaitStatus.OPEN: "working", WaitStatus.OVER: "completed"}.get(of.status, "cancelled")
    if of.status is not Status.ENDED:
        return "working"
    return "cancelled" if of.end_reason is EndReason.STOPPED else "completed"


def _message(of: Run | StoredWait) -> str:
    if isinstance(of, Run):
        return f"run {of.id} {told(of)}"
    runs = len(json.loads(of.wanted)["run_ids"])
    return f"the wait for {runs} run{'' if runs == 1 else 's'} is {of.status}"


async def _result(call: Call, of: Run | StoredWait) -> dict[str, Any]:
    if isinstance(of, StoredWait):
        kept: dict[str, Any] = json.loads(of.outcome or "{}")
        return kept
    answer = (await (outcome if of.job is None else ended)(call, of)).as_result()
    return answer.model_dump(mode="json", by_alias=True, exclude_none=True)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
