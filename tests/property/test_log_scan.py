"""A scan finds the lines that match, stream by stream, as a look at each line by itself does."""

from __future__ import annotations

import re
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_log_lines import Written, _streams

from rota.logs import scan as scanning
from rota.logs.index import SYSTEM
from rota.logs.line import Written as Line
from rota.logs.lines import lines_from
from rota.logs.pattern import Wanted, compiled
from rota.logs.scan import Scan
from rota.logs.settle import as_read, strip

_texts = st.lists(
    st.sampled_from(
        [
            b"\n",
            b"a",
            b"ab",
            b"AB",
            b"b\n",
            b"\r",
            b"\r\n",
            b"\x1b[1m",
            b"\x1b[2K",
            b"\b",
            b"\xc3",
            b"\xa9",
            b"c" * 50,
            b"bb\nb\n" * 200,
        ]
    ),
    min_size=1,
    max_size=10,
).map(b"".join)
_writes = st.lists(
    st.tuples(st.sampled_from([0, 0, 1, SYSTEM]), _texts, st.sampled_from([0, 1000])), max_size=40
)
_wanted = st.sampled_from(
    [
        Wanted(text="a"),
        Wanted(text="ab"),
        Wanted(text="ba"),
        Wanted(text="bb"),
        Wanted(text="bbb"),
        Wanted(text="aB", case=False),
        Wanted(text="é"),
        Wanted(text="^a.?b?$", regex=True),
        Wanted(text="^$", regex=True),
        Wanted(text=r"b\s+a", regex=True),
        Wanted(text=r"\Aa|c\z", regex=True),
        Wanted(text="[^x]b", regex=True, case=False),
        Wanted(text="a.b", regex=True),
    ]
)


def has(wanted: Wanted, line: bytes) -> bool:
    """What Python's own engine says of one line, as readers see it."""
    text = strip(as_read(line)).decode("utf-8", "replace")
    pattern = wanted.text.replace(r"\z", r"\Z") if wanted.regex else re.escape(wanted.text)
    return re.search(pattern, text, 0 if wanted.case else re.IGNORECASE) is not None


@settings(max_examples=400)
@given(
    writes=_writes,
    wanted=_wanted,
    streams=_streams,
    start=st.integers(1, 30),
    stretch=st.sampled_from([1, 20, 1 << 20]),
)
def test_a_scan_finds_what_a_look_at_each_line_finds(
    writes: list[tuple[int, bytes, int]], wanted: Wanted, streams: tuple[int, ...], start: int, stretch: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanning, "_BYTES", stretch)
        written = Written(folder)
        for stream, data, pause in writes:
            written.write(stream, data, pause)
        written.end()

        with written.log() as log:
            scan = Scan(log, compiled(wanted), start=start, streams=streams)
            found: list[Line] = []
            before = 0
            while (lines := scan.step()) is not None:
                found += lines
                assert scan.next_line >= before
                assert all(line.n < scan.next_line for line in lines)
                before = scan.next_line
            expected = [line for line in lines_from(log, start, streams) if has(wanted, line.content or b"")]
            few = Scan(log, compiled(wanted), start=start, streams=streams).step(2)
            assert scan.next_line == max(start, log.total_lines + 1)

        assert found == expected
        assert few is None or few[:2] == [line for line in expected if line in few][:2]


@settings(max_examples=60)
@given(
    parts=st.lists(
        st.sampled_from([b"x" * 30_000, b"a", b"needle", b"nee", b"dle", b"\r", b"y\n"]), max_size=30
    ),
    streams=_streams,
)
def test_over_long_lines_are_looked_through_to_their_end(
    parts: list[bytes], streams: tuple[int, ...]
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanning, "_KEPT", 100_000)
        patch.setattr(scanning, "_BYTES", 10_000)
        written = Written(folder)
        for number, part in enumerate(parts):
            written.write(0, part, 1000)
            if number % 3 == 0:
                written.write(1, b"needle of another stream", 1000)
        written.end()
        wanted = Wanted(text="needle")

        with written.log() as log:
            scan = Scan(log, compiled(wanted), streams=streams)
            found = []
            while (lines := scan.step()) is not None:
                found += lines
            expected = [
                line
                for line in lines_from(log, 1, streams)
                if has(wanted, log.read_stream(line.stream, line.start, line.stop))
            ]

        assert found == expected
