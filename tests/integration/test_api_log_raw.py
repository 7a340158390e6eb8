"""A run's bytes, by REST: one stream of them, a range, compressed."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from api_bed import api_of
from sample_logs import ERR, OUT, WORDS, SampleLog, write_log
from test_api_reading import ended_run, task

from rota.api.byte_range import byte_range
from rota.api.refused import RangeNotSatisfiable

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = {"Accept-Encoding": "identity"}


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("bytes=0-", (100, 1000)),
        ("bytes=200-", (200, 1000)),
        ("bytes=200-299", (200, 300)),
        ("bytes=200-5000", (200, 1000)),
        ("bytes=0-150", (100, 151)),
        ("bytes=-10", (990, 1000)),
        ("bytes=-5000", (100, 1000)),
        ("Bytes = 999 - 999", (999, 1000)),
        ("bytes=300-200", None),
        ("bytes=0-1,5-6", None),
        ("lines=0-1", None),
        ("bytes=-", None),
        ("bytes=x", None),
    ],
)
def test_a_range_is_what_is_there_of_it(header: str | None, part: tuple[int, int] | None) -> None:
    assert byte_range(header, 100, 1000) == part


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=0-99", "bytes=-0"])
def test_a_range_of_nothing_is_refused(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        byte_range(header, 100, 1000)


async def test_one_stream_alone_or_a_part_of_it(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        write_log(
            tmp_path, run_id, (OUT, b"\xffone\n"), (ERR, "two"), (WORDS, "words"), (OUT, "three"), (ERR, "\n")
        )
        path = f"/api/runs/{run_id}/log/raw"

        both = await api.tcp.get(path, headers=PLAIN)
        out = await api.tcp.get(f"{path}?stream=stdout", headers=PLAIN)
        err = await api.tcp.get(f"{path}?stream=stderr", headers=PLAIN | {"Range": "bytes=1-2"})

        assert both.content == b"\xffone\ntwothree\n"
        assert both.headers["content-disposition"] == f'inline; filename="job.{run_id}.log"'
        assert (out.status_code, out.content, out.headers["content-length"]) == (200, b"\xffone\nthree", "10")
        assert out.headers["content-disposition"] == f'inline; filename="job.{run_id}.stdout.log"'
        assert (err.status_code, err.content, err.headers["content-range"]) == (206, b"wo", "bytes 1-2/4")
        assert (await api.tcp.get(f"{path}?stream=system")).status_code == 422


async def test_a_range_is_answered_as_such_or_refused_with_the_size(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        write_log(tmp_path, run_id, (OUT, "0123456789"))
        path = f"/api/runs/{run_id}/log/raw"

        part = await api.tcp.get(path, headers={"Range": "bytes=-3"})
        head = await api.tcp.head(path, headers={"Range": "bytes=2-3"})
        beyond = await api.tcp.get(path, headers={"Range": "bytes=10-"})
        compared = await api.tcp.get(path, headers=PLAIN | {"Range": "bytes=2-", "If-Range": '"x"'})

        assert (part.status_code, part.content, part.headers["content-range"]) == (
            206,
            b"789",
            "bytes 7-9/10",
        )
        assert "content-encoding" not in part.headers
        assert (head.status_code, head.headers["content-length"], head.content) == (206, "2", b"")
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */10")
        assert beyond.json()["type"] == "/problems/range-not-satisfiable"
        assert (compared.status_code, compared.content) == (200, b"0123456789")


async def test_it_is_compressed_when_asked(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        content = b"".join(b"line %d\n" % n for n in range(100_000))
        write_log(tmp_path, run_id, (OUT, content))
        path = f"/api/runs/{run_id}/log/raw"

        async with api.tcp.stream("GET", path, headers={"Accept-Encoding": "br, gzip;q=0.5"}) as answer:
            raw = b"".join([piece async for piece in answer.aiter_raw()])
        refused = await api.tcp.get(path, headers={"Accept-Encoding": "gzip;q=0"})

        assert (answer.headers["content-encoding"], "content-length" in answer.headers) == ("gzip", False)
        assert gzip.decompress(raw) == content
        assert len(raw) < len(content) / 3
        assert "content-encoding" not in refused.headers
        assert refused.headers["vary"] == "accept-encoding"


async def test_offsets_count_from_the_first_byte_also_where_it_was_dropped(tmp_path: Path) -> None:
    async with api_of(tmp_path, task()) as api:
        run_id = await ended_run(api)
        log = SampleLog(tmp_path, run_id, cap=40_000)
        lines = [f"line {n} {'x' * 90}\n".encode() for n in range(1000)]
        for line in lines:
            log.write(OUT, line)
        log.end()
        whole = b"".join(lines)
        path = f"/api/runs/{run_id}/log/raw"

        left = await api.tcp.get(path, headers=PLAIN)
        part = await api.tcp.get(path, headers={"Range": "bytes=0-"})
        end = await api.tcp.get(f"{path}?stream=stdout", headers={"Range": f"bytes={len(whole) - 50}-"})
        gone = await api.tcp.get(path, headers={"Range": "bytes=0-10"})

        begins = len(whole) - len(left.content)
        assert begins > 0
        assert whole.endswith(left.content)
        assert part.content == left.content
        assert part.headers["content-range"] == f"bytes {begins}-{len(whole) - 1}/{len(whole)}"
        assert end.content == whole[-50:]
        assert gone.status_code == 416
