"""The API on real sockets: what HTTP itself can do to it."""

from __future__ import annotations

import http.client
import json
import socket
from typing import TYPE_CHECKING

import pytest
from api_bed import TOKEN
from live_api import live_api

from rota.client.client import Client
from rota.keeper import address
from rota.model.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_api import Live

JOB = Task(name="job", run="true", max_concurrent=100)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_api(tmp_path_factory.mktemp("live"), JOB) as live:
        yield live


def exchange(sock: socket.socket, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """What comes back for these bytes."""
    with sock:
        sock.settimeout(20)
        sock.sendall(request)
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def tcp(live: Live) -> socket.socket:
    return socket.create_connection(("127.0.0.1", live.port))


def test_the_socket_and_the_port_are_told_apart(live: Live) -> None:
    by_socket = exchange(
        address.connect(str(live.data / "rota.sock")), b"GET /api/info HTTP/1.1\r\nHost: any\r\n\r\n"
    )
    by_port = exchange(tcp(live), b"GET /api/info HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert (by_socket[0], by_port[0]) == (200, 401)


def test_the_client_of_the_command_line_understands_the_server(live: Live) -> None:
    client = Client(live.data)

    with client.events({"kind": "run.ended"}) as events:
        run = client.trigger("job", key="one")
        again = client.trigger("job", key="one")
        ended = next(iter(events))

    assert run["triggered_by"] == "cli"
    assert again["id"] == run["id"] == ended.data["run"]["id"]
    assert client.run(run["id"])["end_reason"] == "success"
    assert [each["name"] for each in client.tasks()] == ["job"]
    assert run["id"] in [each["id"] for each in client.runs()]
    assert b"".join(client.log(run["id"])) == b""
    assert client.problems() == []


@pytest.mark.parametrize(
    "request_",
    [
        b"NONSENSE\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"x" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["no request", "bytes in the path", "long headers", "long path"],
)
def test_what_is_not_http_is_a_problem_too(live: Live, request_: bytes) -> None:
    status, headers, body = exchange(tcp(live), request_)

    assert (status, headers["content-type"]) == (400, "application/problem+json")
    assert json.loads(body)["type"] == "/problems/malformed-request"


def test_a_request_without_a_host_is_refused(live: Live) -> None:
    status, _, _ = exchange(tcp(live), b"GET /health HTTP/1.0\r\n\r\n")

    assert status == 421


def test_a_body_that_is_too_large_is_answered_and_not_cut_off(live: Live) -> None:
    head = (
        f"POST /api/tasks/job/run HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Type: application/json\r\n"
    ).encode()
    body = b" " * (3 << 20)
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)

    told = exchange(tcp(live), head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    counted = exchange(tcp(live), head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked)

    assert (told[0], counted[0]) == (413, 413)


def test_who_asks_before_sending_a_body_that_is_too_large_need_not_send_it(live: Live) -> None:
    head = (
        f"POST /api/tasks/job/run HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Type: application/json\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
    ).encode()

    status, headers, _ = exchange(tcp(live), head)

    assert (status, headers["connection"]) == (413, "close")


def test_requests_follow_each_other_on_one_connection(live: Live) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=20)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    answers = []
    for method, path in [
        ("POST", "/api/tasks/job/run?wait=true"),
        ("HEAD", "/api/info"),
        ("GET", "/nowhere"),
        ("GET", "/api/runs"),
    ]:
        connection.request(method, path, headers=bearer)
        answer = connection.getresponse()
        answers.append((answer.status, len(answer.read()) > 0))
    connection.close()

    assert answers == [(201, True), (200, False), (404, True), (200, True)]
