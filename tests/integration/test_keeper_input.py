"""Input and terminals with real processes: what is sent arrives whole, waits, or is refused."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from keeper_probe import Probe, is_alive, kill

import rota
from rota.keeper import input as keeper_input
from rota.keeper.finding import find_keeper, shutdown_keeper, upgrade_keeper
from rota.keeper.protocol import PROTOCOL
from rota.model.error import InputClosed, InputFull, KeeperUnavailable, NoTerminal, RunEnded, Unusable
from rota.model.input import MOST_UNREAD, Input
from rota.model.task import Stdin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rota.model.run import RunId

MEGABYTE = b"0123456789" * 100_000


@pytest.fixture
async def probe(tmp_path: Path) -> AsyncIterator[Probe]:
    probe = await Probe(tmp_path).connect()
    yield probe
    await probe.disconnect()
    await shutdown_keeper(tmp_path)


def fed(probe: Probe, script: str, **options: object) -> RunId:
    """A script of the shell that takes input by a pipe."""
    return probe.shell(script, stdin=Stdin.PIPE, **options)


def in_terminal(probe: Probe, *argv: str, **options: object) -> RunId:
    return probe.spawn(*argv, pty=True, **options)


async def send(probe: Probe, run: RunId, text: str | bytes, *, secret: bool = False) -> int:
    data = text.encode() if isinstance(text, str) else text
    return await probe.link.send_input(run, Input(data=data, secret=secret), "a test")


async def press(probe: Probe, run: RunId, key: str) -> None:
    await probe.link.send_input(run, Input(key=key), "a test")


async def close(probe: Probe, run: RunId) -> None:
    await probe.link.send_input(run, Input(close=True), "a test")


async def until_waiting(probe: Probe, run: RunId) -> None:
    async with asyncio.timeout(30):
        while not (await probe.link.look(run)).waiting:
            await asyncio.sleep(0.005)


# --- by a pipe


async def test_what_is_sent_arrives_byte_for_byte_and_closing_ends_it(probe: Probe) -> None:
    run = fed(probe, "exec cat")
    data = bytes(range(256)) * 200

    await send(probe, run, "one\n")
    await send(probe, run, data)
    await close(probe, run)
    ended = await probe.until_ended(run)

    assert probe.log(run) == b"one\n" + data
    assert ended.ending.exit_code == 0


async def test_a_megabyte_waits_for_a_program_that_does_not_read_and_nothing_else_does(probe: Probe) -> None:
    run = fed(probe, "trap 'exec wc -c' USR1; echo ready; while :; do sleep 0.02; done")
    await probe.until_written(run, b"ready\n")

    unread = await send(probe, run, MEGABYTE)
    with pytest.raises(InputFull) as refused:
        await send(probe, run, b"x" * (MOST_UNREAD - len(MEGABYTE) + 1))
    other = await probe.until_ended(probe.shell("exit 3"))
    await send(probe, run, b"x" * (MOST_UNREAD - len(MEGABYTE)))
    await close(probe, run)
    os.kill((await probe.until_started(run)).pid, signal.SIGUSR1)
    await probe.until_ended(run)

    assert unread == refused.value.unread == len(MEGABYTE)
    assert other.ending.exit_code == 3
    assert probe.log(run).split() == [b"ready", b"%d" % MOST_UNREAD]


def test_the_keeper_and_the_model_know_one_limit() -> None:
    assert keeper_input.MOST == MOST_UNREAD


async def test_what_was_read_makes_room_for_more(probe: Probe) -> None:
    run = fed(probe, "exec wc -c")

    for _ in range(8):
        async with asyncio.timeout(30):
            while (await probe.link.look(run)).unread:
                await asyncio.sleep(0.001)
        await send(probe, run, MEGABYTE)
    await close(probe, run)
    await probe.until_ended(run)

    assert int(probe.log(run)) == 8 * len(MEGABYTE)


async def test_a_program_that_has_closed_its_input_is_told_apart_from_one_whose_input_was_closed(
    probe: Probe,
) -> None:
    deaf = fed(probe, "exec <&-; echo deaf; sleep 1000")
    closed = fed(probe, "sleep 1000")
    without = probe.shell("sleep 1000")
    await probe.until_written(deaf, b"deaf\n")
    await close(probe, closed)

    for run, why in (
        (deaf, "its program has closed"),
        (closed, "was closed before"),
        (without, "/dev/null"),
        (deaf, "its program has closed"),
    ):
        with pytest.raises(InputClosed, match=why):
            await send(probe, run, "anybody?\n")
    with pytest.raises(InputClosed):
        await close(probe, closed)

    assert (await probe.link.look(deaf)).open is False


async def test_closing_waits_until_what_waits_is_read(probe: Probe) -> None:
    run = fed(probe, "trap 'exec wc -c' USR1; echo ready; while :; do sleep 0.02; done")
    await probe.until_written(run, b"ready\n")

    await send(probe, run, MEGABYTE)
    await close(probe, run)
    with pytest.raises(InputClosed):
        await send(probe, run, "more")
    os.kill((await probe.until_started(run)).pid, signal.SIGUSR1)
    await probe.until_ended(run)

    assert probe.log(run).endswith(b"%d\n" % len(MEGABYTE))


async def test_input_that_nobody_will_read_is_counted_in_the_log(probe: Probe) -> None:
    run = fed(probe, "read line; echo $line; exit 2")

    await send(probe, run, b"first\n" + MEGABYTE)
    await probe.until_ended(run)

    assert probe.log(run) == b"first\n"
    assert f"{len(MEGABYTE)} bytes that were sent to it were never read" in probe.words(run)


async def test_an_ended_run_takes_nothing(probe: Probe) -> None:
    run = fed(probe, "exit 0")
    await probe.until_ended(run)

    for asked in (
        send(probe, run, "x"),
        close(probe, run),
        press(probe, run, "ctrl-c"),
        probe.link.resize(run, 1, 1),
    ):
        with pytest.raises(RunEnded):
            await asked


async def test_leftovers_read_the_end_of_their_input_when_the_main_process_has_ended(probe: Probe) -> None:
    run = fed(probe, "cat <&0 >/dev/null & echo $!")

    ended = await probe.until_ended(run)

    assert not is_alive(int(probe.log(run)))
    assert ended.leftovers == ()  # it ended by itself, within the second that it had


# --- what the log says


async def test_what_was_sent_is_one_quoted_line_in_the_log(probe: Probe) -> None:
    run = fed(probe, "exec cat >/dev/null")

    await send(probe, run, "two  blanks,\ttab, \x1b[31mred\x1b[0m, héllo\n")
    await send(probe, run, b"\xff\x00")
    await send(probe, run, "é" * 5000)
    await press(probe, run, "enter")
    await close(probe, run)
    await probe.until_ended(run)

    lines = probe.words(run).splitlines()
    assert lines[0] == r"a test sent 'two  blanks,\ttab, \x1b[31mred\x1b[0m, héllo\n'"
    assert lines[1] == r"a test sent '\udcff\x00'"
    assert lines[2] == f"a test sent '{'é' * 2048}' and {10_000 - 4096} bytes more"
    assert lines[3:] == ["a test sent enter", "a test closed standard input"]


async def test_what_is_typed_key_by_key_is_quoted_line_by_line(probe: Probe) -> None:
    run = in_terminal(probe, "cat")

    for char in "make it so\rand":
        await send(probe, run, char)
    await press(probe, run, "ctrl-u")
    for char in "again":
        await send(probe, run, char)
    await probe.link.send_input(run, Input(data=b"\n"), "another")
    await close(probe, run)
    await probe.until_ended(run)

    assert probe.words(run).splitlines() == [
        r"a test sent 'make it so\r'",
        "a test sent 'and'",
        "a test sent ctrl-u",
        "a test sent 'again'",
        r"another sent '\n'",
        "a test closed standard input",
    ]


async def test_a_line_that_is_never_finished_is_quoted_after_a_while(probe: Probe) -> None:
    run = in_terminal(probe, "cat")

    await send(probe, run, "y")

    async with asyncio.timeout(30):
        while "a test sent 'y'\n" not in probe.words(run):
            await asyncio.sleep(0.01)


async def test_a_secret_is_in_no_file(probe: Probe) -> None:
    run = fed(probe, "read password; sleep 0.2")

    await send(probe, run, "s3cr3t\n", secret=True)
    await close(probe, run)
    await probe.until_ended(run)

    content = b"".join(path.read_bytes() for path in probe.data.rglob("*") if path.is_file())
    assert b"s3cr3t" not in content
    assert probe.words(run) == "a test closed standard input\n"


async def test_so_much_is_quoted_and_no_more(probe: Probe) -> None:
    run = fed(probe, "exec cat >/dev/null", log_max_size=128 * 1024)

    for _ in range(40):
        await send(probe, run, "y" * 900)
    await close(probe, run)
    await probe.until_ended(run)

    words = probe.words(run)
    assert len(words) < 17_000
    assert words.endswith("what is sent from here on is not said here any more\n")


# --- keys without a terminal


async def test_ctrl_c_is_sigint_to_every_process_of_the_run(probe: Probe) -> None:
    script = (
        "import os, signal, sys; child = os.fork()\n"
        "def interrupted(*_):\n"
        "    if child: os.wait()\n"
        "    os.write(1, b'parent\\n' if child else b'child\\n'); os._exit(5)\n"
        "signal.signal(signal.SIGINT, interrupted); os.write(1, b'\\n')\n"
        "while True: signal.pause()"
    )
    run = probe.spawn(sys.executable, "-c", script)
    await probe.until_written(run, b"\n\n")

    await press(probe, run, "ctrl-c")
    ended = await probe.until_ended(run)

    assert probe.log(run).split() == [b"child", b"parent"]
    assert (ended.ending.exit_code, ended.ending.cause) == (5, None)
    assert probe.words(run) == "a test sent ctrl-c: SIGINT\n"


async def test_enter_is_a_newline_and_ctrl_d_the_end_and_what_only_a_terminal_has_is_refused(
    probe: Probe,
) -> None:
    run = fed(probe, "exec cat")

    await send(probe, run, "a")
    await press(probe, run, "enter")
    with pytest.raises(NoTerminal):
        await press(probe, run, "up")
    with pytest.raises(NoTerminal):
        await probe.link.resize(run, 24, 80)
    await press(probe, run, "ctrl-d")
    await probe.until_ended(run)

    assert probe.log(run) == b"a\n"


# --- a terminal


async def test_a_terminal_is_all_three_streams_and_controls_its_session(probe: Probe) -> None:
    run = in_terminal(
        probe,
        "sh",
        "-c",
        "tty; stty size; echo $TERM; ps -o sid=,tty= -p $$; echo $$; echo err >&2; echo own > /dev/tty;"
        "stty -a | grep -o iutf8; ls /proc/self/fd | wc -l",
        rows=30,
        cols=101,
    )

    await probe.until_ended(run)

    tty, size, term, session, pid, err, own, utf8, files = probe.log(run).decode().split("\r\n")[:9]
    assert re.fullmatch(r"/dev/pts/\d+", tty)
    assert size == "30 101"
    assert term == "xterm-256color"
    assert session.split() == [pid, tty.removeprefix("/dev/")]
    assert (err, own, utf8, files) == ("err", "own", "iutf8", "4")


async def test_a_term_that_is_given_stays(probe: Probe) -> None:
    run = in_terminal(probe, "sh", "-c", "echo $TERM", env={"PATH": os.environ["PATH"], "TERM": "vt100"})

    await probe.until_ended(run)

    assert probe.log(run) == b"vt100\r\n"


async def test_a_person_is_asked_and_answers(probe: Probe) -> None:
    run = in_terminal(probe, sys.executable, "-c", "print('Hello ' + input('Name? '))")
    await probe.until_written(run, b"Name? ")

    await send(probe, run, "Ada")
    await press(probe, run, "enter")
    ended = await probe.until_ended(run)

    assert ended.ending.exit_code == 0
    assert probe.log(run).endswith(b"Hello Ada\r\n")
    assert "a test sent 'Ada'" in probe.words(run)


async def test_a_password_is_not_in_the_log(probe: Probe) -> None:
    run = in_terminal(
        probe, sys.executable, "-c", "import getpass; print(len(getpass.getpass()))", stdin=Stdin.PIPE
    )
    await probe.until_written(run, b"Password: ")

    await send(probe, run, "s3cr3t\n")
    await probe.until_ended(run)

    assert probe.log(run).endswith(b"6\r\n")
    assert b"s3cr3t" not in probe.log(run) + probe.words(run).encode()


async def test_a_program_that_reads_keys_gets_them_as_they_are_pressed(probe: Probe) -> None:
    script = (
        "import os, tty; tty.setraw(0); os.write(1, b'ready'); got = b''\n"
        "while not got.endswith(b'q'): got += os.read(0, 100)\n"
        "os.write(1, repr(got).encode())"
    )
    run = in_terminal(probe, sys.executable, "-c", script)
    await probe.until_written(run, b"ready")

    for key in ("up", "ctrl-c", "escape", "f5", "ctrl-d", "page-down", "ctrl-\\"):
        await press(probe, run, key)
    await send(probe, run, "é:wq")
    await probe.until_ended(run)

    expected = b"\x1b[A\x03\x1b\x1b[15~\x04\x1b[6~\x1c" + "é:wq".encode()
    assert probe.log(run) == b"ready" + repr(expected).encode()
    assert probe.words(run) == ""  # a program that shows the keys itself has turned the echo off


async def test_a_full_screen_program_knows_its_cursor_keys(probe: Probe) -> None:
    script = (
        "import curses\n"
        "def main(screen):\n"
        "    screen.addstr('ready'); screen.refresh()\n"
        "    return [curses.keyname(screen.getch()).decode() for _ in range(8)]\n"
        "print(curses.wrapper(main))"
    )
    run = in_terminal(probe, sys.executable, "-c", script)
    await probe.until_written(run, b"ready")

    for key in ("up", "down", "left", "right", "home", "end", "f1", "delete"):
        await press(probe, run, key)
    await probe.until_ended(run)

    names = ["UP", "DOWN", "LEFT", "RIGHT", "HOME", "END", "F(1)", "DC"]
    assert repr([f"KEY_{name}" for name in names]).encode() in probe.log(run)


async def test_ctrl_c_interrupts_what_is_in_the_foreground(probe: Probe) -> None:
    run = in_terminal(probe, "bash", "-ic", "echo ready; sleep 1000; echo after $?")
    await probe.until_written(run, b"ready")

    async with asyncio.timeout(30):
        while b"after" not in probe.log(run) and run not in probe.ended:
            await press(probe, run, "ctrl-c")  # the first may come before the sleep
            await asyncio.sleep(0.05)
    ended = await probe.until_ended(run)

    assert ended.ending.cause is None


async def test_closing_a_terminal_is_typing_its_end_of_input(probe: Probe) -> None:
    at_a_line = in_terminal(probe, "cat")
    within_one = in_terminal(probe, "cat")
    await until_waiting(probe, at_a_line)
    await until_waiting(probe, within_one)

    await send(probe, at_a_line, "whole\n")
    await send(probe, within_one, "half")
    for run in (at_a_line, within_one):
        await close(probe, run)
    ends = [await probe.until_ended(run) for run in (at_a_line, within_one)]

    assert [end.ending.exit_code for end in ends] == [0, 0]
    assert probe.log(at_a_line) == b"whole\r\nwhole\r\n"
    assert probe.log(within_one) == b"halfhalf"


async def test_a_resize_is_heard_by_the_program(probe: Probe) -> None:
    run = in_terminal(
        probe, "sh", "-c", "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.02; done"
    )
    await probe.until_written(run, b"ready")

    await probe.link.resize(run, 50, 132)
    await probe.until_ended(run)

    assert probe.log(run) == b"ready\r\n50 132\r\n"


@pytest.mark.parametrize("turn", range(3))
async def test_what_a_terminal_got_last_is_not_lost(probe: Probe, turn: int) -> None:
    run = in_terminal(probe, "seq", "1", "40000")

    await probe.until_ended(run)

    assert probe.log(run) == b"".join(b"%d\r\n" % n for n in range(1, 40_001))


async def test_a_background_process_that_keeps_the_terminal_open_does_not_hold_the_run(probe: Probe) -> None:
    script = (
        "import os, signal, sys, time; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "if os.fork() == 0:\n    time.sleep(1000)\n"
        "print('left', flush=True)"
    )
    ended_one = in_terminal(probe, sys.executable, "-c", script)
    kept_one = in_terminal(probe, sys.executable, "-c", script, keep_children=True)

    ended, kept = [await probe.until_ended(run) for run in (ended_one, kept_one)]

    assert ended.ending.exit_code == kept.ending.exit_code == 0
    assert len(ended.leftovers) == 1
    assert kept.leftovers == ()
    assert probe.log(ended_one) == probe.log(kept_one) == b"left\r\n"
    for pid in _with_run(kept_one):
        kill(pid)


async def test_a_program_that_leaves_its_terminal_goes_on(probe: Probe) -> None:
    run = in_terminal(
        probe,
        "sh",
        "-c",
        "trap '' HUP; echo bye; exec <&- >&- 2>&-; while [ ! -e go ]; do sleep 0.02; done; exit 6",
        cwd=str(probe.data),
    )
    await probe.until_written(run, b"bye")
    async with asyncio.timeout(30):
        while (await probe.link.look(run)).open:
            await asyncio.sleep(0.005)

    with pytest.raises(InputClosed):
        await send(probe, run, "anybody?\n")
    (probe.data / "go").touch()

    assert (await probe.until_ended(run)).ending.exit_code == 6


async def test_a_stop_ends_what_is_in_a_terminal(probe: Probe) -> None:
    run = in_terminal(probe, "sh", "-c", "sleep 1000 & echo $!; cat")
    await probe.until_written(run, b"\n")

    probe.link.stop(run, "a test")
    ended = await probe.until_ended(run)

    assert ended.ending.signal == "SIGTERM"
    assert not is_alive(int(probe.log(run).split()[0]))


async def test_a_megabyte_typed_at_a_program_that_does_not_read_holds_nobody(probe: Probe) -> None:
    run = in_terminal(probe, "sh", "-c", "stty raw -echo; echo ready; exec sleep 1000")
    await probe.until_written(run, b"ready")

    await send(probe, run, MEGABYTE)
    with pytest.raises(InputFull):
        await send(probe, run, MEGABYTE)
    other = await probe.until_ended(probe.shell("exit 3"))

    assert other.ending.exit_code == 3


# --- waiting for input


WAITERS = {
    "read": "import os; os.read(0, 10)",
    "poll": "import select; p = select.poll(); p.register(0, select.POLLIN); p.poll()",
    "select": "import select; select.select([0], [], [])",
    "epoll": "import select; p = select.epoll(); p.register(0, select.EPOLLIN); p.poll()",
    "a thread": "import os, threading; threading.Thread(target=os.read, args=(0, 10)).start()",
    "a child": "import subprocess; subprocess.run(['cat'])",
}


@pytest.mark.parametrize("how", WAITERS)
@pytest.mark.parametrize("pty", [False, True], ids=["pipe", "terminal"])
async def test_a_program_that_waits_for_input_is_seen_to_wait(probe: Probe, how: str, *, pty: bool) -> None:
    script = WAITERS[how]

    run = probe.spawn(sys.executable, "-c", script, stdin=Stdin.PIPE, pty=pty)

    await until_waiting(probe, run)


@pytest.mark.parametrize("how", ["select.select([a], [], [], 1000)", "os.read(a, 1)", "time.sleep(1000)"])
@pytest.mark.parametrize("pty", [False, True], ids=["pipe", "terminal"])
async def test_a_program_that_waits_for_something_else_is_not(probe: Probe, how: str, *, pty: bool) -> None:
    script = f"import os, select, time; a, b = os.pipe(); print('ready', flush=True); {how}"
    run = probe.spawn(sys.executable, "-c", script, stdin=Stdin.PIPE, pty=pty)
    await probe.until_written(run, b"ready")

    looks = [(await probe.link.look(run)).waiting for _ in range(20)]

    assert not any(looks)


async def test_a_run_that_takes_no_input_waits_for_none(probe: Probe) -> None:
    run = probe.shell("sleep 1000")
    await probe.until_started(run)

    state = await probe.link.look(run)

    assert (state.open, state.pty, state.unread, state.waiting) == (False, False, 0, False)


# --- through restarts and upgrades


async def test_a_server_that_is_gone_takes_no_input_with_it(probe: Probe) -> None:
    run = fed(probe, "trap 'exec wc -c' USR1; echo ready; while :; do sleep 0.02; done")
    terminal = in_terminal(probe, "cat")
    await probe.until_written(run, b"ready\n")
    await send(probe, run, MEGABYTE)

    await probe.disconnect()
    again = await Probe(probe.data).connect()
    unread = (await again.link.look(run)).unread
    await send(again, terminal, "after\n")
    await close(again, terminal)
    await close(again, run)
    os.kill((await again.until_started(run)).pid, signal.SIGUSR1)
    await again.until_ended(run)
    await again.until_ended(terminal)

    assert unread == len(MEGABYTE)
    assert again.log(run).endswith(b"%d\n" % len(MEGABYTE))
    assert again.log(terminal) == b"after\r\nafter\r\n"
    await again.disconnect()


async def test_a_re_execution_keeps_terminals_and_what_was_not_read(probe: Probe) -> None:
    script = "trap 'exec sha256sum' USR1; echo ready; while :; do sleep 0.02; done"
    waits, closing = fed(probe, script), fed(probe, script)
    terminal = in_terminal(probe, "cat")
    for run in (waits, closing):
        await probe.until_written(run, b"ready\n")
        await send(probe, run, bytes(range(256)) * 4000)
    await close(probe, closing)
    await send(probe, terminal, "half")

    keeper = probe.link.pid
    await probe.disconnect()
    link = await find_keeper(probe.data)
    await upgrade_keeper(link, probe.data)
    await link.close()
    again = await Probe(probe.data).connect()

    assert again.link.pid == keeper
    await send(again, waits, "more")
    await close(again, waits)
    with pytest.raises(InputClosed):
        await send(again, closing, "more")
    await again.link.resize(terminal, 10, 10)
    await close(again, terminal)
    for run in (waits, closing):
        os.kill((await again.until_started(run)).pid, signal.SIGUSR1)
    from hashlib import sha256

    for run, tail in ((waits, b"more"), (closing, b"")):
        await again.until_ended(run)
        expected = sha256(bytes(range(256)) * 4000 + tail).hexdigest()
        assert again.log(run).split()[1].decode() == expected
    await again.until_ended(terminal)
    assert again.log(terminal) == b"halfhalf"
    assert again.words(terminal) == "a test sent 'half'\na test closed standard input\n"
    await again.disconnect()


async def test_a_keeper_of_the_first_protocol_is_replaced_with_its_runs(tmp_path: Path) -> None:
    _older_program(tmp_path / "older")
    data = tmp_path / "data"
    data.mkdir()
    launch = tmp_path / "older" / "rota" / "keeper" / "launch.py"
    said = await asyncio.to_thread(
        subprocess.check_output, [sys.executable, "-I", "-S", str(launch), str(data)], timeout=30
    )
    assert said == b"ready"
    old = await Probe(data).connect(upgrade=False)
    run = old.shell("while [ ! -e go ]; do sleep 0.02; done; exit 4", cwd=str(data))
    started = await old.until_started(run)

    assert old.link.protocol == 1
    with pytest.raises(KeeperUnavailable, match="older version"):
        await send(old, run, "x")
    with pytest.raises(Unusable, match="does not know pty"):
        in_terminal(old, "cat")
    with pytest.raises(Unusable, match="does not know limits"):
        old.shell("true", limits={"tasks_max": 50})
    await old.disconnect()
    new = await Probe(data).connect()

    assert (new.link.protocol, new.link.pid) == (PROTOCOL, old.link.pid)
    assert new.started[run] == started
    with pytest.raises(InputClosed):
        await send(new, run, "x")
    fresh = fed(new, "exec cat")
    await send(new, fresh, "known now\n")
    await close(new, fresh)
    await new.until_ended(fresh)
    (data / "go").touch()
    assert (await new.until_ended(run)).ending.exit_code == 4
    assert new.log(fresh) == b"known now\n"
    await new.disconnect()
    await shutdown_keeper(data)


def _older_program(where: Path) -> None:
    """This one, but for what it says and hands on that the first version of its protocol did not."""
    shutil.copytree(Path(rota.__file__).parent, where / "rota", ignore=shutil.ignore_patterns("__pycache__"))
    for module, new, old in (
        ("protocol.py", f"PROTOCOL = {PROTOCOL}", "PROTOCOL = 1"),
        ("child.py", '"input": None if self.input is None else self.input.state(),', ""),
    ):
        path = where / "rota" / "keeper" / module
        text = path.read_text()
        assert new in text
        path.write_text(text.replace(new, old))


async def test_a_keeper_that_dies_with_a_question_open_is_told_of(probe: Probe) -> None:
    run = fed(probe, "cat")
    await probe.until_started(run)
    os.kill(probe.link.pid, signal.SIGSTOP)

    asked = asyncio.create_task(send(probe, run, "x"))
    await asyncio.sleep(0)
    kill(probe.link.pid)

    with pytest.raises(KeeperUnavailable):
        await asked


def _with_run(run: RunId) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    if f"ROTA_RUN_ID={run}".encode() in file.read():
                        found.append(int(name))
            except OSError:
                continue
    return found
