"""The seam for secrets: a transform between the read and the write of a stream."""

from __future__ import annotations

from pathlib import Path

import pytest

from rota.logs import place
from rota.logs.mask import Mask
from rota.logs.reader import LogFollower
from rota.logs.writer import LogWriter

RUN = "01998000-0000-7000-8000-000000000000"


def masked(data: Path) -> LogWriter:
    return LogWriter(str(data), RUN, transforms=(Mask([b"hunter2"]), None))


@pytest.mark.parametrize("pieces", [1, 2, 3, 7])
@pytest.mark.parametrize("re_executed", [False, True])
def test_a_value_is_hidden_wherever_the_reads_fall(tmp_path: Path, pieces: int, re_executed: bool) -> None:
    Path(place.folder(str(tmp_path), RUN)).mkdir(parents=True)
    writer = masked(tmp_path)
    text = b"a hunter2 b\nhunter hunter2hunter2\nthe end: hunte"

    for start in range(0, len(text), pieces):
        piece = bytearray(text[start : start + pieces])
        writer.append(0, piece, len(piece), 1000 * start)
        writer.append(1, bytearray(b"hunter2\n"), 8, 1000 * start)
        if re_executed:
            state = writer.state()
            writer = masked(tmp_path)
            writer.restore(state)
    for stream in (0, 1):
        writer.end_stream(stream, 1_000_000)
    writer.end(1_000_000)
    writer.close()

    got = {"stdout": b"", "stderr": b""}
    for name, piece in LogFollower(tmp_path, RUN).read():
        got[name] += piece
    assert got["stdout"] == b"a [redacted] b\nhunter [redacted][redacted]\nthe end: hunte"
    assert got["stderr"] == b"hunter2\n" * -(-len(text) // pieces)
    assert writer.written == len(got["stdout"]) + len(got["stderr"])
    assert writer.lines == 3 + got["stderr"].count(b"\n")
