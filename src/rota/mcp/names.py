"""Names: which task or run an agent means, by whatever it says of it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from rota.mcp.refusal import Refusal
from rota.model.error import RunNotFound
from rota.operations.get_run import get_run

if TYPE_CHECKING:
    from rota.mcp.call import Call
    from rota.model.run import Run, RunId


#: Characters of an id that nobody knows which are said again.
_LONGEST_SAID = 100


async def task_name(call: Call, task_id: int | str) -> str:
    """The name of a task: a number is its number; a text is its name first, and then its number.

    Raises Refusal. A task that was removed is known as long as its number is asked for. A service has the
    name alone.
    """
    tasks, services = call.rota.engine.tasks, call.rota.engine.services.services
    if isinstance(task_id, str) and (task_id in tasks or task_id in services):
        return task_id
    known = await call.rota.store.task_ids()
    if isinstance(task_id, str) and task_id in known:
        return task_id
    if isinstance(task_id, int) or (task_id.isdecimal() and len(task_id) < 18):
        number = int(task_id)
        name = next((name for name, each in known.items() if each == number), None)
        if name is not None:
            return name
    nearest = difflib.get_close_matches(str(task_id), (*tasks, *services), n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    raise Refusal(f"There is no task {task_id!r}.{hint} list_tasks shows all of them.")


async def configured_task(call: Call, task_id: int | str) -> str:
    """The same, of a task that the configuration has. Raises Refusal."""
    name = await task_name(call, task_id)
    if name in call.rota.engine.services.services:
        raise Refusal(f"{name!r} is a service, which is kept alive and not run: see control_service.")
    if name not in call.rota.engine.tasks:
        raise Refusal(
            f"The task {name!r} is no longer configured; its past runs are in list_runs and get_task_logs."
        )
    return name


async def job(call: Call, job_id: str) -> Run:
    """The run of this id, or of the only one that ends so. Raises Refusal."""
    try:
        return await get_run(call.rota, job_id.strip())
    except RunNotFound as error:
        raise no_job(job_id) from error


async def run_id(call: Call, text: str) -> RunId:
    """The id of the same. Raises Refusal."""
    return (await job(call, text)).id


def no_job(job_id: str) -> Refusal:
    """That there is none."""
    shown = "".join(each if each.isprintable() else "\ufffd" for each in job_id[:_LONGEST_SAID])
    cut = "…" if len(job_id) > _LONGEST_SAID else ""
    return Refusal(
        f"Job {shown}{cut} not found. list_jobs shows the jobs, list_runs the runs of tasks as well."
    )
