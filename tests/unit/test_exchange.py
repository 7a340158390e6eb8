"""An answer is read as it comes, however it is cut into pieces, and one that is none is said to be none."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from rota.client.exchange import Broken, ask, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nX-One: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n3\r\ntw\xff\r\n0\r\n\r\n"
)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    with ours, theirs:
        yield ours, theirs


def test_a_request_is_sent_as_it_was_meant(ends: tuple[socket.socket, socket.socket]):
    ours, theirs = ends
    theirs.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    answer = ask(ours, "POST", "/a?b=c", headers={"One": "two"}, body=b"{}")

    assert answer.status == 204
    assert answer.read() == b""
    sent = theirs.recv(1 << 16)
    assert sent == b"POST /a?b=c HTTP/1.1\r\nHost: localhost\r\nOne: two\r\nContent-Length: 2\r\n\r\n{}"


def test_a_post_without_a_body_says_so(ends: tuple[socket.socket, socket.socket]):
    ours, theirs = ends
    theirs.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    ask(ours, "POST", "/a", headers={})

    assert b"Content-Length: 0\r\n" in theirs.recv(1 << 16)


def test_an_answer_that_comes_byte_by_byte_is_the_same(ends: tuple[socket.socket, socket.socket]):
    ours, theirs = ends

    def drip():
        for byte in CHUNKED:
            theirs.sendall(bytes((byte,)))

    dripping = threading.Thread(target=drip)
    dripping.start()
    answer = ask(ours, "GET", "/a", headers={})
    found = list(lines_of(answer.pieces()))
    dripping.join()

    assert answer.headers == {"x-one": "a", "transfer-encoding": "chunked"}
    assert found == [b"one\n", b"tw\xff"]


@pytest.mark.parametrize("length", [len(CHUNKED) - 1, len(CHUNKED) - 10, 20, 0])
def test_an_answer_that_is_cut_off_is_broken(ends: tuple[socket.socket, socket.socket], length: int):
    ours, theirs = ends
    theirs.sendall(CHUNKED[:length])
    theirs.shutdown(socket.SHUT_WR)

    with pytest.raises(Broken, match="in the middle"):
        ask(ours, "GET", "/a", headers={}).read()


def test_what_is_no_http_is_broken(ends: tuple[socket.socket, socket.socket]):
    ours, theirs = ends
    theirs.sendall(b"220 mail.example ESMTP\r\n")

    with pytest.raises(Broken, match="not HTTP"):
        ask(ours, "GET", "/a", headers={})


def test_a_header_cannot_end_its_own_line(ends: tuple[socket.socket, socket.socket]):
    ours, _ = ends

    with pytest.raises(ValueError, match="cannot be"):
        ask(ours, "GET", "/a", headers={"One": "two\r\nThree: four"})
