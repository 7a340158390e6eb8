"""`rota logs`: which run, which lines, and how they look. The log lies in the data folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from fake_server import Asked, FakeServer, event, run, stream

from rota.cli import follow as following
from rota.cli import main, outlast
from rota.logs import place
from rota.logs.index import STDERR, STDOUT
from rota.logs.room import Room
from rota.logs.writer import LogWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ID = run()["id"]

#: 2026-11-22T20:00:00Z; each piece comes a minute after the other.
EIGHT = int(datetime(2026, 11, 22, 20, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    for name in ("ROTA_DATA", "ROTA_CONFIG", "ROTA_HOST", "ROTA_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(outlast, "LOOK", 0.01)
    monkeypatch.setattr(following, "LOOK", 0.005)
    with FakeServer(tmp_path) as fake:
        fake.answers["GET /api/services"] = {"items": [], "next_cursor": None}
        fake.answers[f"GET /api/runs/{ID}"] = run()
        yield fake


@pytest.fixture
def rota(server: FakeServer) -> Callable[..., int]:
    return lambda *words: main.run([*words, "--data", str(server.data)])


def writer(server: FakeServer) -> LogWriter:
    (server.data / "runs" / ID[:7]).mkdir(parents=True, exist_ok=True)
    return LogWriter(str(server.data), ID, Room(str(server.data)))


def write(log: LogWriter, *pieces: tuple[int, bytes], minute: int = 0) -> None:
    for number, (which, piece) in enumerate(pieces, minute):
        log.append(which, bytearray(piece), len(piece), EIGHT + number * 60_000_000)


@pytest.fixture
def log(server: FakeServer) -> None:
    it = writer(server)
    write(
        it, (STDOUT, b"one\ntw"), (STDERR, b"oops\n"), (STDOUT, b"o\n 5%\r100%\n"), (STDERR, b"Error \xff\n"),
        (STDOUT, b"last"),
    )  # fmt: skip
    it.end_stream(STDOUT, EIGHT)
    it.say("stopped by api", EIGHT)
    it.end(EIGHT)
    it.close()


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    ("flags", "out", "err"),
    [
        ("", b"one\ntwo\n 5%\r100%\nlast", b"oops\nError \xff\nrota: stopped by api\n"),
        ("--stream stdout", b"one\ntwo\n 5%\r100%\nlast", b""),
        ("--stream stderr", b"", b"oops\nError \xff\n"),
        ("--stream system", b"", b"rota: stopped by api\n"),
        ("--raw", b"one\ntwoops\no\n 5%\r100%\nError \xff\nlast", b""),
        ("--raw --stream stderr", b"oops\nError \xff\n", b""),
        ("--tail 3", b"last\n", "Error \ufffd\nrota: stopped by api\n".encode()),
        ("-n 0", b"", b""),
        ("--tail 2 --stream stdout", b"100%\nlast\n", b""),
        ("--grep o --stream stdout", b"one\ntwo\n", b""),
        ("--grep error -i", b"", "Error \ufffd\n".encode()),
        ("--grep ^[a-z]+$ --regex --tail 1", b"last\n", b""),
        ("--grep 5%", b"", b""),
        ("--since 2026-11-22T20:02:00Z --stream stdout", b"two\n100%\nlast\n", b""),
        ("--since 2026-11-22T21:02:00+01:00 --tail 2 --stream stdout", b"100%\nlast\n", b""),
        ("--since 1m", b"", b""),
        (
            "--timestamps --tail 2 --stream stdout",
            b"2026-11-22T20:02:00.000000Z 100%\n2026-11-22T20:00:00.000000Z last\n",
            b"",
        ),
        ("-f --tail 1 --stream stdout", b"last\n", b""),
    ],
)  # fmt: skip
def test_it_prints_what_is_asked_for(
    rota: Callable[..., int], capfdbinary: pytest.CaptureFixture[bytes], flags: str, out: bytes, err: bytes
) -> None:
    assert rota("logs", ID, *flags.split()) == 0

    assert capfdbinary.readouterr() == (out, err)


@pytest.mark.usefixtures("log")
def test_json_has_number_time_stream_and_text(
    rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert rota("logs", ID, "--json", "--grep", "o") == 0

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["n"], line["stream"], line["text"]) for line in lines] == [
        (1, "stdout", "one"), (2, "stderr", "oops"), (3, "stdout", "two"), (5, "stderr", "Error \ufffd"),
        (7, "system", "stopped by api"),
    ]  # fmt: skip
    assert lines[1]["at"] == "2026-11-22T20:01:00.000000Z"


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    "flags",
    [
        "--raw --tail 1", "--raw --json", "--raw --stream system", "--tail -1", "--grep ( --regex", "--regex",
        "--since yesterday", "--stream all", "--grep a --ignore-cas",
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_a_misuse(
    rota: Callable[..., int], capsys: pytest.CaptureFixture[str], flags: str
) -> None:
    assert rota("logs", ID, *flags.split()) == 2

    assert capsys.readouterr().err.startswith("rota: ")


def test_a_task_names_its_latest_run_that_ran(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    it = writer(server)
    write(it, (STDOUT, b"here\n"))
    it.close()

    def runs(asked: Asked) -> dict[str, object]:
        found = (
            [run(id=ID[:-1] + "0", end_reason="skipped"), run()]
            if asked.query.get("task_name") == ["backup"]
            else []
        )
        return {"items": found, "next_cursor": None}

    server.answers["GET /api/runs"] = runs

    assert rota("logs", "backup") == 0
    assert capsys.readouterr().out == "here\n"
    assert rota("logs", "nobody") == 1
    assert "no task or job named 'nobody' has run" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [(), ("--timestamps",), ("--grep", "line"), ("--json",)])
def test_it_follows_until_the_run_has_ended(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str], flags: tuple[str, ...]
) -> None:
    it = writer(server)
    write(it, (STDOUT, b"line 1\n"))
    looks = iter([run(status="running", end_reason=None), run(status="running", end_reason=None), run()])
    server.answers[f"GET /api/runs/{ID}"] = lambda _asked: next(looks)

    def end() -> None:
        write(it, (STDOUT, b"line 2\nli"), minute=1)
        write(it, (STDERR, b"line 3\n"), (STDOUT, b"ne 4"), minute=2)
        it.end_stream(STDOUT, EIGHT + 4_000_000)
        it.close()

    ended = event("run.ended", {"run": {"id": ID}})
    server.answers["GET /api/events"] = lambda asked: stream(asked, [end, ended])

    assert rota("logs", ID, "-f", *flags) == 0

    out, err = capsys.readouterr()
    printed = out + err
    assert all(printed.count(f"line {n}") == 1 for n in range(1, 5)), printed


def test_a_log_that_a_kill_cut_short_is_shown_whole(
    server: FakeServer, rota: Callable[..., int], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    it = writer(server)
    write(it, (STDOUT, b"told\n"))
    it.close()
    with (server.data / "runs" / ID[:7] / (ID + place.LOG)).open("ab") as file:
        file.write(b"not told\nopen")

    assert rota("logs", ID) == 0
    assert capfdbinary.readouterr().out == b"told\nnot told\nopen"
    assert rota("logs", ID, "--tail", "2") == 0
    assert capfdbinary.readouterr().out == b"not told\nopen\n"


def test_lines_that_were_dropped_are_told(
    server: FakeServer, rota: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    (server.data / "runs" / ID[:7]).mkdir(parents=True)
    it = LogWriter(str(server.data), ID, Room(str(server.data)), cap=40_000)
    for n in range(1000):
        write(it, (STDOUT, b"line %d %s\n" % (n, b"x" * 90)), minute=n)
    it.end(EIGHT)
    it.close()

    assert rota("logs", ID, "--timestamps") == 0

    out, err = capsys.readouterr()
    assert err.startswith("rota: lines 1 to ")
    assert len(out.splitlines()) < 1000


def test_an_over_long_line_is_one_line(
    server: FakeServer, rota: Callable[..., int], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    it = writer(server)
    for _ in range(5):
        write(it, (STDOUT, b"x" * 60_000))
    write(it, (STDOUT, b"\nend\n"))
    it.close()

    assert rota("logs", ID, "--tail", "5") == 0
    assert capfdbinary.readouterr().out == b"x" * 300_000 + b"\nend\n"
