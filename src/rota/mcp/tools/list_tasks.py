"""`list_tasks`: every task, how it stands, and when it runs next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Required

from pydantic import Field
from typing_extensions import TypedDict

from rota.mcp.arguments import Arguments, Cursor
from rota.mcp.listing import after, page_of
from rota.mcp.services import ServiceFacts, sentence_of, service_facts
from rota.mcp.tool import Answer, Tool
from rota.mcp.words import TaskWord, distance, moment, task_word_of, told, utc_now, word_of
from rota.model.param_schema import schema_of
from rota.operations.list_services import list_services
from rota.operations.list_tasks import list_tasks as every_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rota.engine.services.standing import ServiceNow
    from rota.mcp.call import Call
    from rota.operations.list_tasks import TaskNow


class ListTasks(Arguments):
    """Which tasks."""

    query: Annotated[
        str | None, Field(description='Part of a name, description or group, such as "back".')
    ] = None
    tag: Annotated[str | None, Field(description="Only tasks with this tag.")] = None
    status: Annotated[
        Literal["idle", "running", "queued", "paused", "disabled"] | None,
        Field(description="Only tasks that are so."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=200, description="How many at once.")] = 50
    cursor: Cursor = None


class TaskFacts(TypedDict, total=False):
    """A task."""

    id: Required[int]
    name: Required[str]
    status: Required[str]
    description: str
    group: str
    tags: list[str]
    command: Required[str]
    schedule: list[str]
    timezone: str
    paused: list[str]
    next_run: str
    last_status: str
    last_run_id: str
    last_ended: str
    params_schema: dict[str, Any]


class TaskList(TypedDict, total=False):
    """Tasks."""

    tasks: Required[list[TaskFacts]]
    total: Required[int]
    services: list[ServiceFacts]
    next_cursor: str
    next: str


async def list_tasks(call: Call, it: ListTasks) -> Answer:
    """Filter all of them, and show a page."""
    ids = await call.rota.store.task_ids()
    everything = await every_task(call.rota, limit=max(1, len(call.rota.engine.tasks)), after=None)
    found = [each for each in everything.items if _is_wanted(each, it)]
    shown, cursor = page_of(found, it.limit, after(it.cursor), lambda each: each.task.name)
    services = [] if it.cursor or it.status else [each for each in _services(call) if _is_like(each, it)]
    data = {
        "tasks": [task_facts(call, each, ids[each.task.name]) for each in shown],
        "total": len(found),
        "services": [service_facts(each) for each in services] or None,
        "next_cursor": cursor,
        "next": _next(call, everything.items),
    }
    lines = [_line(call, each, ids[each.task.name]) for each in shown]
    lines += [sentence_of(each) for each in services]
    head = f"{len(found)} task{'' if len(found) == 1 else 's'}"
    more = "" if cursor is None else f"\n(more: cursor={cursor!r})"
    return Answer(text="\n".join([head, *lines]) + more, data=data)


def task_facts(call: Call, now: TaskNow, number: int) -> dict[str, Any]:
    """`TaskFacts`."""
    task = now.task
    zone = task.timezone or call.rota.config.server.timezone
    last = now.last_runs[0] if now.last_runs else None
    return {
        "id": number,
        "name": task.name,
        "status": task_word_of(now),
        "description": task.description,
        "group": task.group,
        "tags": list(task.tags) or None,
        "command": command_of(task.run),
        "schedule": list(task.cron) or None,
        "timezone": zone if task.cron else None,
        "paused": [pause.told for pause in now.pauses] or None,
        "next_run": _due(now, zone),
        "last_status": None if last is None else word_of(last),
        "last_run_id": None if last is None else last.id,
        "last_ended": None if last is None else moment(last.end_at, zone),
        "params_schema": schema_of(task.params) if task.params else None,
    }


def command_of(run: str | tuple[str, ...]) -> str:
    """A command as one text, of one line's length."""
    text = run if isinstance(run, str) else " ".join(run)
    return text if len(text) <= 200 else f"{text[:199]}…"


def _due(now: TaskNow, zone: str) -> str | None:
    if not now.next_ticks:
        return None
    at = now.next_ticks[0].due_at
    return f"{moment(at, zone)} ({distance(at, utc_now())})"


def _line(call: Call, now: TaskNow, number: int) -> str:
    zone = now.task.timezone or call.rota.config.server.timezone
    due = _due(now, zone)
    parts = [
        f"{number}. {now.task.name}: {task_word_of(now)}",
        now.pauses[0].told if now.pauses else _coming(now, due),
        f"last {told(now.last_runs[0])}" if now.last_runs else "never ran",
    ]
    return "; ".join(parts)


def _coming(now: TaskNow, due: str | None) -> str:
    if due is not None:
        return f"next {due}"
    if now.task.cron:
        return "never due"
    return "runs at Rota's start" if now.task.starts_by_itself else "runs only when asked"


def _services(call: Call) -> Sequence[ServiceNow]:
    return list_services(call.rota, limit=max(1, len(call.rota.engine.services.services)), after=None).items


def _is_like(now: ServiceNow, it: ListTasks) -> bool:
    life = now.service.life
    text = " ".join((life.name, life.description or "", life.group or "")).lower()
    return (it.tag is None or it.tag in life.tags) and (it.query is None or it.query.lower() in text)


def _is_wanted(now: TaskNow, it: ListTasks) -> bool:
    task = now.task
    if it.tag is not None and it.tag not in task.tags:
        return False
    if it.status is not None and task_word_of(now) is not TaskWord(it.status):
        return False
    if it.query is None:
        return True
    text = " ".join((task.name, task.description or "", task.group or "")).lower()
    return it.query.lower() in text


def _next(call: Call, tasks: list[TaskNow]) -> str:
    if not tasks:
        where = call.rota.config.path
        return (
            "No task is configured. Tasks stand in rota.toml, and this server reads none; "
            "execute_command runs a command of your own."
            if where is None
            else f"No task is configured in {where}; execute_command runs a command of your own."
        )
    return "run_task(task_id) starts one and waits; get_task_logs(task_id) reads its latest log."


TOOL = Tool(
    name="list_tasks",
    title="List tasks",
    description="List the configured tasks with number, status, schedule, next and last run; and services. "
    "For ad-hoc commands use list_jobs, for past runs list_runs.",
    takes=ListTasks,
    gives=TaskList,
    act=list_tasks,
)

#: The name by which agents knew it at a Qinglong panel.
QINGLONG = Tool(
    name="list_qinglong_tasks",
    title="List tasks (Qinglong's name)",
    description="The same as list_tasks.",
    takes=ListTasks,
    gives=TaskList,
    act=list_tasks,
)
