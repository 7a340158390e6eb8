"""The logs that a real keeper writes: caps, full disks, kills and re-executions."""

from __future__ import annotations

import asyncio
import os
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from keeper_probe import Probe, kill, until_gone

from rota.keeper.finding import find_keeper, shutdown_keeper, upgrade_keeper
from rota.logs.beginning import beginning
from rota.logs.reader import LogFollower
from rota.model.run import Cause
from rota.model.task import LogOnFull

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

CAP = 1_000_000
NUMBERS = b"".join(b"%d\n" % number for number in range(1, 1_000_001))


@pytest.fixture
async def probe(tmp_path: Path) -> AsyncIterator[Probe]:
    probe = await Probe(tmp_path).connect()
    yield probe
    await probe.disconnect()
    await shutdown_keeper(tmp_path)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.005)


def on_disk(probe: Probe, run: str) -> int:
    return sum(probe.file(run, suffix).stat().st_blocks * 512 for suffix in (".log", ".idx"))


async def test_drop_old_keeps_the_end_within_the_cap_under_its_old_offsets(probe: Probe) -> None:
    run = probe.shell("seq 1 1000000", log_max_size=CAP)

    ended = await probe.until_ended(run)

    log = probe.log(run)
    with probe.file(run, ".idx").open("rb") as index:
        begins = beginning(index.fileno())
    assert ended.ending.exit_code == 0
    assert len(log) == len(NUMBERS)
    assert log[begins.offset :] == NUMBERS[begins.offset :]
    assert begins.lines == NUMBERS[: begins.offset].count(b"\n")
    assert CAP * 3 / 4 < on_disk(probe, run) < CAP + 16 * 1024
    assert ended.ending.log_size == on_disk(probe, run) + probe.file(run, ".sys").stat().st_blocks * 512
    assert f"the first {begins.offset} bytes ({begins.lines} lines) were dropped" in probe.words(run)


async def test_drop_new_keeps_the_beginning_and_tells_at_the_end_what_went(probe: Probe) -> None:
    run = probe.shell("seq 1 1000000", log_max_size=CAP, log_on_full=LogOnFull.DROP_NEW)

    ended = await probe.until_ended(run)

    log = probe.log(run)
    assert ended.ending.exit_code == 0
    assert NUMBERS.startswith(log)
    assert CAP * 0.95 < on_disk(probe, run) < CAP + 16 * 1024
    lost = NUMBERS[len(log) :]
    assert f"{len(lost)} bytes ({lost.count(10)} lines) of standard output were dropped" in probe.words(run)
    assert probe.words(run).count("\n") == 1


async def test_kill_ends_the_run_by_the_ladder_as_log_overflow(probe: Probe) -> None:
    run = probe.shell(
        "trap '' TERM; yes", log_max_size=CAP, log_on_full=LogOnFull.KILL, grace=timedelta(seconds=0.2)
    )

    ended = await probe.until_ended(run)

    assert ended.ending.cause is Cause.LOG_OVERFLOW
    assert ended.ending.signal == "SIGKILL" or ended.ending.exit_code is not None
    assert on_disk(probe, run) <= CAP + 16 * 1024
    assert probe.words(run).startswith(f"it wrote more than {CAP} bytes (log_max_size); ")
    assert "were dropped: the log was full" in probe.words(run)


async def test_a_run_that_stays_below_its_cap_ends_as_it_likes(probe: Probe) -> None:
    run = probe.shell("seq 1 1000; exit 3", log_max_size=CAP, log_on_full=LogOnFull.KILL)

    ended = await probe.until_ended(run)

    assert (ended.ending.cause, ended.ending.exit_code) == (None, 3)
    assert probe.words(run) == ""


async def test_at_most_one_line_of_rotas_own_follows_the_last_output(probe: Probe) -> None:
    run = probe.shell(
        "trap 'echo going; trap \"\" TERM' TERM; echo up; while :; do sleep 0.05; done",
        timeout=timedelta(seconds=0.3), grace=timedelta(seconds=0.3),
    )  # fmt: skip

    await probe.until_ended(run)

    pieces = list(LogFollower(probe.data, run).read())
    last = max(place for place, (stream, _) in enumerate(pieces) if stream != "system")
    after = b"".join(piece for _, piece in pieces[last + 1 :])
    assert after == b"still there 0.3 s after SIGTERM: killed\n"
    assert probe.words(run).startswith("timed out after 0.3 s\n")


async def test_what_was_written_before_the_keeper_was_killed_is_there_and_readable(probe: Probe) -> None:
    run = probe.shell("seq 1 1000; echo oops >&2; printf open; sleep 1000")
    # Bytes are followed by their entry, without which nobody reads them: it is the entry that says "written".
    await until(lambda: read_all(probe, run)["stdout"].endswith(b"open"))

    kill(probe.link.pid)
    await until_gone(probe.link.pid)

    got = read_all(probe, run)
    assert got["stdout"] == NUMBERS[: NUMBERS.index(b"1001\n")] + b"open"
    assert got["stderr"] == b"oops\n"
    await probe.disconnect()
    await probe.connect()  # which ends what is left of the run


def read_all(probe: Probe, run: str) -> dict[str, bytes]:
    got = {"stdout": b"", "stderr": b""}
    for stream, piece in LogFollower(probe.data, run).read():
        got[stream] += piece
    return got


@pytest.mark.parametrize("policy", list(LogOnFull))
async def test_a_cap_outlives_a_re_execution(probe: Probe, policy: LogOnFull) -> None:
    before = 30_000 if policy is LogOnFull.KILL else 500_000  # the others have met their cap by then
    script = (
        f"seq 1 {before}; touch come; while [ ! -e go ]; do sleep 0.02; done; "
        f"seq {before + 1} 1000000; sleep 0.2"
    )
    run = probe.shell(script, cwd=str(probe.data), log_max_size=CAP, log_on_full=policy)
    await until(lambda: (probe.data / "come").exists())

    await probe.disconnect()
    link = await find_keeper(probe.data)
    await upgrade_keeper(link, probe.data)
    await link.close()
    (probe.data / "go").touch()
    again = await Probe(probe.data).connect()
    ended = await again.until_ended(run)
    await again.disconnect()

    log = probe.log(run)
    assert ended.ending.cause is (Cause.LOG_OVERFLOW if policy is LogOnFull.KILL else None)
    assert on_disk(probe, run) < CAP + 16 * 1024
    if policy is LogOnFull.DROP_OLD:
        assert len(log) == len(NUMBERS)
        assert log.endswith(NUMBERS[-700_000:])
        return
    assert NUMBERS.startswith(log)
    if policy is LogOnFull.DROP_NEW:
        assert f"{len(NUMBERS) - len(log)} bytes" in probe.words(run)


async def test_many_writers_leave_the_keeper_small_and_none_starves(probe: Probe) -> None:
    runs = [probe.shell("yes | head -c 2000000", log_max_size=CAP) for _ in range(100)]

    for run in runs:
        assert (await probe.until_ended(run)).ending.exit_code == 0

    with open(f"/proc/{probe.link.pid}/status") as file:
        [peak] = [int(line.split()[1]) for line in file if line.startswith("VmHWM:")]
    assert peak < 40_000
    assert all(probe.file(run, ".log").stat().st_size == 2_000_000 for run in runs)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Four megabytes that nobody else writes to."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", tmp_path]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root mounts a small disk, and not everywhere")
    yield tmp_path
    subprocess.run(["umount", "--lazy", tmp_path], check=True)


async def test_a_full_disk_costs_output_and_harms_nobody(small_disk: Path) -> None:
    probe = await Probe(small_disk).connect()
    keeper = probe.link.pid
    try:
        run = probe.shell("seq 1 1000000; exit 4")
        ended = await probe.until_ended(run)
        assert ended.ending.exit_code == 4
        assert NUMBERS.startswith(probe.log(run))
        assert 3_000_000 < len(probe.log(run)) < 4_194_304

        probe.link.acknowledge([run])
        probe.file(run, ".log").unlink()
        later = probe.shell("seq 1 1000")
        await probe.until_ended(later)
        assert probe.link.pid == keeper
    finally:
        await probe.disconnect()
        await shutdown_keeper(small_disk)


async def test_while_too_little_is_free_output_is_dropped_and_then_told(small_disk: Path) -> None:
    probe = await Probe(small_disk).connect()
    probe.link.leave_free(2_000_000)
    try:
        (small_disk / "ballast").write_bytes(bytes(3_000_000))
        script = (
            "seq 1 1000; touch come; while [ ! -e go ]; do sleep 0.02; done; sleep 1.1; echo room; exit 5"
        )
        run = probe.shell(script, cwd=str(small_disk))
        await until(lambda: (small_disk / "come").exists())
        assert probe.log(run) == b""

        (small_disk / "ballast").unlink()
        (small_disk / "go").touch()
        ended = await probe.until_ended(run)

        assert ended.ending.exit_code == 5
        assert probe.log(run) == b"room\n"
        words = "3893 bytes (1000 lines) of standard output were dropped: less than min_free_space"
        assert probe.words(run).startswith(words)
    finally:
        await probe.disconnect()
        await shutdown_keeper(small_disk)


async def test_how_much_is_to_stay_free_may_change_while_a_program_writes(small_disk: Path) -> None:
    probe = await Probe(small_disk).connect()
    try:
        probe.link.leave_free(1 << 40)
        script = "echo one; touch come; while [ ! -e go ]; do sleep 0.02; done; echo two"
        run = probe.shell(script, cwd=str(small_disk))
        await until(lambda: (small_disk / "come").exists())

        for _ in range(2):  # two turns of the keeper's loop: in one of them it has read what was written
            await probe.link.look(run)
        probe.link.leave_free(0)
        await probe.link.look(run)
        (small_disk / "go").touch()
        await probe.until_ended(run)

        assert probe.log(run) == b"two\n"
        assert "less than min_free_space" in probe.words(run)
    finally:
        await probe.disconnect()
        await shutdown_keeper(small_disk)


async def test_a_program_that_fills_the_disk_in_no_time_leaves_what_is_to_stay_free(small_disk: Path) -> None:
    probe = await Probe(small_disk).connect()
    probe.link.leave_free(2_000_000)
    try:
        run = probe.shell("seq 1 1000000; exit 4")
        ended = await probe.until_ended(run)

        free = os.statvfs(small_disk)
        assert ended.ending.exit_code == 4
        assert 1_900_000 < free.f_bavail * free.f_frsize < 2_100_000
        assert NUMBERS.startswith(probe.log(run))
        assert "were dropped: less than min_free_space" in probe.words(run)
    finally:
        await probe.disconnect()
        await shutdown_keeper(small_disk)
