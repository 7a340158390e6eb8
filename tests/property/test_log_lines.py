"""Whatever programs write, and however it is cut: readers get the lines that a plain model computes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rota.logs import place
from rota.logs.entries import EVERY, Entries
from rota.logs.index import ENTRY, SYSTEM
from rota.logs.line import Ansi
from rota.logs.lines import lines_before, lines_from
from rota.logs.log import Log
from rota.logs.page import Position, View, open_lines, position_of_time, read_page, read_tail
from rota.logs.room import Room
from rota.logs.writer import LogWriter

RUN = "01998000-0000-7000-8000-000000000000"
BEGIN = 1_700_000_000_000_000

#: Beside the streams: a line that is said of what was sent to the run.
QUOTED = 3

#: Small alphabets, so that newlines, halves of characters and carriage returns are everywhere.
_bytes = st.one_of(
    st.lists(
        st.sampled_from([b"\n", b"a", b"\xc3", b"\xa9", b"\0", b"bc\n", b"\r\n"]), min_size=1, max_size=12
    ).map(b"".join),
    st.binary(min_size=1, max_size=40),
)
_writes = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 1, SYSTEM, QUOTED]), _bytes, st.sampled_from([0, 1, 400, 999, 1000, 5000])
    ),
    max_size=40,
)


class Told(NamedTuple):
    """A line of the model."""

    n: int
    stream: int
    content: bytes


class Model:
    """What the lines are, worked out byte by byte."""

    def __init__(self) -> None:
        self.lines: list[Told] = []
        self.times: list[int] = []
        self.open = {0: b"", 1: b"", SYSTEM: b""}

    def write(self, stream: int, data: bytes, at: int) -> None:
        for byte in data:
            if byte == 10:
                self._complete(stream, at)
            else:
                self.open[stream] += bytes([byte])

    def say(self, words: bytes, at: int) -> None:
        del at
        self.open[SYSTEM] += b"; " + words if self.open[SYSTEM] else words

    def end(self, stream: int, at: int) -> None:
        if self.open[stream]:
            self._complete(stream, at)

    def _complete(self, stream: int, at: int) -> None:
        self.lines.append(Told(len(self.lines) + 1, stream, self.open[stream]))
        self.times.append(at)
        self.open[stream] = b""


class Written:
    """One log, written both by the writer and into the model."""

    def __init__(self, folder: str, cap: int | None = None) -> None:
        self.folder = folder
        Path(place.folder(folder, RUN)).mkdir(parents=True, exist_ok=True)
        self.writer = LogWriter(folder, RUN, Room(folder), cap=cap)
        self.model = Model()
        self.now = BEGIN

    def write(self, stream: int, data: bytes, pause: int = 0) -> None:
        self.now += pause
        if stream == SYSTEM:
            said = " ".join(data.decode("latin-1").split()) or "x"
            self.writer.say(said, self.now)
            self.model.say(said.encode(), self.now)
        elif stream == QUOTED:
            self.model.end(SYSTEM, self.now)
            self.writer.quote(ascii(data), self.now)
            self.model.write(SYSTEM, ascii(data).encode() + b"\n", self.now)
        else:
            self.model.end(SYSTEM, self.now)
            self.writer.append(stream, bytearray(data), len(data), self.now)
            self.model.write(stream, data, self.now)

    def end(self) -> None:
        for stream in (0, 1):
            self.writer.end_stream(stream, self.now)
            self.model.end(stream, self.now)
        self.writer.end(self.now)
        self.model.end(SYSTEM, self.now)
        self.writer.close()

    def path(self, suffix: str) -> Path:
        return Path(place.path(self.folder, RUN, suffix))

    def log(self, *, finalized: bool = True) -> Log:
        return Log(self.folder, RUN, finalized=finalized)


def told(log: Log, n: int = 1, streams: tuple[int, ...] = EVERY) -> list[Told]:
    return [Told(line.n, line.stream, line.content or b"") for line in lines_from(log, n, streams)]


_streams = st.sampled_from([EVERY, (0,), (1,), (SYSTEM,), (0, 1), (1, SYSTEM)])


@settings(max_examples=300)
@given(writes=_writes, streams=_streams, n=st.integers(1, 60))
def test_every_line_comes_back_from_any_line_on_and_back(
    writes: list[tuple[int, bytes, int]], streams: tuple[int, ...], n: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written = Written(folder)
        for stream, data, pause in writes:
            written.write(stream, data, pause)
        written.end()

        wanted = [line for line in written.model.lines if line.stream in streams]
        with written.log() as log:
            assert log.total_lines == len(written.model.lines)
            assert told(log, 1, streams) == wanted
            assert told(log, n, streams) == [line for line in wanted if line.n >= n]
            back = [Told(line.n, line.stream, line.content or b"") for line in lines_before(log, n, streams)]
            assert back == [line for line in reversed(wanted) if line.n < n]
            times = [line.at for line in lines_from(log, 1, EVERY)]
            assert all(0 <= at - read < 1000 for at, read in zip(written.model.times, times, strict=True))


@settings(max_examples=200)
@given(writes=_writes, streams=_streams, limit=st.integers(1, 7), most=st.integers(1, 40))
def test_pages_by_cursor_while_it_grows_give_each_line_once(
    writes: list[tuple[int, bytes, int]], streams: tuple[int, ...], limit: int, most: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written = Written(folder)
        view = View(streams=streams, limit=limit, max_bytes=most)
        position, got = Position(1), list[tuple[int, int, str]]()

        def read(finalized: bool) -> Position:
            with written.log(finalized=finalized) as log:
                page = read_page(log, position, view)
            assert len(page.lines) <= limit
            for line in page.lines:
                if got and got[-1][0] == line.n:
                    got[-1] = (line.n, line.stream, got[-1][2] + line.text)
                else:
                    got.append((line.n, line.stream, line.text))
            return page.next

        for stream, data, pause in writes:
            written.write(stream, data, pause)
            position = read(finalized=False)
        written.end()
        while (after := read(finalized=True)) != position:
            position = after

        whole = {
            line.n
            for line in written.model.lines
            if b"\r" not in line.content.rstrip(b"\r") and b"\b" not in line.content
        }
        model = {line.n: line for line in written.model.lines if line.stream in streams}
        assert [n for n, _, _ in got] == list(model)
        for n, stream, text in got:
            assert stream == model[n].stream
            if n in whole and model[n].content.isascii():
                assert text == model[n].content.rstrip(b"\r").decode()


@settings(max_examples=200)
@given(writes=_writes, cut=st.integers(0, 400), streams=_streams)
def test_an_index_cut_short_by_a_kill_loses_no_byte(
    writes: list[tuple[int, bytes, int]], cut: int, streams: tuple[int, ...]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written = Written(folder)
        for stream, data, pause in writes:
            written.write(stream, data, pause)
        written.writer.close()
        index = written.path(place.INDEX)
        if index.exists():
            os.truncate(index, max(0, index.stat().st_size - cut))
        kept = index.stat().st_size // ENTRY.size if index.exists() else 0

        # What the index still tells, then the rest of the file as standard output, then the ends.
        model = Model()
        entries = [ENTRY.unpack(index.read_bytes()[i * ENTRY.size :][: ENTRY.size]) for i in range(kept)]
        log = written.path(place.LOG).read_bytes() if written.path(place.LOG).exists() else b""
        words = written.path(place.SYSTEM).read_bytes() if written.path(place.SYSTEM).exists() else b""
        ends = {False: 0, True: 0}
        for offset, _, at, _, _, length, stream, _ in entries:
            source = words if stream == SYSTEM else log
            model.write(stream, source[offset : offset + length], at)
            ends[stream == SYSTEM] = offset + length
        model.write(0, log[ends[False] :], 0)
        model.write(SYSTEM, words[ends[True] :], 0)
        model.end(0, 0)
        model.end(1, 0)
        model.end(SYSTEM, 0)

        with written.log() as read:
            assert read.total_lines == len(model.lines)
            assert told(read, 1, streams) == [line for line in model.lines if line.stream in streams]


@settings(max_examples=100)
@given(writes=_writes, count=st.integers(0, 12), streams=_streams)
def test_a_tail_is_the_end_of_all(
    writes: list[tuple[int, bytes, int]], count: int, streams: tuple[int, ...]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written = Written(folder)
        for stream, data, pause in writes:
            written.write(stream, data, pause)

        with written.log(finalized=False) as log:
            page = read_tail(log, View(streams=streams, limit=count))
            opened = {line.stream for line in open_lines(log, Ansi.KEEP)}

        wanted = [line for line in written.model.lines if line.stream in streams]
        assert [line.n for line in page.lines] == [line.n for line in wanted[max(0, len(wanted) - count) :]]
        assert page.next == Position(len(written.model.lines) + 1)
        assert opened == {stream for stream, rest in written.model.open.items() if rest}
        written.writer.close()


@settings(max_examples=100)
@given(writes=_writes, ago=st.integers(0, 40_000))
def test_a_time_is_found(writes: list[tuple[int, bytes, int]], ago: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written = Written(folder)
        for stream, data, pause in writes:
            written.write(stream, data, pause)
        written.end()

        with written.log() as log:
            found = position_of_time(log, BEGIN + ago)
            times = [line.at for line in lines_from(log, 1, EVERY)]

        assert found.n == 1 + sum(at < BEGIN + ago for at in times)


_KINDS = (b"ab\n", b"x" * 700 + b"\n", b"y")


@settings(max_examples=60)
@given(
    writes=st.lists(
        st.tuples(st.sampled_from([0, 0, 1, SYSTEM]), st.integers(0, 2), st.integers(1, 1500)),
        min_size=40,
        max_size=90,
    ),
    streams=_streams,
    n=st.integers(1, 20_000),
)
def test_what_is_left_of_a_log_whose_beginning_was_dropped_is_right(
    writes: list[tuple[int, int, int]], streams: tuple[int, ...], n: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written = Written(folder, cap=24_000)
        for stream, kind, count in writes:
            written.write(stream, b"word" if stream == SYSTEM else (_KINDS[kind] * count)[:1500], count)
        written.write(0, b"the last\n")
        written.end()

        with written.log() as log:
            first = log.first_available
            back = [line.n for line in lines_before(log, n, streams)]
            got = told(log, n, streams)

        model = {line.n: line for line in written.model.lines if line.n >= first and line.stream in streams}
        told_at_the_end = len(written.model.lines) + 1  # how much was dropped, if anything was
        got = [line for line in got if line.n != told_at_the_end]
        assert [line.n for line in got] == [number for number in model if number >= n]
        assert [n for n in back if n != told_at_the_end] == [
            number for number in reversed(model) if number < n
        ]
        for line in got:
            assert line.stream == model[line.n].stream
            assert model[line.n].content.endswith(line.content), line.n


def test_no_log_is_looked_through_to_be_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    column = Entries._column

    def counted(self: Entries, start: int, stop: int) -> bytes:
        looked.append(stop - start)
        return column(self, start, stop)

    monkeypatch.setattr(Entries, "_column", counted)
    written = Written(str(tmp_path))
    for _ in range(20_000):
        written.write(0, b"unbuffered\n", 1000)
    written.write(0, b"open")

    with written.log(finalized=False) as growing:
        assert [line.text for line in open_lines(growing, Ansi.KEEP)] == ["open"]
        assert sum(looked) >= 20_000  # once, for streams of which there is nothing
        looked.clear()
        written.write(0, b" still")
        growing.refresh(finalized=False)
        assert [line.text for line in open_lines(growing, Ansi.KEEP)] == ["open still"]
        assert sum(looked) < 10
    written.end()
    looked.clear()
    with written.log() as ended:
        assert ended.total_lines == 20_001
        assert [line.text for line in read_tail(ended, View(limit=1)).lines] == ["open still"]

    assert sum(looked) < 10
