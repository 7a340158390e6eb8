"""Random bytes in random pieces come back from a log byte for byte, stream by stream."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from rota.logs import place
from rota.logs.index import ENTRY
from rota.logs.reader import LogFollower
from rota.logs.room import Room
from rota.logs.writer import LogWriter

_RUN = "01998000-0000-7000-8000-000000000000"
_pieces = st.lists(
    st.tuples(st.sampled_from([0, 1]), st.binary(min_size=1, max_size=300), st.integers(0, 3000)), max_size=30
)


@settings(max_examples=80)
@given(pieces=_pieces, read_after=st.sets(st.integers(0, 30)))
def test_each_stream_comes_back_as_it_was_written(
    pieces: list[tuple[int, bytes, int]], read_after: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(place.folder(folder, _RUN)).mkdir(parents=True)
        writer = LogWriter(folder, _RUN, Room(folder))
        follower = LogFollower(Path(folder), _RUN)
        got: dict[str, bytes] = {"stdout": b"", "stderr": b"", "system": b""}
        now = 1_700_000_000_000_000

        for number, (stream, data, pause) in enumerate(pieces):
            now += pause
            writer.append(stream, bytearray(data), len(data), now)
            if number in read_after:
                for name, piece in follower.read():
                    got[name] += piece
        writer.say("the end", now)
        writer.end(now)
        writer.close()
        for name, piece in follower.read():
            got[name] += piece

        assert got["stdout"] == b"".join(data for stream, data, _ in pieces if stream == 0)
        assert got["stderr"] == b"".join(data for stream, data, _ in pieces if stream == 1)
        assert got["system"] == b"the end\n"
        log = Path(place.path(folder, _RUN, place.LOG))
        assert (log.read_bytes() if pieces else b"") == b"".join(data for _, data, _ in pieces)


@settings(max_examples=50)
@given(pieces=_pieces, cut=st.integers(0, 30))
def test_a_writer_goes_on_after_a_re_execution(pieces: list[tuple[int, bytes, int]], cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(place.folder(folder, _RUN)).mkdir(parents=True)
        writer = LogWriter(folder, _RUN, Room(folder))
        for number, (stream, data, pause) in enumerate(pieces):
            if number == cut:
                state = writer.state()
                writer = LogWriter(folder, _RUN, Room(folder))
                writer.restore(state)
            writer.append(stream, bytearray(data), len(data), 1_700_000_000_000_000 + pause)
        lines = writer.lines
        for stream in (0, 1):
            writer.end_stream(stream, 1_800_000_000_000_000)
        writer.close()

        got = {"stdout": b"", "stderr": b"", "system": b""}
        for name, piece in LogFollower(Path(folder), _RUN).read():
            got[name] += piece

        assert got["stdout"] == b"".join(data for stream, data, _ in pieces if stream == 0)
        assert lines == sum(data.count(b"\n") for _, data, _ in pieces)
        assert writer.lines == len(_lines(got["stdout"])) + len(_lines(got["stderr"]))


def test_a_writer_goes_on_from_what_a_keeper_before_caps_left(tmp_path: Path) -> None:
    Path(place.folder(str(tmp_path), _RUN)).mkdir(parents=True)
    older = LogWriter(str(tmp_path), _RUN)
    older.append(0, bytearray(b"one\ntw"), 6, 1_700_000_000_000_000)
    known = ("files", "sizes", "begins", "lost", "entry", "place", "lines", "written")
    state = {name: value for name, value in older.state().items() if name in known}

    writer = LogWriter(str(tmp_path), _RUN)
    writer.restore(state)
    writer.append(0, bytearray(b"o\n"), 2, 1_700_000_000_100_000)
    writer.close()

    assert [piece for _, piece in LogFollower(tmp_path, _RUN).read()] == [b"one\ntw", b"o\n"]
    assert writer.lines == 2


def _lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def test_an_unbuffered_writer_shares_index_entries(tmp_path: Path) -> None:
    Path(place.folder(str(tmp_path), _RUN)).mkdir(parents=True)
    writer = LogWriter(str(tmp_path), _RUN, Room(str(tmp_path)))

    for microsecond in range(10_000):
        writer.append(0, bytearray(b"x"), 1, microsecond)
    writer.close()

    entries = (tmp_path / "runs" / _RUN[:7] / (_RUN + place.INDEX)).stat().st_size // ENTRY.size
    assert entries == 10
