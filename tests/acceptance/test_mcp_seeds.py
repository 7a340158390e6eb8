"""What was written for the two servers that Rota's tools come from works here: names, inputs and keys."""

from __future__ import annotations

import re
import time
import uuid
from typing import TYPE_CHECKING

import pytest
from agents import agent
from installed import Installed

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = """
[tasks.backup]
run = "echo copied 7 files; echo careful >&2"
cron = "30 2 * * *"
timezone = "Europe/Paris"
description = "Copies the shop"
tags = ["nightly"]

[tasks.slow]
run = "echo begun; sleep 3; echo done"

[tasks.broken]
run = "echo trying; echo 'Error: no such table' >&2; exit 4"
"""


@pytest.fixture(scope="module")
def rota(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    rota = Installed(tmp_path_factory.mktemp("seeds"), CONFIG)
    rota.start()
    yield rota
    rota.end()


# --- qinglong-mcp-server: every id is an integer


async def test_list_qinglong_tasks_takes_nothing_and_names_every_task(rota: Installed) -> None:
    async with agent(rota) as one:
        answer = await one.use("list_qinglong_tasks")
        words = await one.read("list_qinglong_tasks")
        same = await one.use("list_tasks")

    by_name = {task["name"]: task for task in answer["tasks"]}
    assert sorted(task["id"] for task in answer["tasks"]) == [1, 2, 3]
    assert by_name["backup"]["command"] == "echo copied 7 files; echo careful >&2"
    assert by_name["backup"]["schedule"] == ["30 2 * * *"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT02:30:00\+0[12]:00 \(in .*\)", by_name["backup"]["next_run"])
    assert "backup: idle" in words
    assert [task["name"] for task in same["tasks"]] == sorted(by_name)


async def test_run_task_waits_for_the_end_and_answers_with_the_log(rota: Installed) -> None:
    async with agent(rota) as one:
        number = await number_of(one, "backup")

        answer = await one.use("run_task", task_id=number)

    assert answer["status"] == "completed"
    assert answer["exit_code"] == 0
    assert "copied 7 files\n" in answer["log"]
    assert "careful\n" in answer["log"]


async def test_run_task_of_three_seconds_answers_the_moment_it_ends(rota: Installed) -> None:
    async with agent(rota) as one:
        number = await number_of(one, "slow")
        begun = time.monotonic()

        answer = await one.use("run_task", task_id=number)

    # The original takes 32 s for it, and tells of a timeout.
    assert time.monotonic() - begun < 3.2 + BUSY
    assert answer["log"] == "begun\ndone\n"


async def test_run_task_of_a_task_that_fails_is_no_error_of_the_tool(rota: Installed) -> None:
    async with agent(rota) as one:
        answer = await one.use("run_task", task_id=await number_of(one, "broken"))

    assert (answer["status"], answer["exit_code"]) == ("failed", 4)
    assert answer["next"].startswith("diagnose_run(")


async def test_run_task_async_starts_and_does_not_wait(rota: Installed) -> None:
    async with agent(rota) as one:
        answer = await one.use("run_task_async", task_id=await number_of(one, "slow"))
        await one.use("kill_job", job_id=answer["run_id"])

    assert answer["status"] == "running"
    assert uuid.UUID(answer["run_id"]).version == 7


async def test_get_task_logs_gives_the_latest_log(rota: Installed) -> None:
    async with agent(rota) as one:
        number = await number_of(one, "backup")
        await one.use("run_task", task_id=number)

        answer = await one.use("get_task_logs", task_id=number)
        by_run = await one.use("get_task_logs", run_id=answer["run_id"])

    assert "copied 7 files\n" in answer["log"]
    assert by_run["log"] == answer["log"]


async def test_get_task_status_says_how_a_task_stands(rota: Installed) -> None:
    async with agent(rota) as one:
        number = await number_of(one, "slow")
        idle = await one.use("get_task_status", task_id=number)
        run = await one.use("run_task_async", task_id=number)

        running = await one.use("get_task_status", task_id=number)
        await one.use("kill_job", job_id=run["run_id"])

    assert (idle["status"], running["status"]) == ("idle", "running")
    assert running["last_runs"][0]["run_id"] == run["run_id"]


async def test_list_subscriptions_and_run_subscription_say_that_there_are_none(rota: Installed) -> None:
    async with agent(rota) as one:
        listed = await one.use("list_subscriptions")
        run = await one.use("run_subscription", subscription_id=1)

    assert listed["subscriptions"] == []
    assert run["status"] == "none_configured"


# --- mcp-background-job


async def test_execute_command_answers_with_a_uuid(rota: Installed) -> None:
    async with agent(rota) as one:
        answer = await one.use("execute_command", command="echo a | tr a b")
        waited = await one.use("wait_for_run", run_ids=[answer["job_id"]])

    assert str(uuid.UUID(answer["job_id"])) == answer["job_id"]
    assert waited["runs"][0]["log"] == "b\n"


async def test_list_jobs_has_the_keys_of_the_seed(rota: Installed) -> None:
    async with agent(rota) as one:
        job = await one.use("execute_command", command="true")
        await one.use("wait_for_run", run_ids=[job["job_id"]])

        newest = (await one.use("list_jobs"))["jobs"][0]

    assert {"job_id", "status", "command", "started"} <= set(newest)
    assert (newest["job_id"], newest["status"], newest["command"]) == (job["job_id"], "completed", "true")


async def test_get_job_status_says_running_completed_failed_and_killed(rota: Installed) -> None:
    async with agent(rota) as one:
        jobs = {
            word: (await one.use("execute_command", command=command))["job_id"]
            for word, command in {
                "running": "sleep 60",
                "completed": "true",
                "failed": "exit 3",
                "killed": "sleep 60",
            }.items()
        }
        await one.use("kill_job", job_id=jobs["killed"])
        await one.use("wait_for_run", run_ids=[jobs["completed"], jobs["failed"]])

        said = {word: await one.use("get_job_status", job_id=job_id) for word, job_id in jobs.items()}
        await one.use("kill_job", job_id=jobs["running"])

    assert {word: answer["status"] for word, answer in said.items()} == {word: word for word in jobs}
    assert said["failed"]["exit_code"] == 3
    assert "exit_code" not in said["killed"]


async def test_get_job_output_and_tail_job_output_keep_the_streams_apart(rota: Installed) -> None:
    async with agent(rota) as one:
        job = await one.use(
            "execute_command", command="for n in 1 2 3; do echo out $n; echo err $n >&2; done"
        )
        await one.use("wait_for_run", run_ids=[job["job_id"]])

        everything = await one.use("get_job_output", job_id=job["job_id"])
        tail = await one.use("tail_job_output", job_id=job["job_id"], lines=1)

    assert everything["stdout"] == "out 1\nout 2\nout 3\n"
    assert everything["stderr"] == "err 1\nerr 2\nerr 3\n"
    assert (tail["stdout"], tail["stderr"]) == ("out 3\n", "err 3\n")


async def test_interact_with_job_works_on_any_job(rota: Installed) -> None:
    async with agent(rota) as one:
        job = await one.use("execute_command", command="read name; echo hello $name; cat")

        greeted = await one.use("interact_with_job", job_id=job["job_id"], input="Ada")
        more = await one.use("interact_with_job", job_id=job["job_id"], input="more\n")
        closed = await one.use("interact_with_job", job_id=job["job_id"], close=True)

    assert greeted["stdout"] == "hello Ada\n"
    assert more["stdout"] == "more\n"
    assert closed["status"] == "completed"


async def test_kill_job_ends_a_job_and_says_of_an_ended_one_that_it_is(rota: Installed) -> None:
    async with agent(rota) as one:
        job = await one.use("execute_command", command="sleep 60 & sleep 60")

        killed = await one.use("kill_job", job_id=job["job_id"])
        again = await one.use("kill_job", job_id=job["job_id"])

    assert killed["status"] == "killed"
    assert again["status"] == "already_terminated"


@pytest.mark.parametrize("tool", ["get_job_status", "get_job_output", "tail_job_output", "kill_job"])
@pytest.mark.parametrize("job_id", ["86fc97a5-6ebd-4c7b-ab93-c44aea98a293", "no id", ""])
async def test_an_unknown_job_is_an_error_that_says_so(rota: Installed, tool: str, job_id: str) -> None:
    async with agent(rota) as one:
        assert (await one.refused(tool, job_id=job_id)).startswith(f"Job {job_id} not found")


# --- both at once


async def test_what_a_task_starts_is_watched_and_stopped_as_a_job(rota: Installed) -> None:
    async with agent(rota) as one:
        run = await one.use("run_task_async", task_id="slow")

        status = await one.use("get_job_status", job_id=run["run_id"])
        killed = await one.use("kill_job", job_id=run["run_id"])
        output = await one.use("get_job_output", job_id=run["run_id"])

    assert status["status"] == "running"
    assert status["command"] == "echo begun; sleep 3; echo done"
    assert killed["status"] == "killed"
    assert output["stdout"] in ("", "begun\n")


#: Seconds that a busy machine may add.
BUSY = 1.5


async def number_of(one, name: str) -> int:
    tasks = (await one.use("list_tasks", query=name))["tasks"]
    return next(task["id"] for task in tasks if task["name"] == name)
