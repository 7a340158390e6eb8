"""`preview_schedule`: what a cron expression means, and when it is due next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Required

from pydantic import Field
from typing_extensions import TypedDict

from rota.mcp.arguments import Arguments
from rota.mcp.tool import Answer, Tool
from rota.mcp.words import distance, moment, utc_now
from rota.operations.preview_schedule import preview_schedule as preview

if TYPE_CHECKING:
    from rota.mcp.call import Call


class PreviewSchedule(Arguments):
    """Which schedule."""

    cron: Annotated[
        str,
        Field(
            description='Such as "30 2 * * MON-FRI", "@daily", "@every 90s"; six fields begin with seconds.'
        ),
    ]
    timezone: Annotated[
        str | None, Field(description="IANA name, such as Europe/Paris; the server's if left out.")
    ] = None
    count: Annotated[int, Field(ge=1, le=50, description="How many of its times.")] = 5


class Previewed(TypedDict, total=False):
    """What it means."""

    cron: Required[str]
    timezone: Required[str]
    meaning: Required[str]
    next_runs: Required[list[str]]
    next: str


async def preview_schedule(call: Call, it: PreviewSchedule) -> Answer:
    """Nothing is changed by it."""
    found = preview(call.rota, it.cron, it.timezone, count=it.count)
    now = utc_now()
    due = [f"{moment(at, found.timezone)} ({distance(at, now)})" for at in found.ticks]
    data = {
        "cron": it.cron,
        "timezone": found.timezone,
        "meaning": found.meaning,
        "next_runs": due,
        "next": "It stands in rota.toml as the task's cron, with timezone beside it.",
    }
    said = "\n".join(due) or "It never comes."
    return Answer(text=f"{it.cron}: {found.meaning} ({found.timezone}).\n{said}", data=data)


TOOL = Tool(
    name="preview_schedule",
    title="Preview a schedule",
    description="Say what a cron expression means and when it is due next, in its time zone.",
    takes=PreviewSchedule,
    gives=Previewed,
    act=preview_schedule,
)
