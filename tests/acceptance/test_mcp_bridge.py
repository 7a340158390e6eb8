"""`rota mcp` alone, in an agent's configuration, is a working installation; what it starts outlives it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from agents import ERAS, Agent
from installed import PATIENCE, ROTA, environment, is_alive, until_gone
from mcp import Client, StdioServerParameters

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

#: Megabytes that a bridge may take; each agent has one.
LIGHT = 30


class Home:
    """A user's home, in which nothing of Rota is yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.work.mkdir(parents=True)
        self.data = folder / ".local" / "state" / "rota"
        self.environ = environment() | {
            "HOME": str(folder), "XDG_STATE_HOME": str(folder / ".local/state"), "SECRET_OF_THE_AGENT": "s",
        }  # fmt: skip
        self.environ.pop("XDG_CONFIG_HOME", None)
        # As root the folders are the machine's own, which a test has to leave alone.
        self.environ["ROTA_DATA"] = str(self.data)

    @contextlib.asynccontextmanager
    async def bridge(self, *words: str, era: str = "2026-07-28", **environ: str) -> AsyncIterator[Agent]:
        where = StdioServerParameters(
            command=ROTA, args=["mcp", *words], cwd=self.work, env=self.environ | environ
        )
        async with Client(where, mode=era, read_timeout_seconds=PATIENCE) as client:
            yield Agent(client)

    def server(self) -> dict[str, Any]:
        return json.loads((self.data / "server.json").read_text())

    def end(self) -> None:
        subprocess.run(
            [ROTA, "shutdown"], env=self.environ, capture_output=True, timeout=PATIENCE, check=False
        )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    yield home
    home.end()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """One whose server the first of its bridges starts, for all tests that need no new one."""
    home = Home(tmp_path_factory.mktemp("served"))
    yield home
    home.end()


@pytest.mark.parametrize("era", ERAS)
async def test_with_no_server_and_no_file_it_starts_one_and_the_job_outlives_the_chat(
    home: Home, era: str
) -> None:
    async with home.bridge(era=era) as one:
        tasks = await one.use("list_tasks")
        job = await one.use("execute_command", command="read go; echo gone")
    server = home.server()
    async with home.bridge() as other:
        status = await other.use("get_job_status", job_id=job["job_id"])
        answer = await other.use("interact_with_job", job_id=job["job_id"], input="now")

    assert tasks["tasks"] == []
    assert "No task is configured" in tasks["next"]
    assert status["status"] == "running"
    assert answer["stdout"] == "gone\n"
    assert home.server()["pid"] == server["pid"]
    assert os.getsid(server["pid"]) == server["pid"]


async def test_two_that_start_at_once_end_up_with_one_server(home: Home) -> None:
    async def start() -> dict[str, Any]:
        async with home.bridge() as one:
            return await one.use("execute_command", command="sleep 60")

    jobs = await asyncio.gather(start(), start(), start())
    async with home.bridge() as one:
        listed = await one.use("list_jobs")

    assert {job["job_id"] for job in listed["jobs"]} == {job["job_id"] for job in jobs}
    assert len(list(home.data.glob("*.lock"))) >= 1


async def test_a_port_that_is_taken_does_not_stop_it(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with home.bridge(ROTA_PORT=str(port)) as one:
            await one.use("list_tasks")

    assert home.server()["port"] != port


async def test_in_the_place_of_a_killed_server_the_next_is_where_that_one_was(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with home.bridge(ROTA_PORT=str(port)) as one:
        await one.use("list_tasks")
    first = home.server()
    os.kill(first["pid"], signal.SIGKILL)
    until_gone(first["pid"])

    async with home.bridge() as one:
        await one.use("list_tasks")

    assert home.server()["pid"] != first["pid"]
    assert home.server()["port"] == port


async def test_the_working_folder_gives_it_neither_configuration_nor_data(home: Home) -> None:
    (home.work / "rota.toml").write_text('[tasks.evil]\nrun = "touch /tmp/evil"\ncron = "* * * * * *"\n')
    (home.work / "rota").mkdir()
    (home.work / "rota" / "__init__.py").write_text("raise SystemExit('the wrong rota')")

    async with home.bridge() as one:
        tasks = await one.use("list_tasks")

    assert tasks["tasks"] == []
    assert sorted(path.name for path in home.work.iterdir()) == ["rota", "rota.toml"]


async def test_a_named_file_and_one_in_the_xdg_folder_are_read(home: Home) -> None:
    config = home.folder / ".config" / "rota" / "rota.toml"
    config.parent.mkdir(parents=True)
    config.write_text('[tasks.mine]\nrun = "pwd"\n')

    async with home.bridge() as one:
        answer = await one.use("run_task", task_id="mine")

    assert answer["log"] == f"{config.parent}\n"


async def test_a_job_runs_where_the_bridge_was_started_and_with_its_environment(served: Home) -> None:
    said = 'pwd; echo "$SECRET_OF_THE_AGENT"; echo "$EXTRA"; env | grep -c "^ROTA_DATA" || true'
    async with served.bridge() as one:
        job = await one.use("execute_command", command=said, env={"EXTRA": "x"}, wait_seconds=20)
        elsewhere = await one.use("execute_command", command="pwd", cwd="/", wait_seconds=20)
    pid = served.server()["pid"]
    servers = Path(f"/proc/{pid}/environ").read_bytes()

    assert job["stdout"] == f"{served.work}\ns\nx\n0\n"
    assert elsewhere["stdout"] == "/\n"
    assert b"SECRET_OF_THE_AGENT" not in servers
    assert Path(f"/proc/{pid}/cwd").readlink() == served.data


async def test_its_server_may_be_killed_under_it_and_what_was_asked_goes_on(served: Home) -> None:
    async with served.bridge() as one:
        job = await one.use("execute_command", command="read go; echo gone")
        waiting = asyncio.create_task(one.use("wait_for_run", run_ids=[job["job_id"]], wait_seconds=50))
        first = served.server()["pid"]
        os.kill(first, signal.SIGKILL)
        until_gone(first)
        await one.use("interact_with_job", job_id=job["job_id"], input="now", wait_seconds=0)
        waited = await waiting

    assert waited["runs"][0]["log"] == "gone\n"
    assert served.server()["pid"] != first


@pytest.mark.parametrize("era", ERAS)
async def test_every_kind_of_wait_goes_on_when_the_server_is_killed_in_the_middle_of_it(
    served: Home, era: str
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    go = served.work / f"go-{era}"
    until_told = f"until test -e {go}; do sleep 0.05; done"
    listens = f"import socket; it = socket.create_server(('127.0.0.1', {port})); input()"
    async with served.bridge(era=era) as one:
        writes = await one.use("execute_command", command=f"{until_told}; echo ready; read more")
        serves = await one.use("execute_command", command=f'{until_told}; exec python3 -c "{listens}"')
        stays = await one.use("execute_command", command="trap '' TERM; echo deaf; sleep 60; sleep 60")
        await one.use("wait_for_run", run_ids=[stays["job_id"]], text="deaf")
        waits = [
            one.use("wait_for_run", run_ids=[writes["job_id"]], text="ready", wait_seconds=50),
            one.use("wait_for_run", run_ids=[serves["job_id"]], port=port, wait_seconds=50),
            one.use("kill_job", job_id=stays["job_id"]),
            one.use("execute_command", command=f"{until_told}; echo over", name=era, wait_seconds=50),
        ]
        waiting = [asyncio.create_task(each) for each in waits]
        while not (await one.use("list_jobs", name=era, status="running"))["jobs"]:
            pass  # the last of them is under way, and so are those before it
        first = served.server()["pid"]
        os.kill(first, signal.SIGKILL)
        until_gone(first)
        go.touch()
        text, open_port, killed, ended = await asyncio.gather(*waiting)
        started = await one.use("list_jobs", name=era)

    assert (text["met"], text["runs"][0]["line"]) == (True, "ready")
    assert open_port["met"]
    assert killed["end_reason"] == "stopped"
    assert (ended["status"], ended["stdout"]) == ("completed", "over\n")
    assert started["total"] == 1


async def test_a_start_that_is_asked_again_after_a_crash_starts_one_thing(served: Home) -> None:
    async with served.bridge() as one:
        await one.use("list_tasks")
        # The server stands still while it has the request, and is killed: the next one is asked again.
        pid = served.server()["pid"]
        os.kill(pid, signal.SIGSTOP)
        starting = asyncio.create_task(one.use("execute_command", command="sleep 60", name="only-one"))
        await asyncio.sleep(0.3)
        os.kill(pid, signal.SIGKILL)
        job = await starting
        listed = await one.use("list_jobs", name="only-one")

    assert [each["job_id"] for each in listed["jobs"]] == [job["job_id"]]


@pytest.mark.parametrize(
    ("tier", "has", "lacks"),
    [("read", "get_job_status", "run_task"), ("operate", "run_task", "execute_command")],
)
async def test_a_tier_hides_the_tools_above_it(served: Home, tier: str, has: str, lacks: str) -> None:
    async with served.bridge("--tier", tier) as one:
        names = {tool.name for tool in (await one.client.list_tools()).tools}
        refusal = await one.refused("execute_command", command="true")

    assert has in names
    assert not names & {lacks, "execute_command", "interact_with_job"}
    assert "needs the tier admin" in refusal


async def test_the_configuration_says_the_most_that_any_agent_gets(home: Home) -> None:
    config = home.folder / "agents.toml"
    config.write_text('[mcp]\ntier = "read"\n')
    async with home.bridge("--config", str(config), "--tier", "admin") as one:
        names = {tool.name for tool in (await one.client.list_tools()).tools}

    assert "list_tasks" in names
    assert "run_task" not in names


def test_a_file_that_is_wrong_is_told_in_the_servers_own_words(home: Home) -> None:
    config = home.folder / "wrong.toml"
    config.write_text("[tasks.x]\nrum = 1\n")

    answers = spoken(home, INITIALIZE, words=("--config", str(config)))

    assert "wrong.toml" in answers[0]["error"]["message"]
    assert "rum" in answers[0]["error"]["message"]


def test_what_is_not_the_protocol_is_answered_and_what_follows_still_works(served: Home) -> None:
    answers = spoken(
        served, "no json", "[1]", '{"jsonrpc":"2.0","method":"notifications/whatever"}', INITIALIZE
    )

    assert [answer.get("error", {}).get("code") for answer in answers] == [-32700, -32600, None]
    assert answers[2]["result"]["serverInfo"]["name"] == "rota"


def test_it_stays_light_and_leaves_when_its_agent_does(served: Home) -> None:
    with subprocess.Popen(
        [ROTA, "mcp"], cwd=served.work, env=served.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as bridge:
        assert bridge.stdin is not None
        assert bridge.stdout is not None
        bridge.stdin.write(INITIALIZE.encode() + b"\n")
        bridge.stdin.flush()
        assert b"serverInfo" in bridge.stdout.readline()
        status = Path(f"/proc/{bridge.pid}/status").read_text()
        bridge.stdin.close()
        code = bridge.wait(PATIENCE)

    assert code == 0
    assert (
        int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) < LIGHT * 1024
    )
    assert is_alive(served.server()["pid"])


INITIALIZE = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "hand", "version": "1"},
        },
    }
)


def spoken(home: Home, *lines: str, words: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """What comes back for these lines, by hand."""
    expected = sum("notifications/" not in line for line in lines)
    with subprocess.Popen(
        [ROTA, "mcp", *words], cwd=home.work, env=home.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as bridge:
        assert bridge.stdin is not None
        assert bridge.stdout is not None
        for line in lines:
            bridge.stdin.write(line.encode() + b"\n")
        bridge.stdin.flush()
        answers = [json.loads(bridge.stdout.readline()) for _ in range(expected)]
        bridge.stdin.close()
    return answers
