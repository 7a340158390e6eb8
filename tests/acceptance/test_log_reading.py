"""Logs as their readers have them: nothing forged, nothing lost, and live over the death of a server."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from installed import PATIENCE, ROTA, Installed, environment, until_true

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

CONFIG = r"""
[tasks.forger]
run = '''
printf '[ERR] a\n[SYSTEM] b\nid: 99\n\nevent: done\n'
echo real >&2
'''

[tasks.bytes]
run = '''printf 'bad \377\376 nul \000 tab\t end\r\n'; printf 'half'; printf 'apart\n' >&2'''

[tasks.endless]
run = '''
head -c 10000000 /dev/zero | tr '\0' x
read line < gate
echo between >&2
printf 'needle'
'''

[tasks.bar]
run = '''for n in $(seq 1 20000); do printf "%d of 20000\r" $n; done'''

[tasks.gated]
run = '''
printf 'one\ntwo\nhal'
read line < gate
printf 'f\n'; echo $line
'''
"""


@pytest.fixture
def rota(lend: Callable[[str], Installed]) -> Installed:
    served = lend(CONFIG)
    os.mkfifo(served.folder / "gate")
    return served


def lines(rota: Installed, run_id: str, query: str = "") -> list[dict[str, Any]]:
    status, page, _ = rota.http("GET", f"/api/runs/{run_id}/log{query}")
    assert status == 200, page
    found: list[dict[str, Any]] = page["lines"]
    return found


def raw(rota: Installed, run_id: str) -> bytes:
    return b"".join(rota.client.log(run_id))


def events(rota: Installed, run_id: str, after: str | None = None) -> Generator[dict[str, str], None, None]:
    """What the stream of a run's log tells, until the connection ends."""
    connection = http.client.HTTPConnection("127.0.0.1", rota.port, timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {(rota.data / 'token').read_text().strip()}"}
    if after is not None:
        headers["Last-Event-ID"] = after
    with contextlib.closing(connection):
        connection.request("GET", f"/api/runs/{run_id}/log/stream", headers=headers)
        with connection.getresponse() as answer:
            event: dict[str, str] = {}
            while line := answer.readline().decode():
                name, _, value = line.rstrip("\n").partition(": ")
                if value:
                    event[name] = value
                elif name == "":
                    if "event" in event:
                        yield event
                    event = {}


def test_no_program_can_write_what_is_taken_for_another_stream_or_an_event(rota: Installed) -> None:
    run_id = rota.trigger("forger", "?wait=true")["id"]

    told = [(each["stream"], each["text"]) for each in lines(rota, run_id)]
    streamed = [event["event"] for event in events(rota, run_id)]

    assert sorted(told) == sorted(
        [("stdout", text) for text in ("[ERR] a", "[SYSTEM] b", "id: 99", "", "event: done")]
        + [("stderr", "real")]
    )
    assert streamed == ["line"] * 6 + ["done"]
    assert rota.rota("logs", "forger", "--stream", "system").stderr == ""
    assert rota.rota("logs", "forger", "--stream", "stderr").stderr == "real\n"


def test_what_is_no_text_is_replaced_in_lines_alone(rota: Installed) -> None:
    run_id = rota.trigger("bytes", "?wait=true")["id"]

    by_stream: dict[str, list[str]] = {"stdout": [], "stderr": []}
    for each in lines(rota, run_id):
        by_stream[each["stream"]].append(each["text"])

    assert by_stream == {"stdout": ["bad \ufffd\ufffd nul \0 tab\t end", "half"], "stderr": ["apart"]}
    assert sorted(raw(rota, run_id)) == sorted(b"bad \xff\xfe nul \0 tab\t end\r\nhalfapart\n")


def test_ten_megabytes_without_a_newline_are_one_line_which_the_other_stream_may_interrupt(
    rota: Installed,
) -> None:
    run_id = rota.trigger("endless")["id"]
    log = rota.data / "runs" / run_id[:7] / f"{run_id}.log"
    until_true(lambda: log.exists() and log.stat().st_size == 10_000_000, "all of the line is written")
    (rota.folder / "gate").write_text("go on\n")
    assert rota.until_ended(run_id)["end_reason"] == "success"

    page = lines(rota, run_id, "?max_bytes=16777216&limit=10000")
    found = lines(rota, run_id, "?grep=xneedle&tail=1")

    assert (page[0]["n"], page[0]["stream"], page[0]["text"]) == (1, "stderr", "between")
    assert {(each["n"], each["stream"]) for each in page[1:]} == {(2, "stdout")}
    assert "".join(each["text"] for each in page[1:]) == "x" * 10_000_000 + "needle"
    assert [each["continued"] for each in page[1:]] == [True] * (len(page) - 2) + [False]
    assert found[-1]["n"] == 2
    assert rota.rota("logs", "endless", "--raw").stdout == "x" * 10_000_000 + "between\nneedle"


def test_a_progress_bar_is_the_line_that_it_left_and_its_bytes_are_all_there(rota: Installed) -> None:
    run_id = rota.trigger("bar", "?wait=true")["id"]

    assert [each["text"] for each in lines(rota, run_id)] == ["20000 of 20000"]
    assert raw(rota, run_id) == b"".join(b"%d of 20000\r" % n for n in range(1, 20_001))


def test_a_follower_goes_on_where_a_killed_server_cut_it_off(rota: Installed) -> None:
    run_id = rota.trigger("gated")["id"]
    with contextlib.closing(events(rota, run_id)) as stream:
        before = [next(stream), next(stream)]
    with subprocess.Popen(
        [ROTA, "logs", run_id, "-f", "--tail", "1", "--data", str(rota.data)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
    ) as watching:  # fmt: skip
        assert watching.stdout is not None
        assert watching.stderr is not None
        assert watching.stdout.readline() == "two\n"

        rota.kill()
        (rota.folder / "gate").write_text("three\n")
        assert watching.stdout.readline() == "half\n"
        rota.start()
        after = list(events(rota, run_id, after=before[-1]["id"]))
        rest, said = watching.stdout.read(), watching.stderr.read()

    assert [json.loads(each["data"])["text"] for each in before] == ["one", "two"]
    assert [json.loads(each["data"])["text"] for each in after[:-1]] == ["half", "three"]
    assert after[-1]["event"] == "done"
    assert (rest, watching.returncode) == ("three\n", 0)
    assert "the server went away" in said
