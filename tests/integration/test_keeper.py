"""The keeper with real processes: what it spawns, pumps, stops and records."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from keeper_probe import Probe, is_alive, kill, until_gone

from rota.keeper.finding import find_keeper, shutdown_keeper, upgrade_keeper
from rota.keeper.journal import Journal, read
from rota.keeper.link import KeeperLink
from rota.keeper.protocol import encode
from rota.keeper.recorded import read_endings, read_left
from rota.logs.reader import LogFollower
from rota.model.error import Unusable
from rota.model.run import Cause

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def probe(tmp_path: Path) -> AsyncIterator[Probe]:
    probe = await Probe(tmp_path).connect()
    yield probe
    await probe.disconnect()
    await shutdown_keeper(tmp_path)


async def test_an_exit_code_comes_back_as_it_was(probe: Probe) -> None:
    run = probe.shell("exit 37")

    ended = await probe.until_ended(run)

    assert (ended.ending.exit_code, ended.ending.signal, ended.ending.cause) == (37, None, None)
    assert ended.ending.duration is not None
    assert ended.ending.cpu_time is not None


async def test_a_death_by_signal_has_a_signal_and_no_exit_code(probe: Probe) -> None:
    ended = await probe.until_ended(probe.shell("kill -9 $$"))

    assert (ended.ending.exit_code, ended.ending.signal) == (None, "SIGKILL")
    assert ended.ending.cause is None


async def test_the_two_streams_are_kept_apart_and_every_byte_is_kept(probe: Probe) -> None:
    run = probe.spawn(
        "python3", "-c", "import os; os.write(1, bytes(range(256))); os.write(2, b'\\xff[ERR] no\\n')"
    )

    await probe.until_ended(run)

    pieces: dict[str, bytes] = {"stdout": b"", "stderr": b""}
    for stream, piece in LogFollower(probe.data, run).read():
        pieces[stream] += piece
    assert pieces == {"stdout": bytes(range(256)), "stderr": b"\xff[ERR] no\n"}
    assert sorted(probe.log(run)) == sorted(bytes(range(256)) + b"\xff[ERR] no\n")


async def test_merged_streams_come_through_one_pipe_in_exact_order(probe: Probe) -> None:
    run = probe.shell("for i in 1 2 3 4 5 6 7 8 9; do echo o$i; echo e$i >&2; done", merge_stderr=True)

    await probe.until_ended(run)

    assert probe.log(run) == b"".join(b"o%d\ne%d\n" % (i, i) for i in range(1, 10))


async def test_a_silent_run_leaves_no_log_files(probe: Probe) -> None:
    run = probe.spawn("true")

    await probe.until_ended(run)

    assert not probe.file(run, ".log").exists()
    assert not probe.file(run, ".idx").exists()


async def test_output_of_many_megabytes_is_complete(probe: Probe) -> None:
    run = probe.shell("seq 1 500000")

    await probe.until_ended(run)

    assert probe.log(run) == b"".join(b"%d\n" % n for n in range(1, 500_001))


@pytest.mark.parametrize(
    ("argv", "cwd", "says"),
    [
        (("/nowhere/program",), "/", "cannot start '/nowhere/program': No such file or directory"),
        (("no-such-program-of-that-name",), "/", "cannot start 'no-such-program-of-that-name'"),
        (("/etc/passwd",), "/", "cannot start '/etc/passwd': Permission denied"),
        (("true",), "/nowhere", "cannot enter the working folder '/nowhere'"),
    ],
)
async def test_what_cannot_start_says_why(probe: Probe, argv: tuple[str, ...], cwd: str, says: str) -> None:
    ended = await probe.until_ended(probe.spawn(*argv, cwd=cwd))

    assert ended.ending.cause is Cause.START_FAILED
    assert ended.ending.message is not None
    assert ended.ending.message.startswith(says)
    assert (ended.pid, ended.ending.exit_code, ended.ending.duration) == (None, None, None)


async def test_a_script_without_a_first_line_is_explained(probe: Probe, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("echo hello\n")
    script.chmod(0o755)

    ended = await probe.until_ended(probe.spawn(str(script)))

    assert "#!/bin/sh" in str(ended.ending.message)


async def test_a_child_has_its_own_session_dev_null_clean_signals_and_the_first_limit(probe: Probe) -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    run = probe.shell(
        "ps -o sid= -p $$; echo $$; readlink /proc/self/fd/0; grep -E 'SigBlk|SigIgn' /proc/self/status;"
        "ulimit -n; ls /proc/self/fd | wc -l; pwd",
        cwd="/tmp",
    )

    await probe.until_ended(run)

    sid, pid, stdin, blocked, ignored, limit, open_files, folder = probe.log(run).decode().split("\n")[:8]
    assert sid.strip() == pid
    assert stdin == "/dev/null"
    assert int(blocked.split()[1], 16) == 0
    of_the_c_library = 3 << 31  # 32 and 33: glibc ignores them in whatever it spawns
    assert int(ignored.split()[1], 16) & ~of_the_c_library == 0
    assert int(limit) == soft
    assert int(open_files) == 4  # its three, and the folder that `ls` reads
    assert folder == "/tmp"


async def test_a_timeout_ends_the_whole_tree(probe: Probe) -> None:
    run = probe.shell("sleep 1000 & echo $!; sleep 1000", timeout=timedelta(milliseconds=300))

    ended = await probe.until_ended(run)

    assert ended.ending.cause is Cause.TIMEOUT
    assert not is_alive(int(probe.log(run)))
    assert "timed out after 0.3 s" in probe.words(run)


async def test_what_ignores_the_stop_signal_is_killed_after_the_grace(probe: Probe) -> None:
    run = probe.shell(
        "trap '' TERM; (trap '' TERM; sleep 1000) & echo $!; while :; do sleep 1000; done",
        grace=timedelta(milliseconds=200),
    )
    await probe.until_written(run, b"\n")

    probe.link.stop(run, "a test")
    ended = await probe.until_ended(run)

    assert (ended.ending.cause, ended.ending.signal) == (Cause.STOPPED, "SIGKILL")
    assert not is_alive(int(probe.log(run)))
    assert "stopped by a test" in probe.words(run)
    assert "killed" in probe.words(run)


async def test_a_program_that_obeys_the_stop_signal_keeps_its_exit_code(probe: Probe) -> None:
    run = probe.shell("trap 'exit 9' INT; echo ready; while :; do sleep 0.05; done", stop_signal="SIGINT")
    await probe.until_written(run, b"ready\n")

    probe.link.stop(run, "a test")
    ended = await probe.until_ended(run)

    assert (ended.ending.cause, ended.ending.exit_code, ended.ending.signal) == (Cause.STOPPED, 9, None)


async def test_a_run_that_has_ended_by_itself_was_not_stopped(probe: Probe, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    run = probe.spawn("/bin/sh", "-c", f"read line < {tmp_path}/go")
    started = await probe.until_started(run)
    with (tmp_path / "go").open("w") as go:
        os.kill(probe.link.pid, signal.SIGSTOP)
        go.write("\n")
    await until_gone(started.pid)
    probe.link.stop(run, "somebody")
    os.kill(probe.link.pid, signal.SIGCONT)

    ended = await probe.until_ended(run)

    assert (ended.ending.cause, ended.ending.exit_code) == (None, 0)


async def test_what_has_ended_within_its_grace_is_not_killed_though_notice_comes_later(
    probe: Probe, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "go")
    grace = timedelta(seconds=1)
    run = probe.shell(
        f"trap 'echo told; read line < {tmp_path}/go; exit 3' TERM; echo ready; while :; do sleep 0.05; done",
        grace=grace,
    )
    started = await probe.until_started(run)
    await probe.until_written(run, b"ready\n")
    probe.link.stop(run, "a test")
    await probe.until_written(run, b"told\n")

    with (tmp_path / "go").open("w") as go:
        os.kill(probe.link.pid, signal.SIGSTOP)
        go.write("\n")
    await until_gone(started.pid)
    over = time.monotonic() + grace.total_seconds()
    while time.monotonic() < over:
        continue
    os.kill(probe.link.pid, signal.SIGCONT)
    ended = await probe.until_ended(run)

    assert (ended.ending.cause, ended.ending.exit_code) == (Cause.STOPPED, 3)
    assert "killed" not in probe.words(run)


async def test_a_suspended_process_is_stopped_too(probe: Probe) -> None:
    run = probe.shell("trap 'exit 4' TERM; echo ready; kill -STOP $$; exit 5")
    await probe.until_written(run, b"ready\n")

    probe.link.stop(run, "a test")
    ended = await probe.until_ended(run)

    assert ended.ending.cause is Cause.STOPPED
    assert ended.ending.exit_code in (4, 5)  # before or after it had suspended itself


async def test_a_stop_reaches_double_forks_and_new_sessions(probe: Probe) -> None:
    run = probe.shell(
        "setsid sh -c 'sleep 1000 & echo $!; setsid sleep 1000 & echo $!' & wait; echo up; sleep 1000"
    )
    await probe.until_written(run, b"up\n")
    pids = [int(line) for line in probe.log(run).split()[:2]]

    probe.link.stop(run, "a test")
    await probe.until_ended(run)

    assert [is_alive(pid) for pid in pids] == [False, False]


async def test_leftovers_get_a_second_and_are_then_ended_and_named(probe: Probe) -> None:
    run = probe.shell("sleep 1000 & echo $!")

    begun = time.monotonic()
    ended = await probe.until_ended(run)

    assert 0.9 < time.monotonic() - begun < 10
    assert ended.ending.exit_code == 0
    assert ended.ending.cause is None
    assert ended.ending.duration is not None
    assert ended.ending.duration < timedelta(seconds=0.9)
    pid = int(probe.log(run))
    assert not is_alive(pid)
    assert ended.leftovers == (f"sleep ({pid})",)
    assert f"sleep ({pid})" in probe.words(run)


async def test_leftovers_that_finish_by_themselves_are_waited_for(probe: Probe) -> None:
    run = probe.shell("(sleep 0.2; echo late) & echo early")

    ended = await probe.until_ended(run)

    assert probe.log(run) == b"early\nlate\n"
    assert ended.leftovers == ()


async def test_kept_children_are_left_alone_and_can_go_on_writing(probe: Probe) -> None:
    run = probe.shell("(trap '' PIPE; sleep 0.8; echo more && exec sleep 1000) & echo $!", keep_children=True)

    ended = await probe.until_ended(run)
    pid = int(probe.log(run).split()[0])

    try:
        assert ended.leftovers == ()
        async with asyncio.timeout(10):
            while b"sleep\0001000" not in _command_line(pid):
                await asyncio.sleep(0.01)
        assert is_alive(pid)  # it wrote to its pipe after the run's end, and that did not end it
    finally:
        kill(pid)


async def test_a_pipe_held_open_by_a_stranger_does_not_hold_the_run(probe: Probe, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    holder = tmp_path / "holder.py"
    holder.write_text(
        "import os, socket, sys, time\n"
        f"s = socket.socket(socket.AF_UNIX); s.connect({str(tmp_path / 's')!r})\n"
        "socket.send_fds(s, [b'x'], [1]); s.recv(1)\n"
    )
    import socket

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        run = probe.spawn("python3", str(holder))
        connection, _ = await asyncio.to_thread(listener.accept)
        with connection:
            _, fds, _, _ = socket.recv_fds(connection, 1, 1)
            connection.send(b"x")
            ended = await probe.until_ended(run)
    for fd in fds:
        os.close(fd)

    assert ended.ending.exit_code == 0


async def test_a_spawn_that_meets_a_defect_is_answered_and_others_go_on(probe: Probe) -> None:
    run = "01998000-0000-7000-8000-00000000000d"
    probe.link._send(op="spawn", run=run, attempt="t", argv=["true"])
    other = probe.shell("exit 4")

    ended = await probe.until_ended(run)

    assert ended.ending.cause is Cause.START_FAILED
    assert "defect" in str(ended.ending.message)
    assert (await probe.until_ended(other)).ending.exit_code == 4


async def test_what_an_earlier_keeper_was_asked_is_answered_from_its_journal(tmp_path: Path) -> None:
    half, whole = "01998000-0000-7000-8000-00000000000a", "01998000-0000-7000-8000-00000000000b"
    book = Journal(str(tmp_path))
    book.add(half, encode({"run": half, "attempt": "t"}))
    book.add(whole, encode({"run": whole, "attempt": "t"}))
    end = dict.fromkeys(("pid", "start_at", "duration", "cause", "signal", "cpu_time", "max_rss", "message"))
    end |= {"event": "ended", "run": whole, "end_at": 1, "exit_code": 6, "leftovers": []}
    book.add(whole, encode(end))
    probe = await Probe(tmp_path).connect()

    for run in (half, whole):
        probe.shell("echo twice", run_id=run)

    assert (await probe.until_ended(half)).ending.cause is Cause.LOST
    assert (await probe.until_ended(whole)).ending.exit_code == 6
    assert probe.log(half) + probe.log(whole) == b""
    await probe.shutdown()


async def test_a_second_spawn_of_the_same_run_changes_nothing(probe: Probe) -> None:
    run = probe.shell("echo once; sleep 0.2")
    probe.shell("echo twice", run_id=run)

    await probe.until_ended(run)
    probe.shell("echo thrice", run_id=run)
    other = probe.spawn("true")
    await probe.until_ended(other)

    assert probe.log(run) == b"once\n"
    assert probe.ends_heard == 2


async def test_the_environment_and_arguments_are_in_no_file_of_the_keeper(probe: Probe) -> None:
    run = probe.spawn(
        "sh", "-c", "sleep 0.1 # s3cr3t-argument", env={"PASSWORD": "s3cr3t", "PATH": os.environ["PATH"]}
    )
    await probe.until_started(run)

    content = b"".join(path.read_bytes() for path in probe.data.rglob("*") if path.is_file())
    await probe.until_ended(run)

    assert b"s3cr3t" not in content


async def test_an_end_is_remembered_until_it_is_acknowledged(probe: Probe) -> None:
    run = probe.shell("sleep 0.1; exit 5")
    await probe.until_started(run)
    keeper = probe.link.pid

    await probe.disconnect()
    await _until_exit_on_file(probe, run)
    again = await Probe(probe.data).connect()

    assert again.link.pid == keeper
    assert again.ended[run].ending.exit_code == 5
    again.link.acknowledge([run])
    await again.disconnect()
    third = await Probe(probe.data).connect()
    assert run not in third.ended
    assert run not in read(str(third.data))
    await third.disconnect()


async def test_a_run_goes_on_and_its_timeout_holds_while_no_server_is_there(probe: Probe) -> None:
    run = probe.shell("echo before; sleep 0.2; echo after; sleep 1000", timeout=timedelta(seconds=0.6))
    await probe.until_started(run)

    await probe.disconnect()
    await _until_exit_on_file(probe, run)
    ended = read_endings(probe.data).get(run)

    assert ended is not None
    assert ended.ending.cause is Cause.TIMEOUT
    assert probe.log(run) == b"before\nafter\n"


async def test_a_new_keeper_ends_what_a_dead_one_left(probe: Probe) -> None:
    run = probe.shell(
        "setsid sleep 1000 & echo $!; trap '' TERM; sleep 1000", grace=timedelta(milliseconds=200)
    )
    await probe.until_written(run, b"\n")
    started = await probe.until_started(run)
    kept = probe.shell("sleep 1000 & echo $!", keep_children=True)
    await probe.until_ended(kept)
    pid, kept_pid = int(probe.log(run)), int(probe.log(kept))

    kill(probe.link.pid)
    again = await Probe(probe.data).connect()

    try:
        assert not is_alive(pid)
        assert not is_alive(started.pid)
        assert is_alive(kept_pid)  # its run had ended, and it was left alone on purpose
        assert run not in again.ended
        assert run not in again.started
        assert read_endings(probe.data).get(run) is None
        left = read_left(probe.data)
        assert set(left) == {run}
        assert f"sleep ({pid})" in left[run].found
        assert f"sh ({started.pid})" in left[run].found
        assert left[run].alive == ()
        fresh = again.shell("exit 3")
        assert (await again.until_ended(fresh)).ending.exit_code == 3
    finally:
        kill(kept_pid)
        await again.disconnect()


async def test_a_new_keeper_ends_what_hid_its_name_below_a_survivor(probe: Probe) -> None:
    run = probe.shell("env -i setsid sleep 1000 & echo $!; sleep 1000", grace=timedelta(milliseconds=200))
    await probe.until_written(run, b"\n")
    hidden = int(probe.log(run))

    kill(probe.link.pid)
    again = await Probe(probe.data).connect()

    try:
        assert not is_alive(hidden)
    finally:
        await again.disconnect()


async def test_a_re_execution_under_load_loses_nothing(probe: Probe) -> None:
    keeper = probe.link.pid
    long_run = probe.shell(
        "for i in $(seq 1 40); do echo $i; sleep 0.02; done; exit 6", timeout=timedelta(seconds=20)
    )
    chatty = probe.shell("seq 1 300000")
    late = probe.shell("sleep 1000", timeout=timedelta(seconds=1.2))
    await probe.until_started(late)
    short = [probe.shell(f"exit {n}") for n in range(20)]

    await probe.disconnect()
    for _ in range(3):
        link = await find_keeper(probe.data)
        await upgrade_keeper(link, probe.data)
        assert link.pid == keeper
        short += [_spawn_shell(link, f"exit {n}") for n in range(20, 25)]
        await link.close()
    again = await Probe(probe.data).connect()

    assert [(await again.until_ended(run)).ending.exit_code for run in short[:20]] == list(range(20))
    for at in range(20, 35):
        assert (await again.until_ended(short[at])).ending.exit_code == 20 + at % 5
    assert (await again.until_ended(long_run)).ending.exit_code == 6
    assert again.log(long_run) == b"".join(b"%d\n" % i for i in range(1, 41))
    await again.until_ended(chatty)
    assert again.log(chatty) == b"".join(b"%d\n" % n for n in range(1, 300_001))
    assert (await again.until_ended(late)).ending.cause is Cause.TIMEOUT
    await again.disconnect()


async def test_sigterm_ends_every_run_writes_the_ends_and_leaves(probe: Probe) -> None:
    run = probe.shell("echo up; sleep 1000")
    await probe.until_written(run, b"up\n")
    keeper = probe.link.pid

    await probe.disconnect()
    os.kill(keeper, signal.SIGTERM)
    await until_gone(keeper)

    ended = read_endings(probe.data).get(run)
    assert ended is not None
    assert (ended.ending.cause, ended.ending.signal) == (Cause.STOPPED, "SIGTERM")
    assert not (probe.data / "keeper.sock").exists()


async def test_out_of_descriptors_a_run_is_not_started_now(probe: Probe) -> None:
    resource.prlimit(
        probe.link.pid, resource.RLIMIT_NOFILE, (24, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    )
    runs = [probe.shell("sleep 0.5") for _ in range(6)]

    await probe.until(lambda: len(probe.refused) + len(probe.ended) == 6)

    assert probe.refused
    assert not read(str(probe.data)).keys() & set(probe.refused)
    resource.prlimit(probe.link.pid, resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE))
    again = next(iter(probe.refused))
    probe.shell("exit 2", run_id=again)
    assert (await probe.until_ended(again)).ending.exit_code == 2
    assert set(runs) == set(probe.ended) | set(probe.refused)


async def test_more_pipes_than_a_program_may_have_descriptors_start_it_all_the_same(tmp_path: Path) -> None:
    probe = await Probe(tmp_path).connect(descriptors=32)
    script = "while [ ! -e go ]; do sleep 0.01; done; ulimit -n; exit 3"
    runs = [probe.shell(script, cwd=str(tmp_path)) for _ in range(20)]
    await probe.until(lambda: len(probe.started) + len(probe.ended) == len(runs))
    (tmp_path / "go").touch()

    ends = [await probe.until_ended(run) for run in runs]
    await probe.shutdown()

    assert [ended.ending.message for ended in ends] == [None] * len(runs)
    assert {(ended.ending.exit_code, probe.log(ended.run_id)) for ended in ends} == {(3, b"32\n")}


async def test_a_data_folder_at_any_depth_works(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-long-name-of-a-folder"] * 12)
    deep.mkdir(parents=True)

    probe = await Probe(deep).connect()
    ended = await probe.until_ended(probe.shell("exit 1"))
    await probe.disconnect()
    await shutdown_keeper(deep)

    assert ended.ending.exit_code == 1


async def test_the_command_line_names_the_data_folder(probe: Probe) -> None:
    assert os.fsencode(probe.data) in _command_line(probe.link.pid)


async def test_an_idle_keeper_without_a_server_leaves(tmp_path: Path) -> None:
    import rota.keeper.launch

    launcher = await asyncio.create_subprocess_exec(
        "python3",
        "-I",
        "-S",
        rota.keeper.launch.__file__,
        str(tmp_path),
        "--idle",
        "0.2",
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await launcher.communicate()
    assert said == b"ready"
    link = await find_keeper(tmp_path, launch=False)

    await link.close()
    await until_gone(link.pid)

    with pytest.raises(Unusable):
        await find_keeper(tmp_path, launch=False)


async def test_peak_memory_is_told_only_where_it_can_be_told_truly(probe: Probe) -> None:
    small = await probe.until_ended(probe.spawn("true"))
    large = await probe.until_ended(probe.spawn("python3", "-c", "len(bytearray(80_000_000))"))

    assert small.ending.max_rss is None
    assert large.ending.max_rss is not None
    assert 80_000_000 < large.ending.max_rss < 200_000_000


def _spawn_shell(link: KeeperLink, script: str) -> str:
    probe = Probe.__new__(Probe)
    probe.link = link
    return probe.shell(script)


def _command_line(pid: int) -> bytes:
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read()


async def _until_exit_on_file(probe: Probe, run: str) -> None:
    async with asyncio.timeout(30):
        while read_endings(probe.data).get(run) is None:
            await asyncio.sleep(0.01)
