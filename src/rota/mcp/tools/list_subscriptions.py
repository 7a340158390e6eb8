"""`list_subscriptions`: there are none, as long as Rota knows no subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Required

from typing_extensions import TypedDict

from rota.mcp.arguments import Nothing
from rota.mcp.tool import Answer, Tool

if TYPE_CHECKING:
    from rota.mcp.call import Call

NONE_CONFIGURED = "No subscriptions are configured."


class SubscriptionList(TypedDict, total=False):
    """Subscriptions."""

    subscriptions: Required[list[dict[str, Any]]]
    total: Required[int]
    next: str


async def list_subscriptions(_call: Call, _it: Nothing) -> Answer:
    """None."""
    data = {"subscriptions": [], "total": 0, "next": "list_tasks shows the tasks."}
    return Answer(text=NONE_CONFIGURED, data=data)


TOOL = Tool(
    name="list_subscriptions",
    title="List subscriptions",
    description="List the followed repositories of scripts.",
    takes=Nothing,
    gives=SubscriptionList,
    act=list_subscriptions,
)
