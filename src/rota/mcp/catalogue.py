"""The catalogue: every tool, in the order in which agents are shown them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rota.mcp.tools import (
    control_service,
    diagnose_run,
    execute_command,
    get_job_output,
    get_job_status,
    get_run,
    get_task_logs,
    get_task_status,
    interact_with_job,
    kill_job,
    list_jobs,
    list_runs,
    list_subscriptions,
    list_tasks,
    preview_schedule,
    run_subscription,
    run_task,
    run_task_async,
    save_task,
    search_logs,
    tail_job_output,
    wait_for_run,
)

if TYPE_CHECKING:
    from rota.mcp.tool import Tool

TOOLS: dict[str, Tool[Any]] = {
    tool.name: tool
    for tool in (
        list_tasks.TOOL,
        list_tasks.QINGLONG,
        run_task.TOOL,
        run_task_async.TOOL,
        get_task_logs.TOOL,
        get_task_status.TOOL,
        list_subscriptions.TOOL,
        run_subscription.TOOL,
        control_service.TOOL,
        execute_command.TOOL,
        list_jobs.TOOL,
        get_job_status.TOOL,
        get_job_output.TOOL,
        tail_job_output.TOOL,
        interact_with_job.TOOL,
        kill_job.TOOL,
        get_run.TOOL,
        list_runs.TOOL,
        wait_for_run.TOOL,
        search_logs.TOOL,
        diagnose_run.TOOL,
        preview_schedule.TOOL,
        save_task.TOOL,
    )
}
