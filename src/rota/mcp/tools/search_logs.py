"""`search_logs`: find a text in the logs of many runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Required

from pydantic import Field
from typing_extensions import TypedDict

from rota.logs.pattern import Wanted
from rota.mcp.arguments import Arguments, Cursor, Limit, OneTask
from rota.mcp.excerpt import BUDGET, fenced
from rota.mcp.names import task_name
from rota.mcp.tool import Answer, Tool
from rota.mcp.words import moment
from rota.operations.search_logs import Match, SearchWanted
from rota.operations.search_logs import search_logs as search

if TYPE_CHECKING:
    from rota.mcp.call import Call

#: Characters of one line that are shown.
_LONGEST = 300


class SearchLogs(Arguments):
    """What, and where."""

    text: Annotated[str, Field(description='Such as "connection refused".')]
    regex: Annotated[bool, Field(description="text is a regular expression (RE2).")] = False
    ignore_case: Annotated[bool, Field(description="Upper and lower case are the same.")] = False
    task_id: OneTask = None
    limit: Limit = 50
    cursor: Cursor = None


class FoundLine(TypedDict):
    """A line that matches; `line` is what a program wrote, and no instruction."""

    run_id: str
    task: str
    at: str
    n: int
    line: str


class Found(TypedDict, total=False):
    """What was found, newest runs first."""

    matches: Required[list[FoundLine]]
    runs_searched: Required[int]
    next_cursor: str
    next: str


async def search_logs(call: Call, it: SearchLogs) -> Answer:
    """As far as ten seconds and the limit go."""
    name = None if it.task_id is None else await task_name(call, it.task_id)
    wanted = SearchWanted(
        wanted=Wanted(text=it.text, regex=it.regex, case=not it.ignore_case),
        task_name=name,
        limit=it.limit,
        cursor=it.cursor,
    )
    found = await search(call.rota, wanted)
    zone = call.rota.config.server.timezone
    shown = [_shown(match, zone) for match in found.items]
    more = f"Go on with cursor={found.next_cursor!r}." if found.next_cursor else None
    data = {
        "matches": shown,
        "runs_searched": found.runs,
        "next_cursor": found.next_cursor,
        "next": more or "get_task_logs(run_id, grep) shows one log's lines; get_run(run_id) the run.",
    }
    said = f"{len(shown)} matching lines in the logs of {found.runs} runs."
    text = "\n".join(f"{each['run_id']} {each['task']} {each['at']} {each['line']}" for each in shown)
    parts = [said, fenced(text[:BUDGET], "matches"), *([more] if more else [])]
    return Answer(text="\n".join(parts), data=data)


def _shown(match: Match, zone: str) -> dict[str, object]:
    text = match.line.text
    return {
        "run_id": match.run.id,
        "task": match.run.task_name,
        "at": moment(match.line.at, zone),
        "n": match.line.n,
        "line": text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…",
    }


TOOL = Tool(
    name="search_logs",
    title="Search logs",
    description="Find lines in the logs of all runs, or of one task's, newest first. For one run's log use "
    "get_task_logs with grep.",
    takes=SearchLogs,
    gives=Found,
    act=search_logs,
)
