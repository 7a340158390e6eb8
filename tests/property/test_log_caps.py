"""A log within its cap: what is kept is exact, what went is counted, whatever is written on both streams."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rota.logs import place
from rota.logs.beginning import beginning
from rota.logs.index import ENTRY, SYSTEM
from rota.logs.reader import LogFollower
from rota.logs.writer import DROP_NEW, DROP_OLD, KILL, LogWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rota.logs.beginning import Beginning

RUN = "01998000-0000-7000-8000-000000000000"
CAP = 4000
NOW = 1_700_000_000_000_000

Piece = tuple[int, bytes, int]

pieces = st.lists(
    st.tuples(
        st.sampled_from([0, 1]),
        st.binary(min_size=1, max_size=300) | st.sampled_from([b"\n", b"x", b"a\nb\n" * 50, b"z" * 300]),
        st.sampled_from([0, 400, 1100]),
    ),
    max_size=80,
)  # fmt: skip


@contextmanager
def written(what: list[Piece], on_full: str, cut: int = -1) -> Iterator[tuple[Path, LogWriter]]:
    """A log of these pieces, its keeper re-executed before piece number `cut`."""
    with tempfile.TemporaryDirectory() as folder:
        Path(place.folder(folder, RUN)).mkdir(parents=True)
        writer = LogWriter(folder, RUN, cap=CAP, on_full=on_full)
        now = NOW
        for number, (stream, data, pause) in enumerate(what):
            if number == cut:
                state = writer.state()
                writer = LogWriter(folder, RUN, cap=CAP, on_full=on_full)
                writer.restore(state)
            now += pause
            writer.append(stream, bytearray(data), len(data), now)
            if not number % 7:
                check_size(Path(folder))
        for stream in (0, 1):
            writer.end_stream(stream, now)
        writer.end(now)
        writer.close()
        check_size(Path(folder))
        yield Path(folder), writer


def check_size(data: Path) -> None:
    log, index, begins = files(data)
    kept = len(log) - begins.offset + len(index) - begins.entry * ENTRY.size
    assert kept <= CAP


def files(data: Path) -> tuple[bytes, bytes, Beginning]:
    log, index = (Path(place.path(str(data), RUN, suffix)) for suffix in (place.LOG, place.INDEX))
    if not index.exists():
        return b"", b"", beginning(os.open(os.devnull, os.O_RDONLY))
    with index.open("rb") as file:
        return log.read_bytes() if log.exists() else b"", index.read_bytes(), beginning(file.fileno())


def words(data: Path) -> str:
    path = Path(place.path(str(data), RUN, place.SYSTEM))
    return path.read_text() if path.exists() else ""


def stream(what: list[Piece], number: int) -> bytes:
    return b"".join(data for stream, data, _ in what if stream == number)


@settings(max_examples=60)
@given(what=pieces, cut=st.integers(0, 80))
@example(what=[(0, b"x" * 300, 1100)] * 70, cut=40)
@example(what=[(number % 2, b"\n", 0) for number in range(400)], cut=200)
def test_drop_old_keeps_the_newest_and_shifts_nothing(what: list[Piece], cut: int) -> None:
    with written(what, DROP_OLD, cut) as (data, writer):
        log, index, begins = files(data)

        everything = b"".join(data for _, data, _ in what)
        assert log[begins.offset :] == everything[begins.offset :]
        assert writer.written == len(everything) == len(log)
        assert bool(begins.offset) == ("were dropped" in words(data))
        completed = begins.lines
        at = [begins.offset, 0]
        for where in range(begins.entry * ENTRY.size, len(index), ENTRY.size):
            offset, _, _, lines, _, length, number, _ = ENTRY.unpack_from(index, where)
            assert lines == completed
            if number == SYSTEM:
                completed += words(data).encode()[offset : offset + length].count(b"\n")
                continue
            assert offset == at[0]
            at[0] += length
            completed += log[offset : offset + length].count(b"\n")
            completed += not length  # the end of a stream completes its open line
        assert at[0] == len(everything)
        assert completed == writer.lines


@settings(max_examples=40)
@given(what=pieces)
@example(what=[(0, b"x" * 300, 1100)] * 70)
def test_a_reader_that_comes_late_is_told_what_went_and_gets_the_rest(what: list[Piece]) -> None:
    with written(what, DROP_OLD) as (data, _):
        _, _, begins = files(data)

        got = {"stdout": b"", "stderr": b"", "system": b""}
        for name, piece in LogFollower(data, RUN).read():
            got[name] += piece

        for number, name in enumerate(("stdout", "stderr")):
            assert stream(what, number).endswith(got[name])
        assert len(got["stdout"]) + len(got["stderr"]) + begins.offset == sum(
            len(data) for _, data, _ in what
        )
        assert b"\0" * 4 not in got["system"]
        assert (f"first {begins.offset} bytes ({begins.lines} lines)".encode() in got["system"]) == bool(
            begins.offset
        )


@settings(max_examples=40)
@given(what=pieces, cut=st.integers(0, 80))
@example(what=[(0, b"x\n" * 150, 1100)] * 70, cut=40)
@example(what=[(number % 2, b"\n", 0) for number in range(400)], cut=200)
def test_drop_new_keeps_the_oldest_and_counts_the_rest(what: list[Piece], cut: int) -> None:
    with written(what, DROP_NEW, cut) as (data, _):
        log, index, begins = files(data)

        everything = b"".join(data for _, data, _ in what)
        assert everything.startswith(log)
        assert begins.offset == 0
        dropped = len(everything) - len(log)
        told = words(data)
        assert bool(told) == bool(dropped)
        if dropped:
            assert told.count("\n") == 1
            assert sum(_counts(told)) == dropped
            assert len(log) + len(index) > CAP - 1200


def _counts(told: str) -> list[int]:
    loss = told.rpartition(";")[2].split()
    return [int(word) for word, following in pairwise(loss) if following == "bytes"]


def test_kill_calls_once_and_what_follows_is_counted(tmp_path: Path) -> None:
    Path(place.folder(str(tmp_path), RUN)).mkdir(parents=True)
    calls: list[int] = []
    writer = LogWriter(str(tmp_path), RUN, cap=CAP, on_full=KILL, overflowed=lambda: calls.append(1))

    for number in range(30):
        writer.append(0, bytearray(b"y" * 299 + b"\n"), 300, NOW + number * 2000)
    writer.end(NOW)
    writer.close()

    assert calls == [1]
    kept = Path(place.path(str(tmp_path), RUN, place.LOG)).stat().st_size
    assert _counts(words(tmp_path)) == [30 * 300 - kept]


def test_holes_give_the_disk_back_what_they_hold(tmp_path: Path) -> None:
    Path(place.folder(str(tmp_path), RUN)).mkdir(parents=True)
    cap = 1_000_000
    writer = LogWriter(str(tmp_path), RUN, cap=cap)
    chunk = bytearray(b"0123456789abcde\n" * 2048)

    for number in range(600):
        writer.append(number % 2, chunk, len(chunk), NOW + number * 600)
    for number in range(50_000):
        writer.append(number % 2, bytearray(b"."), 1, NOW + number)  # each has an entry of its own
    writer.end(NOW)
    writer.close()

    log, index = (Path(place.path(str(tmp_path), RUN, suffix)) for suffix in (place.LOG, place.INDEX))
    assert log.stat().st_size == 600 * len(chunk) + 50_000
    assert (log.stat().st_blocks + index.stat().st_blocks) * 512 <= cap + 3 * 4096
    assert writer.size <= cap + 4 * 4096
    with log.open("rb") as file:
        assert os.lseek(file.fileno(), 0, os.SEEK_DATA) > 19_000_000


def test_where_no_hole_can_be_punched_the_oldest_is_kept_and_it_is_told(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("rota.logs.files.LogFiles.punch", lambda *_: False)
    Path(place.folder(str(tmp_path), RUN)).mkdir(parents=True)
    writer = LogWriter(str(tmp_path), RUN, cap=CAP)

    for number in range(30):
        writer.append(0, bytearray(b"y" * 300), 300, NOW + number * 2000)
    writer.end(NOW)
    writer.close()

    log, _, begins = files(tmp_path)
    assert begins.offset == 0
    assert 2000 < len(log) <= CAP
    assert "cannot give back the beginning" in words(tmp_path)
    assert _counts(words(tmp_path)) == [30 * 300 - len(log)]
