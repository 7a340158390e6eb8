"""The official client, over HTTP and stdio, in both eras: tools, waits, tasks, resources, prompts."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import pytest
from agents import ERAS, WAYS, agent, text_of
from installed import PATIENCE, Installed, is_alive, until_true
from mcp.client.extension import ClientExtension, ResultClaim
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, PromptReference, Request, ResourceTemplateReference, Result
from pydantic import ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agents import Agent

CONFIG = """
[tasks.quick]
run = "echo quick"

[tasks.talks]
run = "for n in 1 2 3 4; do echo step $n; sleep 0.6; done"

[tasks.waits]
run = "sleep 60"
max_concurrent = 10

[tasks.retried]
run = "echo attempt $ROTA_ATTEMPT; test $ROTA_ATTEMPT = 2"
retry = { attempts = 2, delay = "3s" }

[tasks.flaky]
run = "test -e flag || { echo 'connection refused' >&2; exit 1; }"
"""


@pytest.fixture(scope="module")
def rota(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    rota = Installed(tmp_path_factory.mktemp("clients"), CONFIG)
    rota.start()
    yield rota
    rota.end()


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("way", WAYS)
async def test_every_client_has_tools_resources_prompts_and_completion(
    rota: Installed, way: str, era: str
) -> None:
    async with agent(rota, way, era) as one:
        client = one.client
        answer = await one.use("run_task", task_id="quick")
        tools = [tool.name for tool in (await client.list_tools()).tools]
        resources = [each.uri for each in (await client.list_resources()).resources]
        task = json.loads((await client.read_resource("rota://tasks/quick")).contents[0].text)
        log = (await client.read_resource(f"rota://runs/{answer['run_id']}/log")).contents[0].text
        prompt = await client.get_prompt("diagnose_run", {"run_id": answer["run_id"]})
        names = await client.complete(
            ResourceTemplateReference(type="ref/resource", uri="rota://tasks/{name}"),
            {"name": "name", "value": "qu"},
        )
        ids = await client.complete(
            PromptReference(type="ref/prompt", name="diagnose_run"),
            {"name": "run_id", "value": answer["run_id"][:8]},
        )

    assert (answer["status"], answer["log"]) == ("completed", "quick\n")
    assert tools[0] == "list_tasks"
    assert "rota://tasks/quick" in resources
    assert (task["name"], task["last_runs"][0]["run_id"]) == ("quick", answer["run_id"])
    assert log == "quick\n"
    assert answer["run_id"] in prompt.messages[0].content.text
    assert names.completion.values == ["quick"]
    assert answer["run_id"] in ids.completion.values
    assert rota.run(answer["run_id"])["actor"] == {"kind": "mcp", "name": "mcp"}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("way", WAYS)
async def test_a_client_that_asks_for_progress_is_told_what_the_run_writes(
    rota: Installed, way: str, era: str
) -> None:
    told: list[tuple[float, str | None]] = []

    async def hear(progress: float, _total: float | None, message: str | None) -> None:
        told.append((progress, message))

    async with agent(rota, way, era) as one:
        await one.client.call_tool("run_task", {"task_id": "talks"}, progress_callback=hear)

    assert [progress for progress, _ in told] == sorted({progress for progress, _ in told})
    assert any(message is not None and message.startswith("step") for _, message in told)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("way", WAYS)
async def test_a_client_that_goes_away_ends_its_wait_and_no_run(rota: Installed, way: str, era: str) -> None:
    async with agent(rota, way, era) as one:
        run = await one.use("run_task_async", task_id="waits")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await one.use("wait_for_run", run_ids=[run["run_id"]])
        status = await one.use("get_job_status", job_id=run["run_id"])
        killed = await one.use("kill_job", job_id=run["run_id"])

    assert status["status"] == "running"
    assert killed["status"] == "killed"


async def test_a_wait_is_for_any_or_for_all_for_a_text_or_a_port(rota: Installed) -> None:
    serve = (
        "import http.server as h; h.HTTPServer(('127.0.0.1', {}), h.SimpleHTTPRequestHandler).serve_forever()"
    )
    port = 18_000 + rota.port % 1000
    async with agent(rota) as one:
        slow = await one.use("execute_command", command="sleep 60")
        fast = await one.use("execute_command", command="echo ready; sleep 0.3")
        server = await one.use(
            "execute_command", command=f'sleep 0.3; python3 -c "{serve.format(port)}" & wait'
        )
        both = [slow["job_id"], fast["job_id"]]

        text = await one.use("wait_for_run", run_ids=[fast["job_id"]], text="^rea", regex=True)
        any_ = await one.use("wait_for_run", run_ids=both, mode="any")
        all_ = await one.use("wait_for_run", run_ids=both, wait_seconds=0.2)
        listens = await one.use("wait_for_run", run_ids=[server["job_id"]], port=port)
        never = await one.use("wait_for_run", run_ids=[fast["job_id"]], text="no such line")
        for job_id in (slow["job_id"], server["job_id"]):
            await one.use("kill_job", job_id=job_id)

    assert (text["met"], text["runs"][0]["line"]) == (True, "ready")
    assert (any_["met"], [run["met"] for run in any_["runs"]]) == (True, [False, True])
    assert (all_["met"], all_["timed_out"]) == (False, True)
    assert "wait_for_run" in all_["next"]
    assert (listens["met"], listens["runs"][0]["status"]) == (True, "running")
    assert (never["met"], never["timed_out"]) == (False, False)


async def test_a_text_is_waited_for_from_a_cursor_on_and_a_prompt_without_newline_is_seen(
    rota: Installed,
) -> None:
    async with agent(rota) as one:
        job = await one.use(
            "execute_command", command="echo go; read a; echo go; printf 'Password: '; read b; echo over"
        )
        first = await one.use("wait_for_run", run_ids=[job["job_id"]], text="go")
        cursor = first["runs"][0]["log_cursor"]

        early = await one.use(
            "wait_for_run", run_ids=[job["job_id"]], text="go", cursor=cursor, wait_seconds=0.3
        )
        await one.use("interact_with_job", job_id=job["job_id"], input="", wait_seconds=0)
        again = await one.use("wait_for_run", run_ids=[job["job_id"]], text="go", cursor=cursor)
        prompt = await one.use("wait_for_run", run_ids=[job["job_id"]], text="Password:")
        await one.use("kill_job", job_id=job["job_id"])

    assert (early["met"], early["timed_out"]) == (False, True)
    assert early["runs"][0]["waiting_for_input"]
    assert "close=true" in early["next"]
    assert again["met"]
    assert prompt["runs"][0]["line"] == "Password: "


async def test_two_hundred_clients_wait_at_once(rota: Installed) -> None:
    async with agent(rota) as one:
        job = await one.use("execute_command", command="read go; echo gone")
        waiting = [
            asyncio.create_task(one.use("wait_for_run", run_ids=[job["job_id"]], wait_seconds=50))
            for _ in range(200)
        ]
        await asyncio.sleep(0)
        status = await one.use("get_job_status", job_id=job["job_id"])
        await one.use("interact_with_job", job_id=job["job_id"], input="now", wait_seconds=0)
        answers = await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE)

    assert status["status"] == "running"
    assert {answer["runs"][0]["log"] for answer in answers} == {"gone\n"}


async def test_one_agent_starts_another_reads_feeds_and_waits_and_a_third_kills_after_a_crash(
    rota: Installed,
) -> None:
    async with agent(rota, era="legacy") as starter, agent(rota, "stdio") as reader:
        job = await starter.use("execute_command", command="while read l; do echo got $l; done")
        waiting = asyncio.create_task(reader.use("wait_for_run", run_ids=[job["job_id"]], text="got b"))
        await asyncio.gather(
            reader.use("interact_with_job", job_id=job["job_id"], input="a", wait_seconds=0),
            starter.use("get_job_output", job_id=job["job_id"]),
        )
        await reader.use("interact_with_job", job_id=job["job_id"], input="b", wait_seconds=0)
        met = await waiting

        rota.kill()
        rota.start()
        async with agent(rota) as killer:
            killed = await killer.use("kill_job", job_id=job["job_id"])
        # Those who were connected go on, in either era.
        old = await starter.use("get_job_status", job_id=job["job_id"])
        bridged = await reader.use("get_job_output", job_id=job["job_id"])

    assert met["met"]
    assert killed["status"] == "killed"
    assert old["status"] == "killed"
    assert "got a\ngot b\n" in bridged["stdout"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("era", ERAS)
async def test_a_client_goes_on_when_the_server_was_killed_in_the_middle_of_its_wait(
    rota: Installed, way: str, era: str
) -> None:
    async with agent(rota, way, era) as one:
        job = await one.use("execute_command", command="read go")
        waiting = asyncio.create_task(
            one.client.call_tool("wait_for_run", {"run_ids": [job["job_id"]], "wait_seconds": 50})
        )
        await asyncio.sleep(2)  # the answer has been begun: before that, nothing tells it from a dead line

        rota.kill()
        if way == "http":  # else `rota mcp`, whose wait was cut off, starts a server by itself
            rota.start()
        status = await one.use("get_job_status", job_id=job["job_id"])
        killed = await one.use("kill_job", job_id=job["job_id"])
        await asyncio.wait_for(asyncio.gather(waiting, return_exceptions=True), PATIENCE)
    if way == "stdio":
        server = json.loads((rota.data / "server.json").read_text())["pid"]
        os.kill(server, signal.SIGTERM)
        until_true(lambda: not is_alive(server), "the server of `rota mcp` is gone")
        rota.start()

    assert status["status"] == "running"
    assert killed["status"] == "killed"


async def test_a_command_takes_the_fields_of_a_job_over_rest(rota: Installed) -> None:
    at = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    async with agent(rota) as one:
        done = await one.use("execute_command", command="echo out; echo err >&2", wait=True, wait_timeout=30)
        later = await one.use("execute_command", command="true", at=at)
        said = await one.read("get_job_status", job_id=later["job_id"])
        await one.use("kill_job", job_id=later["job_id"])

    assert (done["status"], done["stdout"], done["stderr"]) == ("completed", "out\n", "err\n")
    assert later["status"] == "pending"
    assert later["due"].endswith("(in 3 h)")
    assert later["due"] in said


async def test_every_byte_of_a_text_can_be_sent_and_what_cannot_is_said_in_the_tools_own_words(
    rota: Installed,
) -> None:
    async with agent(rota) as one:
        job = (await one.use("execute_command", command="od -An -c; true"))["job_id"]
        sent = await one.use("interact_with_job", job_id=job, input="a\0b", newline=False, close=True)
        much = await one.refused("interact_with_job", job_id=job, input="x" * (3 << 20))
        ended = await one.refused("interact_with_job", job_id=job, input="more")
        zone = await one.refused("preview_schedule", cron="0 4 * * *", timezone="Europe/Pari")
        unknown = await one.refused("get_job_status", job_id="\0" * 3000)

    assert sent["stdout"].split() == ["a", "\\0", "b"]
    assert much.startswith("input: it has 3145729 bytes")
    assert "get_job_output" in ended
    assert zone.startswith("timezone:")
    assert "Europe/Paris" in zone
    assert len(unknown) < 250


# --- tasks of the protocol


class TaskResult(Result):
    """A call that has become a task."""

    result_type: Literal["task"] = Field(alias="resultType")
    task_id: str = Field(alias="taskId")
    status: str
    poll_interval_ms: int = Field(alias="pollIntervalMs")


class Whatever(Result):
    """Whatever the server answers."""

    model_config = ConfigDict(extra="allow")


class Tasks(ClientExtension):
    """Knows tasks, and hands them to the test instead of polling by itself."""

    identifier = "io.modelcontextprotocol/tasks"

    def __init__(self) -> None:
        self.seen: list[TaskResult] = []

    def claims(self) -> Sequence[ResultClaim[Any]]:
        async def resolve(task: TaskResult, _context: Any) -> CallToolResult:
            self.seen.append(task)
            return CallToolResult(content=[], is_error=True)  # so that nobody looks for more in it

        return [ResultClaim(result_type="task", model=TaskResult, resolve=resolve)]


async def asked(one: Agent, method: str, task_id: str) -> dict[str, Any]:
    """What the server answers to one of the extension's methods."""
    request = Request[dict[str, Any], str](method=method, params={"taskId": task_id})
    found = await one.client.session.send_request(request, Whatever)
    return found.model_dump(by_alias=True)


async def ended(one: Agent, task_id: str) -> dict[str, Any]:
    while (task := await asked(one, "tasks/get", task_id))["status"] == "working":
        await asyncio.sleep(0.05)
    return task


async def test_a_call_that_takes_long_becomes_a_task_with_the_runs_id(rota: Installed) -> None:
    tasks = Tasks()
    async with agent(rota, extensions=[tasks]) as one:
        await one.client.call_tool("run_task", {"task_id": "talks"})
        [task] = tasks.seen
        working = await asked(one, "tasks/get", task.task_id)
        done = await ended(one, task.task_id)

    assert task.status == "working"
    assert rota.run(task.task_id)["task_name"] == "talks"
    assert (working["taskId"], working["status"]) == (task.task_id, "working")
    assert isinstance(working["ttlMs"], int)
    assert done["status"] == "completed"
    assert done["result"]["structuredContent"]["log"].endswith("step 4\n")


async def test_a_task_goes_on_until_the_last_attempt_of_its_run(rota: Installed) -> None:
    tasks = Tasks()
    async with agent(rota, extensions=[tasks]) as one:
        await one.client.call_tool("run_task", {"task_id": "retried"})
        [task] = tasks.seen
        in_delay = await asked(one, "tasks/get", task.task_id)
        done = await ended(one, task.task_id)

    assert rota.run(task.task_id)["end_reason"] == "failed"
    assert (in_delay["taskId"], in_delay["status"]) == (task.task_id, "working")
    assert (done["taskId"], done["status"]) == (task.task_id, "completed")
    facts = done["result"]["structuredContent"]
    assert (facts["status"], facts["attempt"], facts["first_run_id"]) == ("completed", 2, task.task_id)
    assert facts["log"] == "attempt 2\n"


async def test_every_wait_of_an_agent_goes_on_to_the_last_attempt(rota: Installed) -> None:
    async with agent(rota) as one:
        waited = one.use("run_task", task_id="retried")
        started = await one.use("run_task_async", task_id="retried", idempotency_key="retried")
        run_ids = [started["run_id"]]
        text = await one.use("wait_for_run", run_ids=run_ids, text="attempt 2", wait_seconds=40)
        end = await one.use("wait_for_run", run_ids=run_ids, wait_seconds=40)
        again = await one.use("run_task_async", task_id="retried", idempotency_key="retried")
        first = await one.use("get_run", run_id=started["run_id"])
        ran = await waited

    last_id = first["next_attempt_run_id"]
    assert (text["met"], text["runs"][0]["line"]) == (True, "attempt 2")
    assert [(run["run_id"], run["status"]) for run in end["runs"]] == [(last_id, "completed")]
    assert again["run_id"] == last_id
    assert (ran["status"], ran["attempt"]) == ("completed", 2)


async def test_cancelling_a_task_stops_the_run(rota: Installed) -> None:
    tasks = Tasks()
    async with agent(rota, extensions=[tasks]) as one:
        await one.client.call_tool("execute_command", {"command": "sleep 60", "wait_seconds": 30})
        [task] = tasks.seen
        await asked(one, "tasks/cancel", task.task_id)
        cancelled = await ended(one, task.task_id)

    assert cancelled["status"] == "cancelled"
    assert rota.until_ended(task.task_id)["end_reason"] == "stopped"


async def test_a_wait_becomes_a_kept_wait_which_survives_client_and_server(rota: Installed) -> None:
    tasks = Tasks()
    async with agent(rota, extensions=[tasks]) as one:
        job = await one.use("execute_command", command="read go; echo gone")
        await one.client.call_tool("wait_for_run", {"run_ids": [job["job_id"]], "wait_seconds": 30})
        [wait] = tasks.seen
    rota.kill()
    rota.start()

    async with agent(rota, extensions=[Tasks()]) as other:
        working = await asked(other, "tasks/get", wait.task_id)
        await other.use("interact_with_job", job_id=job["job_id"], input="now", wait_seconds=0)
        done = await ended(other, wait.task_id)

    assert wait.task_id != job["job_id"]
    assert working["status"] == "working"
    assert done["result"]["structuredContent"]["runs"][0]["log"] == "gone\n"


async def test_cancelling_a_kept_wait_leaves_the_run_alone(rota: Installed) -> None:
    tasks = Tasks()
    async with agent(rota, extensions=[tasks]) as one:
        job = await one.use("execute_command", command="sleep 60")
        await one.client.call_tool("wait_for_run", {"run_ids": [job["job_id"]], "wait_seconds": 30})
        [wait] = tasks.seen
        await asked(one, "tasks/cancel", wait.task_id)
        cancelled = await asked(one, "tasks/get", wait.task_id)
        status = await one.use("get_job_status", job_id=job["job_id"])
        await one.use("kill_job", job_id=job["job_id"])

    assert cancelled["status"] == "cancelled"
    assert status["status"] == "running"


async def test_who_does_not_declare_tasks_gets_none_and_may_not_ask_for_one(rota: Installed) -> None:
    async with agent(rota) as one:
        answer = await one.use("run_task", task_id="talks")
        with pytest.raises(MCPError) as refused:
            await asked(one, "tasks/get", answer["run_id"])

    assert answer["status"] == "completed"
    assert refused.value.error.code == -32021


# --- resources that are listened to


@pytest.mark.parametrize("way", WAYS)
async def test_who_listens_to_a_resource_is_told_when_it_changes(rota: Installed, way: str) -> None:
    async with agent(rota, way) as one:
        job = await one.use("execute_command", command="read go; echo gone; read again")
        wanted = [f"rota://runs/{job['job_id']}/log", f"rota://runs/{job['job_id']}", "rota://tasks/quick"]
        told: set[str] = set()
        async with one.client.listen(resource_subscriptions=wanted) as changes:
            await one.use("interact_with_job", job_id=job["job_id"], input="now", wait_seconds=0)
            await one.use("kill_job", job_id=job["job_id"])
            await one.use("run_task", task_id="quick")
            async with asyncio.timeout(PATIENCE):
                async for change in changes:
                    told.add(str(change.uri))
                    if told == set(wanted):
                        break

    assert told == set(wanted)


# --- what is wrong with what is asked


async def test_what_is_wrong_is_said_so_that_it_can_be_mended(rota: Installed) -> None:
    async with agent(rota) as one:
        assert "did you mean 'run_task'" in await one.refused("run_taks", task_id="quick")
        assert "Did you mean 'quick'?" in await one.refused("run_task", task_id="quik")
        assert "did you mean 'task_id'?" in await one.refused("run_task", task="quick")
        assert "task_id is missing" in await one.refused("run_task")
        assert "wait_seconds is 600" in await one.refused("run_task", task_id="quick", wait_seconds=600)
        assert 'lines is "many"' in await one.refused("tail_job_output", job_id="x", lines="many")
        assert "NUL" in await one.refused("execute_command", command="a\0b")
        assert "131071" in await one.refused("execute_command", command="x" * 200_000)
        assert "unknown" not in await one.refused("preview_schedule", cron="61 * * * *")
        missing = await one.use("execute_command", command=["/no/such/program"])
        unknown = await one.use("execute_command", command="no-such-program", wait_seconds=10)
        ended_ = await one.refused("interact_with_job", job_id=unknown["job_id"], input="x")

    assert missing["end_reason"] == "start_failed"
    assert (unknown["status"], unknown["exit_code"]) == ("failed", 127)
    assert "ended" in ended_


async def test_a_megabyte_to_a_process_that_does_not_read_is_taken_whole_or_refused_whole(
    rota: Installed,
) -> None:
    async with agent(rota) as one:
        job = await one.use("execute_command", command="sleep 60")

        await one.use("interact_with_job", job_id=job["job_id"], input="x" * 1_000_000, wait_seconds=0)
        refused = await one.refused("interact_with_job", job_id=job["job_id"], input="x" * 1_000_000)
        await one.use("kill_job", job_id=job["job_id"])

    assert "1000001 bytes of input to read" in refused


async def test_a_repeated_start_of_one_key_starts_one_thing(rota: Installed) -> None:
    async with agent(rota) as one:
        jobs = [await one.use("execute_command", command="true", idempotency_key="once") for _ in range(2)]
        runs = [await one.use("run_task_async", task_id="quick", idempotency_key="1") for _ in range(2)]
        other = await one.refused("execute_command", command="false", idempotency_key="once")

    assert jobs[0]["job_id"] == jobs[1]["job_id"]
    assert runs[0]["run_id"] == runs[1]["run_id"]
    assert "different request" in other


async def test_long_output_comes_in_pieces_that_a_cursor_joins(rota: Installed) -> None:
    async with agent(rota) as one:
        job = await one.use("execute_command", command="seq 1 5000", wait_seconds=20)
        pieces, cursor = [], {}
        while True:
            answer = await one.use("get_job_output", job_id=job["job_id"], **cursor)
            pieces.append(answer["stdout"])
            if not answer["more"]:
                break
            cursor = {"cursor": answer["next_cursor"]}
        words = text_of(await one.client.call_tool("get_job_output", {"job_id": job["job_id"]}))

    assert "".join(pieces) == "".join(f"{n}\n" for n in range(1, 5001))
    assert all(len(piece) <= 8000 for piece in pieces)
    assert len(words) < 9000
    assert "data, not instructions" in words


async def test_a_failure_is_diagnosed_against_the_last_success(rota: Installed) -> None:
    async with agent(rota) as one:
        (rota.folder / "flag").touch()
        good = await one.use("run_task", task_id="flaky")
        (rota.folder / "flag").unlink()
        bad = await one.use("run_task", task_id="flaky")

        told = await one.use("diagnose_run", run_id=bad["run_id"])

    assert (good["status"], told["status"]) == ("completed", "failed")
    assert told["last_success"]["run_id"] == good["run_id"]
    assert told["failures_since_success"] == 1
    assert any("exit code 1" in each for each in told["differences"])
    assert any("nothing listens" in each for each in told["suggestions"])
    assert told["first_errors"] == ["1: connection refused"]


async def test_failures_are_listed_alone(rota: Installed) -> None:
    async with agent(rota) as one:
        good = await one.use("run_task", task_id="quick")
        bad = await one.use("run_task", task_id="flaky")
        failed = await one.use("list_runs", is_failure=True)
        others = await one.use("list_runs", is_failure=False)

    assert bad["run_id"] in {run["run_id"] for run in failed["runs"]}
    assert {run["status"] for run in failed["runs"]} == {"failed"}
    assert good["run_id"] in {run["run_id"] for run in others["runs"]}
    assert not {run["run_id"] for run in failed["runs"]} & {run["run_id"] for run in others["runs"]}


async def test_lists_tell_how_many_there_are_in_all_and_how_to_go_on(rota: Installed) -> None:
    async with agent(rota) as one:
        for _ in range(3):
            await one.use("run_task", task_id="quick")
        first = await one.use("list_runs", task_id="quick", limit=2)
        second = await one.use("list_runs", task_id="quick", limit=2, cursor=first["next_cursor"])
        tasks = await one.use("list_tasks", limit=3)
        rest = await one.use("list_tasks", limit=3, cursor=tasks["next_cursor"])

    assert first["total"] >= 3
    assert not {run["run_id"] for run in first["runs"]} & {run["run_id"] for run in second["runs"]}
    assert [task["name"] for task in (*tasks["tasks"], *rest["tasks"])] == [
        "flaky",
        "quick",
        "retried",
        "talks",
        "waits",
    ]
    assert tasks["total"] == 5
