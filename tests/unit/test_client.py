"""The client speaks HTTP over the data folder's socket, and says clearly what went wrong."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from fake_server import Asked, FakeServer, event, problem, run, stream

from rota.client.client import Client
from rota.client.events import read_events
from rota.client.problem import Disconnected, NoServer, NotAllowed, Problem


@pytest.fixture
def server(tmp_path: Path):
    with FakeServer(tmp_path) as fake:
        yield fake


def test_a_socket_is_reached_at_any_depth_of_path(tmp_path: Path):
    deep = tmp_path.joinpath(*["a-folder-with-a-name-of-some-length"] * 12)
    deep.mkdir(parents=True)
    assert len(str(deep)) > 400

    with FakeServer(deep) as fake:
        fake.answers["GET /api/info"] = {"version": "1"}

        assert Client(deep).info() == {"version": "1"}


def test_each_request_says_that_it_comes_from_the_command_line(server: FakeServer):
    server.answers["POST /api/tasks/backup/run"] = (201, run(status="pending"))

    Client(server.data).trigger("backup", key="k1")

    [asked] = server.asked
    assert asked.headers["Rota-Triggered-By"] == "cli"
    assert asked.headers["Idempotency-Key"] == "k1"
    assert asked.headers["Content-Length"] == "0"


def test_names_are_quoted_into_paths(server: FakeServer):
    with pytest.raises(Problem):
        Client(server.data).task("a/b?c")

    assert server.lines() == ["GET /api/tasks/a%2Fb%3Fc"]


def test_a_list_is_read_over_all_of_its_pages(server: FakeServer):
    def page(asked: Asked):
        number = int(asked.query.get("cursor", ["0"])[0])
        return {"items": [{"id": number}], "next_cursor": str(number + 1) if number < 2 else None}

    server.answers["GET /api/runs"] = page

    found = list(Client(server.data).runs({"status": ["running", "pending"], "limit": "1"}))

    assert found == [{"id": 0}, {"id": 1}, {"id": 2}]
    assert all(asked.query["status"] == ["running", "pending"] for asked in server.asked)


def test_a_list_asks_for_no_page_that_its_reader_does_not_want(server: FakeServer):
    server.answers["GET /api/runs"] = {"items": [{"id": 0}, {"id": 1}], "next_cursor": "more"}

    runs = Client(server.data).runs()

    assert next(runs) == {"id": 0}
    assert len(server.asked) == 1


def test_a_problem_keeps_its_detail_its_faults_and_its_run(server: FakeServer):
    faults = [{"location": "query.limit", "message": "at most 1000", "value": 5000}]
    body = problem(422, "Invalid request", "the request has faults", run_id="r1") | {"errors": faults}
    server.answers["GET /api/runs"] = (422, body)

    with pytest.raises(Problem) as raised:
        next(Client(server.data).runs())

    assert str(raised.value) == "the request has faults"
    assert raised.value.status == 422
    assert raised.value.title == "Invalid request"
    assert raised.value.run_id == "r1"
    assert [(each.location, each.message, each.value) for each in raised.value.faults] == [
        ("query.limit", "at most 1000", 5000)
    ]


def test_an_error_without_a_problem_is_a_problem_all_the_same(server: FakeServer):
    server.answers["GET /api/info"] = (502, b"<html>")

    with pytest.raises(Problem, match="the server answered 502"):
        Client(server.data).info()


def test_an_unhealthy_server_is_asked_for_its_problems(server: FakeServer):
    server.answers["GET /health"] = (
        503,
        problem(503, "Unhealthy", "not all is well") | {"errors": [{"location": "", "message": "disk full"}]},
    )

    assert Client(server.data).problems() == ["disk full"]

    server.answers["GET /health"] = {"ok": True, "problems": []}

    assert Client(server.data).problems() == []


@pytest.mark.parametrize("left_behind", [False, True])
def test_without_a_server_the_sentence_names_the_folder_and_what_to_do(tmp_path: Path, left_behind: bool):
    if left_behind:
        FakeServer(tmp_path).die()

    with pytest.raises(NoServer) as raised:
        Client(tmp_path).info()

    assert str(tmp_path) in str(raised.value)
    assert "rota serve" in str(raised.value)


def test_a_folder_of_another_user_is_told_apart_from_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(_path: str):
        raise PermissionError

    monkeypatch.setattr("rota.keeper.address.connect", refuse)

    with pytest.raises(NotAllowed, match="may not be entered"):
        Client(tmp_path).info()


def test_a_server_that_goes_away_in_the_middle_is_told(server: FakeServer):
    def hang_up(asked: Asked):
        asked.handler.close_connection = True

    server.answers["GET /api/info"] = hang_up

    with pytest.raises(Disconnected, match="went away"):
        Client(server.data).info()


def test_the_raw_log_comes_piece_by_piece_and_unchanged(server: FakeServer):
    content = bytes(range(256)) * 1000
    server.answers["GET /api/runs/r1/log/raw"] = (200, content)

    pieces = list(Client(server.data).log("r1"))

    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= 1 << 16


def test_events_are_yielded_as_they_come(server: FakeServer):
    seen: list[str] = []

    def tell(asked: Asked):
        stream(asked, [": hello\n\n", event("run.started", {"run": {"id": "r1"}}), event("closing", {})])

    server.answers["GET /api/events"] = tell

    with Client(server.data).events({"run_id": "r1"}) as events:
        seen.extend(each.name for each in events)

    assert seen == ["run.started", "closing"]
    assert server.asked[0].query == {"run_id": ["r1"]}


def test_events_that_are_cut_off_end_without_inventing_one(server: FakeServer):
    def tell(asked: Asked):
        stream(asked, [event("run.started", {}), "event: run.ended\ndata: {}"], cut=True)

    server.answers["GET /api/events"] = tell
    seen = []

    with Client(server.data).events() as events, contextlib.suppress(Disconnected):
        seen.extend(each.name for each in events)

    assert seen == ["run.started"]


def test_a_broken_pipe_of_the_reader_is_not_taken_for_the_servers(server: FakeServer):
    server.answers["GET /api/events"] = lambda asked: stream(asked, [event("run.started", {})])

    with pytest.raises(BrokenPipeError), Client(server.data).events() as events:
        for _ in events:
            raise BrokenPipeError


def test_an_event_may_have_several_lines_of_data_and_no_name():
    lines = [b"data: [1,\r\n", b"data:2]\r\n", b"\r\n", b"id: 7\n", b"data: {}\n", b"\n", b"data: cut off\n"]

    first, second = read_events(lines)

    assert (first.id, first.name, first.data) == (None, "message", [1, 2])
    assert (second.id, second.name, second.data) == ("7", "message", {})
