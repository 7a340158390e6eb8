"""A server that answers what a test tells it to, on a Unix socket in a data folder."""

from __future__ import annotations

import json
import os
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Asked:
    """One request as it came."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        self.line = f"{handler.command} {parts.path}"
        self.query = parse_qs(parts.query)
        self.headers = dict(handler.headers.items())
        self.body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        self.handler = handler


class FakeServer:
    """Answers by `answers`: `METHOD /path` to JSON, to (status, JSON), or to a function of the request."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.answers: dict[str, Any] = {}
        self.asked: list[Asked] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def address_string(self) -> str:
                return "unix"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                fake._answer(self)

            def do_POST(self) -> None:
                fake._answer(self)

        folder = os.open(data, os.O_RDONLY)
        try:
            self._server = _Server(f"/proc/self/fd/{folder}/rota.sock", Handler)
        finally:
            os.close(folder)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def die(self) -> None:
        """Leave as after a kill: the socket's file stays."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def close(self) -> None:
        self.die()
        (self.data / "rota.sock").unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def lines(self) -> list[str]:
        return [each.line for each in self.asked]

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = Asked(handler)
        self.asked.append(asked)
        answer = self.answers.get(
            asked.line, (404, problem(404, "No such thing", f"nothing at {handler.path}"))
        )
        if callable(answer):
            answer = answer(asked)
            if answer is None:
                return  # it has answered by itself
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        kind = "problem+json" if status >= 400 else "json"
        handler.send_header("Content-Type", f"application/{kind}")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        pass  # a client that goes away is a part of the tests


def problem(status: int, title: str, detail: str, **more: Any) -> dict[str, Any]:
    return {"type": "/problems/x", "title": title, "status": status, "detail": detail, "errors": [], **more}


def stream(asked: Asked, events: Iterable[str | Callable[[], object]], *, cut: bool = False) -> None:
    """Answer with server-sent events; what is callable is called in its turn. `cut` ends without an end."""
    handler = asked.handler
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for event in events:
        if callable(event):
            event()
            continue
        text = event.encode()
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
    if not cut:
        handler.wfile.write(b"0\r\n\r\n")
    handler.close_connection = True


def event(name: str, data: object) -> str:
    return f"id: 1\nevent: {name}\ndata: {json.dumps(data)}\n\n"


def run(**changes: Any) -> dict[str, Any]:
    """A run as the API shows it."""
    return {
        "id": "0198c7a0-5b3e-7cc1-9a44-0d6f7a1b2c3d", "kind": "task", "task_name": "backup",
        "name": None, "command": None, "cwd": None, "tags": [], "timeout": None, "stdin": None, "pty": None,
        "status": "ended", "end_reason": "success", "is_failure": False, "exit_code": 0, "signal": None,
        "triggered_by": "cli", "actor": None, "waiting_for": None, "despite_pause": None, "params": {},
        "created_at": "2026-11-22T20:00:00.000000Z", "scheduled_at": None,
        "due_at": None, "missed_ticks": None, "missed_since": None,
        "start_at": "2026-11-22T20:00:00.100000Z", "end_at": "2026-11-22T20:00:02.200000Z", "duration": 2.1,
        "retry_attempt": 0, "retry_of_run_id": None, "next_attempt_run_id": None, "upstream_run_id": None,
        "instance_index": None, "pid": 77, "cpu_time": 0.5,
        "max_rss": 3_000_000, "message": None, **changes,
    }  # fmt: skip
