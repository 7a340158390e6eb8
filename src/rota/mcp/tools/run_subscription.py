"""`run_subscription`: nothing to bring in, as long as Rota knows no subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Required

from pydantic import Field
from typing_extensions import TypedDict

from rota.mcp.arguments import Arguments
from rota.mcp.tool import Answer, Tool
from rota.mcp.tools.list_subscriptions import NONE_CONFIGURED
from rota.model.tier import Tier

if TYPE_CHECKING:
    from rota.mcp.call import Call


class RunSubscription(Arguments):
    """Which one."""

    subscription_id: Annotated[int | str, Field(description="Its number or name.")]


class Synced(TypedDict, total=False):
    """What came of it."""

    status: Required[str]
    next: str


async def run_subscription(_call: Call, _it: RunSubscription) -> Answer:
    """Nothing."""
    data = {"status": "none_configured", "next": "run_task starts a task; list_tasks shows them."}
    return Answer(text=NONE_CONFIGURED, data=data)


TOOL = Tool(
    name="run_subscription",
    title="Sync a subscription",
    description="Bring in what is new of a followed repository.",
    tier=Tier.OPERATE,
    takes=RunSubscription,
    gives=Synced,
    act=run_subscription,
    reaches_out=True,
)
