"""Agents write tasks into the configuration, when a person has given them a file for it."""

from __future__ import annotations

import asyncio
import stat
import tomllib
from typing import TYPE_CHECKING

import pytest
from agents import WAYS, agent

if TYPE_CHECKING:
    from collections.abc import Callable

    from installed import Installed

CONFIG = '[server]\nmanaged_file = "agents.toml"\n\n[tasks.mine]\nrun = "true"\n'
MANAGED = '# by agents\n[tasks.theirs]  # keep this\nrun = "echo one"\nsecrets = { KEY = "hunter2" }\n'


@pytest.mark.parametrize("way", WAYS)
async def test_a_task_is_shown_first_then_written_and_then_it_runs(
    install: Callable[[str], Installed], way: str
) -> None:
    rota = install(CONFIG).start()
    file = rota.folder / "agents.toml"
    async with agent(rota, way) as one:
        tools = {tool.name for tool in (await one.client.list_tools()).tools}
        would = await one.use("save_task", name="new", task={"run": "echo made", "cron": "@daily"})
        assert not file.exists()
        did = await one.use(
            "save_task", name="new", task={"run": "echo made", "cron": "@daily"}, dry_run=False
        )
        ran = await one.use("run_task", task_id="new")

    assert "save_task" in tools
    assert would["diff"] == did["diff"]
    assert '+[tasks.new]\n+run = "echo made"\n+cron = "@daily"\n' in would["diff"]
    assert would["changes"] == did["changes"] == ["task new added"]
    assert "dry_run=false" in would["next"]
    assert ran["log"] == "made\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    rota.kill()
    rota.start()
    assert [task["name"] for task in rota.client.tasks()] == ["mine", "new"]


async def test_a_change_keeps_comments_rights_and_links_and_shows_no_secret(
    install: Callable[[str], Installed],
) -> None:
    rota = install(CONFIG)
    real = rota.folder / "elsewhere.toml"
    real.write_text(MANAGED)
    real.chmod(0o640)
    (rota.folder / "agents.toml").symlink_to(real)
    rota.start()

    async with agent(rota) as one:
        words = await one.read("save_task", name="theirs", task={"run": "echo two"}, dry_run=False)

    assert real.read_text() == MANAGED.replace("echo one", "echo two")
    assert (rota.folder / "agents.toml").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert "hunter2" not in words
    assert "task theirs changed (run)" in words
    assert rota.rota("run", "theirs").stdout == "two\n"


async def test_what_is_not_sound_is_refused_with_every_fault_and_nothing_is_written(
    install: Callable[[str], Installed],
) -> None:
    rota = install(CONFIG).start()
    async with agent(rota) as one:
        for dry_run in (True, False):
            said = await one.refused(
                "save_task", name="bad", task={"rnu": "x", "cron": "nonsense"}, dry_run=dry_run
            )
            assert "tasks.bad.rnu" in said
            assert "tasks.bad.cron" in said
        taken = await one.refused("save_task", name="mine", task={"run": "false"}, dry_run=False)

    assert f"{rota.config}:4:8" in taken
    assert not (rota.folder / "agents.toml").exists()
    assert [task["name"] for task in rota.client.tasks()] == ["mine"]


async def test_without_a_managed_file_the_tool_is_not_shown_and_says_what_to_do(
    install: Callable[[str], Installed],
) -> None:
    rota = install('[tasks.mine]\nrun = "true"\n').start()
    async with agent(rota) as one:
        tools = {tool.name for tool in (await one.client.list_tools()).tools}
        said = await one.refused("save_task", name="new", task={"run": "true"})

    assert "save_task" not in tools
    assert "managed_file" in said


async def test_it_is_for_the_tier_admin_and_for_owners(install: Callable[[str], Installed]) -> None:
    rota = install(CONFIG + '[mcp]\ntier = "operate"\n').start()
    async with agent(rota) as one:
        assert "needs the tier admin" in await one.refused("save_task", name="new", task={"run": "true"})
    rota.terminate()
    rota.config.write_text(CONFIG)
    rota.start(ROTA_AUTH="off")

    async with agent(rota) as one:
        assert "asks for no token" in await one.refused("save_task", name="new", task={"run": "true"})


async def test_a_task_of_an_agents_may_do_no_more_than_its_jobs(install: Callable[[str], Installed]) -> None:
    bounds = '\n[jobs]\nshell = "/usr/bin/env sh"\nallow = ["echo", "env"]\ncwd_roots = ["{}", "/srv"]\n'
    rota = install(CONFIG)
    rota.config.write_text(CONFIG + bounds.format(rota.folder))
    rota.start()
    async with agent(rota) as one:
        for task, why in (
            ({"run": ["rm", "-r", "x"]}, "[jobs] allow has 'echo', 'env'"),
            ({"run": "echo x", "shell": "bash"}, "jobs may not start 'bash'"),
            ({"run": ["echo"], "working_dir": "/"}, "[jobs] cwd_roots"),
        ):
            for dry_run in (True, False):
                said = await one.refused("save_task", name="new", task=task, dry_run=dry_run)
                assert "task 'new' was not written" in said
                assert why in said
        assert not (rota.folder / "agents.toml").exists()
        await one.use("save_task", name="new", task={"run": ["echo", "x"]}, dry_run=False)
        await one.use("save_task", name="text", task={"run": "echo y", "shell": "env sh"}, dry_run=False)
        ran = await one.use("execute_command", command="echo z", cwd="/srv", wait_seconds=20)

    assert ran["status"] == "completed"
    assert rota.rota("run", "text").stdout == "y\n"


async def test_what_is_saved_is_loaded_and_no_change_waits_to_be(install: Callable[[str], Installed]) -> None:
    rota = install(CONFIG).start()
    async with agent(rota) as one:
        for run in ("echo one", "echo two"):
            await one.use("save_task", name="new", task={"run": run}, dry_run=False)
            assert rota.client.info()["config_changed"] is False
    with (rota.folder / "agents.toml").open("a") as file:
        file.write("# a person\n")

    assert rota.client.info()["config_changed"] is True


async def test_another_secret_is_a_change_though_none_is_shown(install: Callable[[str], Installed]) -> None:
    rota = install(CONFIG)
    (rota.folder / "agents.toml").write_text(MANAGED)
    rota.start()
    async with agent(rota) as one:
        said = await one.read("save_task", name="theirs", task={"secrets": {"KEY": "hunter3"}})

    assert '+secrets = {KEY = "[redacted] (another one)"}' in said
    assert "Nothing is written yet" in said


async def test_agents_at_once_lose_none_of_each_others_tasks(install: Callable[[str], Installed]) -> None:
    rota = install(CONFIG).start()
    async with agent(rota) as one, agent(rota, "stdio") as other:
        await asyncio.gather(*(
            who.use("save_task", name=f"{n}-{name}", task={"run": "true"}, dry_run=False)
            for n in range(10)
            for name, who in (("one", one), ("other", other))
        ))  # fmt: skip

    assert len(tomllib.loads((rota.folder / "agents.toml").read_text())["tasks"]) == 20
    assert len(rota.client.tasks()) == 21
