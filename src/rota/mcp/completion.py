"""Completion: the names of tasks and the ids of runs that begin as an agent's reader has begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_types import Completion

from rota.storage.page import RunFilter

if TYPE_CHECKING:
    from rota.mcp.call import Call

#: The most that the protocol lets through.
_MOST = 100


async def complete(call: Call, argument: str, begun: str) -> Completion:
    """What may be meant by an argument of a prompt, or of a resource's address."""
    if argument == "name":
        names = sorted(call.rota.engine.tasks)
    elif argument in ("id", "run_id"):
        page = await call.rota.store.runs(RunFilter(), limit=_MOST)
        names = [run.id for run in page.items]
    else:
        names = []
    found = [name for name in names if name.startswith(begun)]
    found += [name for name in names if begun and begun in name and not name.startswith(begun)]
    return Completion(values=found[:_MOST], total=len(found), has_more=len(found) > _MOST)
