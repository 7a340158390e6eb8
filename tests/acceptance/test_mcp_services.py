"""Agents see services, and have them start, stop, restart, scale and hear signals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from agents import agent
from installed import Installed

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = """
[services.web]
run = "echo serves $ROTA_INSTANCE_INDEX; exec sleep 100"
description = "The shop's pages"
healthy_after = "50ms"
reload_signal = "USR1"

[services.sick]
run = "echo 'no database'; exit 3"
restart_attempts = 1

[tasks.job]
run = "true"
"""


@pytest.fixture(scope="module")
def rota(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    rota = Installed(tmp_path_factory.mktemp("services"), CONFIG)
    rota.start()
    yield rota
    rota.end()


async def test_an_agent_finds_services_and_controls_one(rota: Installed) -> None:
    async with agent(rota) as one:
        await one.use("control_service", service="web", action="start")
        listed = await one.use("list_tasks")
        stopped = await one.use("control_service", service="web", action="stop")
        started = await one.use("control_service", service="web", action="start")
        scaled = await one.use("control_service", service="web", action="scale", instances=2)
        rolled = await one.use("control_service", service="web", action="restart", rolling=True)
        log = await one.use("get_task_logs", task_id="web")

    by_name = {each["name"]: each for each in listed["services"]}
    assert by_name["web"] == {
        "name": "web", "state": "healthy", "healthy": 1, "scale": 1, "description": "The shop's pages",
    }  # fmt: skip
    assert [each["name"] for each in listed["tasks"]] == ["job"]
    assert (stopped["state"], stopped["wanted"], stopped["settled"]) == ("stopped", False, True)
    assert (started["state"], started["healthy"]) == ("healthy", 1)
    assert (scaled["scale"], scaled["healthy"]) == (2, 2)
    before, after = ([each["run_id"] for each in answer["instances"]] for answer in (scaled, rolled))
    assert not set(before) & set(after)
    assert log["log"].startswith("serves ")


async def test_what_is_wrong_with_a_service_is_told_with_what_to_do_next(rota: Installed) -> None:
    async with agent(rota) as one:
        answer = await one.use("control_service", service="sick", action="start")
        words = await one.read("control_service", service="sick", action="status")

    [instance] = answer["instances"]
    assert (answer["state"], instance["message"]) == (
        "failed",
        "given up after 1 failure: it ended with exit code 3",
    )
    assert answer["next"] == f'diagnose_run(run_id="{instance["run_id"]}") says why instance 0 is so.'
    assert words.startswith(
        "service sick: failed, 0 of 1 healthy. Instance 0 is failed: given up after 1 failure: it ended"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"service": "wbe", "action": "start"}, "there is no service named 'wbe'; did you mean 'web'?"),
        ({"service": "job", "action": "start"}, "'job' is a task"),
        ({"service": "web", "action": "scale"}, "action='scale' needs instances"),
        ({"service": "web", "action": "stop", "rolling": True}, "rolling is of action='restart'"),
        ({"service": "web", "action": "signal", "signal": "hop"}, "signal is 'hop'"),
        ({"service": "sick", "action": "signal"}, "has no reload_signal"),
    ],
)
async def test_a_slip_is_answered_with_what_is_right(
    rota: Installed, arguments: dict[str, object], said: str
) -> None:
    async with agent(rota) as one:
        assert said in await one.refused("control_service", **arguments)


async def test_a_service_is_no_task_to_run(rota: Installed) -> None:
    async with agent(rota) as one:
        said = await one.refused("run_task", task_id="web")

    assert said == "'web' is a service, which is kept alive and not run: see control_service."
