"""The keeper asks how runs are, hears what they say of themselves, and signals them."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from keeper_probe import Probe, is_alive, until_gone

from rota.keeper.finding import find_keeper, shutdown_keeper, upgrade_keeper
from rota.keeper.messages import Checked, Spawn
from rota.model.error import RunEnded
from rota.model.run import RunId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest_asyncio.fixture
async def probe(tmp_path: Path) -> AsyncIterator[Probe]:
    probe = await Probe(tmp_path).connect()
    yield probe
    await probe.disconnect()
    await shutdown_keeper(tmp_path)


async def check(probe: Probe, run: RunId, script: str, timeout: float = 20.0, **options: object) -> Checked:
    given = {
        "cwd": "/", "timeout": None, "stop_signal": "SIGTERM", "grace": timedelta(seconds=5),
        "keep_children": False, "merge_stderr": False,
        "env": {"PATH": os.environ["PATH"], "ROTA_RUN_ID": run},
    } | options  # fmt: skip
    spawn = Spawn(run_id=run, attempt="t", argv=("/bin/sh", "-c", script), **given)  # type: ignore[arg-type]
    return await probe.link.check(spawn, timeout)


async def test_a_check_tells_its_exit_code_and_the_last_line_that_it_wrote(probe: Probe) -> None:
    run = probe.shell("sleep 60")
    await probe.until_started(run)

    assert await check(probe, run, "true") == Checked(exit_code=0, signal=None, late=False, said="")
    failed = await check(probe, run, "echo fine; echo 'no such table' >&2; exit 3")
    assert failed == Checked(exit_code=3, signal=None, late=False, said="no such table")
    assert (await check(probe, run, "kill -KILL $$")).signal == "SIGKILL"


async def test_a_check_that_takes_too_long_is_ended_with_all_below_it(probe: Probe, tmp_path: Path) -> None:
    run = probe.shell("sleep 60")
    await probe.until_started(run)

    late = await check(probe, run, f"sleep 50 & echo $! > {tmp_path}/pid; wait", 0.2)

    assert (late.late, late.exit_code, late.signal) == (True, None, "SIGKILL")
    await until_gone(int((tmp_path / "pid").read_text()))


async def test_a_check_that_cannot_be_started_says_why(probe: Probe) -> None:
    run = probe.shell("sleep 60")
    await probe.until_started(run)

    direct = await check(probe, run, "true", cwd="/no/such/folder")
    trampoline = await check(probe, run, "true", cwd="/no/such/folder", umask=0o22)

    for told in (direct, trampoline):
        assert told.exit_code is None
        assert "cannot enter the working folder '/no/such/folder'" in told.said


async def test_a_flood_of_a_check_is_read_and_its_end_kept(probe: Probe) -> None:
    run = probe.shell("sleep 60")
    await probe.until_started(run)

    told = await check(probe, run, "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo the end; exit 1")

    assert (told.exit_code, told.said) == (1, "the end")


async def test_a_secret_of_the_run_is_hidden_in_what_a_check_says(probe: Probe) -> None:
    run = probe.shell("sleep 60", secrets=("hunter22",))
    await probe.until_started(run)

    assert (await check(probe, run, "echo the key is hunter22; exit 1")).said == "the key is [redacted]"
    long = "printf hunter22; head -c 4090 /dev/zero | tr '\\0' x; exit 1"  # of which the beginning is dropped
    assert "nter22" not in (await check(probe, run, long)).said


async def test_the_end_of_a_run_ends_its_checks(probe: Probe, tmp_path: Path) -> None:
    run = probe.shell(f"while [ ! -e {tmp_path}/begun ]; do sleep 0.01; done")
    await probe.until_started(run)

    told = await check(probe, run, f"touch {tmp_path}/begun; exec sleep 50")

    assert told.signal == "SIGKILL"
    await probe.until_ended(run)
    with pytest.raises(RunEnded):
        await check(probe, run, "true")


async def test_a_re_execution_gives_up_checks_and_leaves_none_of_them_behind(
    probe: Probe, tmp_path: Path
) -> None:
    run = probe.shell("sleep 60")
    await probe.until_started(run)
    await check(probe, run, f"sleep 50 & echo $! > {tmp_path}/pid")
    left = int((tmp_path / "pid").read_text())
    assert is_alive(left)
    await probe.disconnect()
    link = await find_keeper(probe.data)
    await upgrade_keeper(link, probe.data)
    await link.close()
    await probe.connect()

    assert (await check(probe, run, "exit 4")).exit_code == 4
    probe.link.stop(run, "a test")
    await probe.until_ended(run)
    await until_gone(left)


# --- what a run says of itself

SAY = (
    "import os, socket\n"
    "def say(words):\n"
    "    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:\n"
    "        path = os.environ['NOTIFY_SOCKET']\n"
    "        sock.sendto(words, chr(0) + path[1:] if path[0] == '@' else path)\n"
)


def speaker(probe: Probe, script: str, **options: object) -> RunId:
    return probe.spawn("/usr/bin/env", "python3", "-c", SAY + script, notify=True, **options)


async def test_what_a_run_says_of_itself_is_heard(probe: Probe) -> None:
    run = speaker(probe, "say(b'STATUS=begins')\nsay(b'READY=1\\nSTATUS=well')\nimport time; time.sleep(60)")

    await probe.until(lambda: run in probe.notified)

    said = probe.notified[run]
    assert (said.ready, said.departs, said.pinged) == (True, False, False)
    assert [path.stat().st_mode & 0o777 for path in (probe.data / "notify").iterdir()] == [0o600]


async def test_what_is_said_while_no_server_lives_is_not_lost(probe: Probe, tmp_path: Path) -> None:
    go = tmp_path / "go"
    run = speaker(
        probe,
        f"import time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
        f"say(b'READY=1'); say(b'WATCHDOG=1'); print('said', flush=True); time.sleep(60)",
    )
    await probe.until_started(run)
    await probe.disconnect()
    go.touch()
    await probe.until_written(run, b"said")

    again = await Probe(probe.data).connect()

    assert (again.notified[run].ready, again.notified[run].pinged) == (True, True)
    await again.disconnect()


async def test_a_re_execution_goes_on_hearing(probe: Probe, tmp_path: Path) -> None:
    go = tmp_path / "go"
    run = speaker(
        probe,
        "import time\nsay(b'READY=1')\n"
        f"while not os.path.exists({str(go)!r}): time.sleep(0.01)\nsay(b'STOPPING=1'); time.sleep(60)",
    )
    await probe.until(lambda: run in probe.notified)
    await probe.disconnect()
    link = await find_keeper(probe.data)
    await upgrade_keeper(link, probe.data)
    await link.close()
    await probe.connect()
    assert probe.notified[run].ready
    go.touch()

    await probe.until(lambda: probe.notified[run].departs)


async def test_in_a_deep_folder_the_socket_has_a_name_and_no_path(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    probe = await Probe(deep).connect()
    run = speaker(
        probe, "say(b'READY=1')\nprint(os.environ['NOTIFY_SOCKET'], flush=True)\nimport time; time.sleep(60)"
    )

    await probe.until(lambda: run in probe.notified)
    await probe.until_written(run, b"\n")

    assert probe.notified[run].ready
    assert probe.log(run).startswith(b"@rota-")
    await probe.disconnect()
    await shutdown_keeper(deep)


async def test_the_socket_goes_with_its_run(probe: Probe) -> None:
    run = speaker(probe, "say(b'READY=1')")

    await probe.until_ended(run)

    assert list((probe.data / "notify").iterdir()) == []


async def test_a_run_that_is_not_asked_has_no_socket(probe: Probe) -> None:
    run = probe.shell('echo "${NOTIFY_SOCKET-none}"')

    await probe.until_ended(run)

    assert probe.log(run) == b"none\n"


# --- signals


async def test_a_signal_goes_to_the_main_process_alone_and_stands_in_the_log(probe: Probe) -> None:
    run = probe.shell(
        "sh -c 'trap \"echo child\" HUP; while :; do sleep 0.01; done' & trap 'echo parent; exit 0' HUP;"
        " echo ready; while :; do sleep 0.01; done"
    )
    await probe.until_written(run, b"ready\n")

    await probe.link.signal(run, "SIGHUP", "a test")
    ended = await probe.until_ended(run)

    assert ended.ending.exit_code == 0
    assert probe.log(run) == b"ready\nparent\n"
    assert "a test sent SIGHUP" in probe.words(run)
    with pytest.raises(RunEnded):
        await probe.link.signal(run, "SIGHUP", "a test")


async def test_each_signal_is_a_line_of_the_log_while_its_run_goes_on(probe: Probe) -> None:
    run = probe.shell("trap 'exit 0' USR1; trap '' HUP; echo ready; while :; do sleep 0.01; done")
    await probe.until_written(run, b"ready\n")

    await probe.link.signal(run, "SIGHUP", "a test")
    await probe.link.signal(run, "SIGHUP", "another")

    assert probe.words(run) == "a test sent SIGHUP\nanother sent SIGHUP\n"
    await probe.link.signal(run, "SIGUSR1", "a test")
    await probe.until_ended(run)


async def test_a_signal_that_kills_is_told_as_such(probe: Probe) -> None:
    run = probe.shell("exec sleep 60")
    await probe.until_started(run)

    await probe.link.signal(run, "SIGUSR1", "a test")

    assert (await probe.until_ended(run)).ending.signal == signal.Signals.SIGUSR1.name
