"""The protocol as others see it: its conformance suite over HTTP, and the inspector's command line."""

from __future__ import annotations

import asyncio
import json
import subprocess
from typing import TYPE_CHECKING, Any

import node
import pytest
from installed import PATIENCE, ROTA, Installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = """
[tasks.quick]
run = "echo quick"

[tasks.slow]
run = "sleep 3; echo slow"
"""

#: Every scenario that needs no tools made for the test, with the checks that fail in it, each for its reason.
SCENARIOS: dict[str, set[str]] = {
    "server-initialize": set(),
    "server-session-lifecycle": set(),
    "ping": set(),
    "tools-list": set(),
    "tools-call-error": set(),
    "resources-list": set(),
    "prompts-list": set(),
    "completion-complete": set(),
    "caching": set(),
    "http-header-validation": set(),
    "sep-2164-resource-not-found": set(),
    "server-sse-multiple-streams": set(),
    "dns-rebinding-protection": set(),
    # They call a tool of the suite's own that needs a capability which the client has not declared.
    "server-stateless": {
        "sep-2575-server-rejects-undeclared-capability",
        "sep-2575-missing-capability-http-400",
    },
    # Logging is deprecated by the protocol, and not served.
    "logging-set-level": {"logging-set-level"},
}


@pytest.fixture(scope="module")
def rota(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    rota = Installed(tmp_path_factory.mktemp("conformance"), CONFIG)
    rota.start(ROTA_AUTH="off")  # the suite can send no token
    yield rota
    rota.end()


async def test_the_conformance_suite_finds_what_is_expected(rota: Installed, tmp_path: Path) -> None:
    suite = node.program("conformance")
    two = asyncio.Semaphore(2)

    async def failures(scenario: str) -> tuple[str, set[str]]:
        url = f"http://127.0.0.1:{rota.port}/mcp"
        words = ["server", "--url", url, "--scenario", scenario, "-o", str(tmp_path / scenario)]
        async with two:
            process = await asyncio.create_subprocess_exec(
                *suite, *words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=node.environment()
            )
            said, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        [checks] = (tmp_path / scenario).rglob("checks.json")
        found = json.loads(checks.read_text())
        assert found, said.decode()
        return scenario, {check["id"] for check in found if check["status"] == "FAILURE"}

    assert dict(await asyncio.gather(*map(failures, SCENARIOS))) == SCENARIOS


@pytest.mark.parametrize("era", ["legacy", "modern"])
@pytest.mark.parametrize("way", ["http", "stdio"])
def test_the_inspector_lists_calls_and_reads(rota: Installed, way: str, era: str) -> None:
    listed = inspect(rota, way, era, "tools/list", "--strict")["tools"]
    # In the modern era it knows tasks: the call becomes one, and it asks for its end.
    answer = inspect(
        rota, way, era, "tools/call", "--tool-name", "run_task", "--tool-args-json", '{"task_id":"slow"}'
    )
    read = inspect(rota, way, era, "resources/read", "--uri", "rota://tasks/quick")

    assert "execute_command" in [tool["name"] for tool in listed]
    assert answer["structuredContent"]["log"] == "slow\n"
    assert json.loads(read["contents"][0]["text"])["name"] == "quick"


def inspect(rota: Installed, way: str, era: str, method: str, *words: str) -> dict[str, Any]:
    """What the inspector's command line shows of one method."""
    target = (
        [f"http://127.0.0.1:{rota.port}/mcp", "--transport", "http"]
        if way == "http"
        else [ROTA, "mcp", "--data", str(rota.data)]
    )
    shown = subprocess.run(
        [
            *node.program("mcp-inspector"), "--cli", *target,
            "--method", method, *words, "--protocol-era", era, "-q", "--format", "json",
        ],
        capture_output=True, text=True, timeout=PATIENCE, env=node.environment(), check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    found: dict[str, Any] = json.loads(shown.stdout)["result"]
    return found
