"""Limits, with the real keeper and the real kernel, as far as this machine lets it make control groups."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from keeper_probe import Probe, is_alive, until_gone

from rota.keeper import cgroup
from rota.keeper.account import find_account
from rota.keeper.finding import find_keeper, shutdown_keeper, upgrade_keeper
from rota.keeper.recorded import read_left
from rota.model.limit import HeldBy
from rota.model.run import Cause
from rota.model.task import Stdin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rota.model.run import RunId

grouped = pytest.mark.skipif(cgroup.base() is None, reason="no control groups can be made here")
by_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a program as another user")

#: A process that leaves its session and its parent, and clears its environment; it tells its pid.
ESCAPE = "setsid sh -c 'env -i setsid sh -c \"echo \\$\\$; exec env -i sleep 300\" &' & sleep 0.2; "

#: Twenty processes, each of which is another one at every moment.
RUNAWAYS = """
import os, time
for _ in range(20):
    if os.fork() == 0:
        while True:
            if os.fork() > 0:
                os._exit(0)
time.sleep(300)
"""


@pytest.fixture
async def probe(tmp_path: Path) -> AsyncIterator[Probe]:
    probe = await Probe(tmp_path).connect()
    yield probe
    await probe.disconnect()
    await shutdown_keeper(tmp_path)


async def escaped(probe: Probe, run: RunId) -> int:
    await probe.until_written(run, b"\n")
    return int(probe.log(run).split()[0])


def groups_of(probe: Probe) -> list[str]:
    folder = cgroup.Cgroups(str(probe.data), cgroup.base()).folder
    return (
        []
        if folder is None or not os.path.isdir(folder)
        else [each.name for each in Path(folder).iterdir() if each.is_dir()]
    )


@grouped
async def test_a_run_with_limits_is_in_a_group_of_its_own_which_goes_with_it(probe: Probe) -> None:
    run = probe.shell("cat /proc/self/cgroup; read line", stdin=Stdin.PIPE, limits={"tasks_max": 50})
    await probe.until_written(run, b"\n0::")

    assert groups_of(probe) == [run]
    assert f"/{run}\n".encode() in probe.log(run)

    probe.link.stop(run, "a test")
    await probe.until_ended(run)

    assert groups_of(probe) == []


@grouped
async def test_a_run_without_limits_has_none(probe: Probe) -> None:
    run = probe.shell("cat /proc/self/cgroup")

    ended = await probe.until_ended(run)

    assert run.encode() not in probe.log(run)
    assert ended.limits is None


@grouped
async def test_what_hides_from_everything_else_is_a_leftover_all_the_same(probe: Probe) -> None:
    run = probe.shell(ESCAPE, limits={"tasks_max": 50})
    pid = await escaped(probe, run)

    ended = await probe.until_ended(run)

    assert not is_alive(pid)
    assert ended.leftovers == (f"sleep ({pid})",)
    assert groups_of(probe) == []


@grouped
async def test_a_stop_reaches_what_hides_from_everything_else(probe: Probe) -> None:
    run = probe.shell(ESCAPE + "sleep 300", limits={"tasks_max": 50}, grace=timedelta(seconds=0.1))
    pid = await escaped(probe, run)

    probe.link.stop(run, "a test")
    await probe.until_ended(run)

    assert not is_alive(pid)


@grouped
async def test_a_program_that_forks_as_fast_as_it_can_is_killed_as_a_whole(probe: Probe) -> None:
    run = probe.spawn(
        sys.executable, "-c", RUNAWAYS, limits={"tasks_max": 300}, grace=timedelta(), stop_signal="SIGKILL"
    )
    leaf = cgroup.Cgroups(str(probe.data), cgroup.base()).leaf(run)
    assert leaf is not None
    async with asyncio.timeout(30):
        while len(cgroup.processes(leaf)) < 20:
            await asyncio.sleep(0.005)

    probe.link.stop(run, "a test")
    await probe.until_ended(run)

    assert cgroup.processes(leaf) == []


@grouped
async def test_children_that_are_kept_keep_their_group_until_they_have_ended(probe: Probe) -> None:
    run = probe.shell("sleep 300 >/dev/null 2>&1 & echo $!", limits={"tasks_max": 50}, keep_children=True)
    await probe.until_ended(run)
    pid = await escaped(probe, run)

    assert groups_of(probe) == [run]

    os.kill(pid, signal.SIGKILL)
    await until_gone(pid)
    await probe.shutdown()
    await probe.connect()

    assert groups_of(probe) == []


@grouped
async def test_a_run_keeps_its_group_and_its_limits_over_an_upgrade_of_the_keeper(probe: Probe) -> None:
    run = probe.shell(ESCAPE + "sleep 300", limits={"tasks_max": 50}, grace=timedelta(seconds=0.1))
    pid = await escaped(probe, run)
    before = (await probe.until_started(run)).limits

    await probe.disconnect()
    link = await find_keeper(probe.data)
    await upgrade_keeper(link, probe.data)
    await link.close()
    await probe.connect()
    probe.link.stop(run, "a test")
    ended = await probe.until_ended(run)

    assert probe.link.pid == link.pid
    assert ended.limits == before
    assert not is_alive(pid)
    assert groups_of(probe) == []


@grouped
async def test_a_new_keeper_ends_what_hid_from_everything_but_its_group(probe: Probe) -> None:
    run = probe.shell(ESCAPE + "exec sleep 300", limits={"tasks_max": 50}, grace=timedelta(seconds=0.1))
    pid = await escaped(probe, run)

    os.kill(probe.link.pid, signal.SIGKILL)
    again = await Probe(probe.data).connect()

    assert not is_alive(pid)
    assert f"sleep ({pid})" in read_left(probe.data)[run].found
    assert groups_of(probe) == []
    await again.disconnect()


@grouped
async def test_a_keeper_that_leaves_takes_its_groups_along(probe: Probe) -> None:
    await probe.until_ended(probe.shell("true", limits={"tasks_max": 50}))
    folder = cgroup.Cgroups(str(probe.data), cgroup.base()).folder
    assert folder is not None
    assert Path(folder).exists()

    await probe.shutdown()

    assert not Path(folder).exists()


async def test_the_run_says_by_what_each_limit_is_held(probe: Probe) -> None:
    limits = {"memory_max": 500_000_000, "cpu_max": 0.5, "tasks_max": 50}
    run = probe.shell("read line", stdin=Stdin.PIPE, limits=limits)

    told = (await probe.until_started(run)).limits

    assert told is not None
    assert {name: limit.max for name, limit in told.items()} == limits
    base = cgroup.base()
    able = set() if base is None else set(Path(base, "cgroup.controllers").read_text().split())
    for name, limit in told.items():
        if cgroup.CONTROLLERS[name] not in able:
            assert limit.held_by is not HeldBy.CGROUP
    if "cpu" not in able:
        assert told["cpu_max"].held_by is HeldBy.NOTHING


async def test_a_program_cannot_have_more_memory_than_its_limit(probe: Probe) -> None:
    run = probe.spawn(
        sys.executable, "-c", "print('began', flush=True); x = bytearray(300_000_000); print('has it')",
        limits={"memory_max": 150_000_000},
    )  # fmt: skip

    ended = await probe.until_ended(run)

    assert ended.limits is not None
    assert b"began" in probe.log(run)
    assert b"has it" not in probe.log(run)
    if ended.limits["memory_max"].held_by is HeldBy.CGROUP:
        assert ended.ending.cause is Cause.OUT_OF_MEMORY
        assert "memory_max is 150000000 bytes" in (ended.ending.message or "")
    else:
        assert ended.ending.exit_code == 1
        assert b"MemoryError" in probe.log(run)


@by_root
async def test_a_user_cannot_have_more_tasks_than_the_limit(probe: Probe) -> None:
    nobody = await asyncio.to_thread(find_account, pwd.getpwnam("nobody").pw_name)
    run = probe.shell(
        "for i in $(seq 1 40); do sleep 5 & done; echo all of them", account=nobody, limits={"tasks_max": 20}
    )

    ended = await probe.until_ended(run)

    assert ended.limits is not None
    assert ended.limits["tasks_max"].held_by is not HeldBy.NOTHING
    assert b"all of them" not in probe.log(run)
    assert b"fork" in probe.log(run).lower()


async def test_a_program_that_cannot_be_started_leaves_no_group(probe: Probe) -> None:
    run = probe.spawn("/no/such/program", limits={"tasks_max": 50})

    ended = await probe.until_ended(run)

    assert ended.ending.cause is Cause.START_FAILED
    assert "cannot start '/no/such/program'" in (ended.ending.message or "")
    assert ended.limits is None
    assert groups_of(probe) == []
