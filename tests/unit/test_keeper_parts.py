"""The keeper's parts by themselves: lines, records, mounts, the loop."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from typing import Self

import pytest

import rota.keeper
from rota.keeper import journal, tree
from rota.keeper.journal import Journal
from rota.keeper.locality import Mounts, NotLocal
from rota.keeper.loop import Loop
from rota.keeper.protocol import Lines, ProtocolError, decode, encode

_RUN = "01998000-0000-7000-8000-000000000000"


def test_lines_are_cut_wherever_the_reads_fall() -> None:
    lines = Lines()

    got = [line for byte in b'{"a":1}\n{"b":2}\n{"c"' for line in lines.feed(bytes([byte]))]

    assert got == [b'{"a":1}', b'{"b":2}']
    assert lines.rest == b'{"c"'


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rota.keeper.protocol.LONGEST", 100)
    lines = Lines()

    with pytest.raises(ProtocolError):
        for _ in range(3):
            lines.feed(b"x" * 60)


def test_any_environment_survives_the_protocol() -> None:
    env = {"A": "é\udcff\n\x01", "B": "x" * 100_000}

    assert decode(encode({"env": env}).rstrip(b"\n"))["env"] == env


@pytest.mark.parametrize("line", [b"", b"nonsense", b"[1]", b"7"])
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(line)


def _note(book: Journal, run: str = _RUN, **about: object) -> None:
    book.add(run, encode({"run": run, **about}))


def test_the_lines_of_a_run_are_merged_when_the_journal_is_read(tmp_path: Path) -> None:
    book = Journal(str(tmp_path))
    _note(book, attempt="a", grace=5)
    _note(book, cause="timeout")
    _note(book, "another", attempt="b")
    book.forget(["another", "unknown"])

    assert journal.read(str(tmp_path)) == {
        _RUN: {"run": _RUN, "attempt": "a", "grace": 5, "cause": "timeout"}
    }
    assert Journal(str(tmp_path)).older == journal.read(str(tmp_path))


def test_a_journal_that_was_cut_short_is_read_as_far_as_it_goes_and_goes_on(tmp_path: Path) -> None:
    _note(Journal(str(tmp_path)), attempt="a")
    with (tmp_path / journal.NAME).open("ab") as file:
        file.write(b'{"run": "half a li')

    _note(Journal(str(tmp_path)), event="ended")

    assert journal.read(str(tmp_path)) == {_RUN: {"run": _RUN, "attempt": "a", "event": "ended"}}


def test_a_journal_stays_small_and_keeps_what_is_open(tmp_path: Path) -> None:
    book = Journal(str(tmp_path))
    _note(book, attempt="a")

    for number in range(9000):
        _note(book, f"run-{number}", message="x" * 1000)
        book.forget([f"run-{number}"])

    assert (tmp_path / journal.NAME).stat().st_size < 6_000_000
    assert journal.read(str(tmp_path)) == {_RUN: {"run": _RUN, "attempt": "a"}}

    book.forget([_RUN])

    assert journal.read(str(tmp_path)) == {}
    book.close()
    assert not (tmp_path / journal.NAME).exists()


def test_a_line_that_the_disk_had_no_room_for_is_no_loss_for_the_next(tmp_path: Path) -> None:
    book = Journal(str(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
    try:
        with pytest.raises(OSError, match=r"No space|too large"):
            _note(book, attempt="a" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    _note(book, "another", attempt="b")

    assert journal.read(str(tmp_path)) == {"another": {"run": "another", "attempt": "b"}}


def test_a_mount_of_an_unlisted_kind_is_not_local(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to("far/below")
    (tmp_path / "loop").symlink_to("loop")
    table = tmp_path / "mountinfo"
    table.write_text(f"22 1 0:1 / / rw - ext4 /dev/x rw\n23 22 0:2 / {tmp_path}/far rw - sshfs x rw\n")
    mounts = Mounts(str(table))

    for remote in ("far", "far/a/b", "link", "link/x"):
        with pytest.raises(NotLocal):
            mounts.check(str(tmp_path / remote))
    for local in ("near", "farther", "loop", "."):
        mounts.check(str(tmp_path / local))


def test_what_a_call_raises_costs_that_call_alone() -> None:
    said: list[str] = []
    loop = Loop(said.append)

    def fail() -> None:
        raise RuntimeError("on purpose")

    loop.soon(fail)
    loop.after(0.0, fail)
    loop.after(0.001, loop.stop)
    loop.run()

    assert len(said) == 2
    assert "RuntimeError: on purpose" in said[0]


def test_timers_ring_in_order_and_a_cancelled_one_does_not() -> None:
    rung: list[int] = []
    loop = Loop(lambda _: None)
    loop.after(0.004, lambda: rung.append(2))
    loop.after(0.002, lambda: rung.append(1))
    loop.after(0.003, lambda: rung.append(9)).cancel()
    loop.after(0.006, loop.stop)

    loop.run()

    assert rung == [1, 2]


def test_the_keeper_imports_nothing_but_the_standard_library_and_its_own() -> None:
    program = Path(rota.keeper.__file__).parent / "main.py"
    script = (
        f"import sys; path = {str(program)!r}; parts = {{'__file__': path, '__name__': 'keeper'}};"
        "exec(compile(open(path).read(), path, 'exec'), parts | {'__package__': None});"
        "print('\\n'.join(sorted(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True, timeout=30
    )

    modules = done.stdout.split()
    assert {name for name in modules if name.startswith("rota")} >= {"rota.keeper.keeper", "rota.logs.writer"}
    heavy = {
        "asyncio",
        "typing",
        "dataclasses",
        "ctypes",
        "subprocess",
        "pathlib",
        "inspect",
        "logging",
    }
    assert heavy.isdisjoint(modules)
    for name in modules:
        top = name.partition(".")[0]
        assert top in {"rota", "keeper", "__main__"} or top in sys.stdlib_module_names, name


def test_a_process_that_is_loading_its_program_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Environ:
        """Empty at first, as `/proc/PID/environ` is while a program is being loaded."""

        looks = 0

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def read(self) -> bytes:
            Environ.looks += 1
            return b"A=b\0ROTA_RUN_ID=x\0" if Environ.looks > 3 else b""

    monkeypatch.setattr(tree, "open", lambda *_: Environ(), raising=False)

    assert tree.run_of(1) is None
    assert tree.run_of(1, looks=20) == "x"
