"""The bridge: an MCP client on standard input and output, and the server at the other end of the socket.

It translates nothing: each message is a request of its own to `/mcp`, in a thread of its own, and whatever
comes back is passed on. So it is small, and its server may be killed and come back under it: what was asked
is asked again, under the same key where it starts something. Standard library only, beside what it launches.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import socket
import sys
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

from rota.client.exchange import Broken, ask, lines_of
from rota.client.launch import NotLaunched, connect, ensure_server

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from rota.client.exchange import Answer

#: What the protocol calls an error, by what is wrong.
PARSE_ERROR, INVALID_REQUEST, INTERNAL_ERROR = -32700, -32600, -32603

_VERSION = "io.modelcontextprotocol/protocolVersion"

#: The parameter that a method's header `Mcp-Name` repeats.
_NAMED_BY = {
    "tools/call": "name", "prompts/get": "name", "resources/read": "uri",
    "tasks/get": "taskId", "tasks/update": "taskId", "tasks/cancel": "taskId",
}  # fmt: skip

#: What is not asked again when its server went away in the middle: it would do a thing twice.
_ONLY_ONCE = frozenset({"interact_with_job"})

#: How often a request is asked again.
_TRIES = 3

#: Seconds in which somebody else's server may come back before another one is started.
_COMEBACK = 3.0

#: Seconds after which a server that says nothing is taken for gone; it gives a sign of life every 15.
_SILENCE = 90.0

_PLAIN = re.compile(r"[\x20-\x7e]*")


class _Gone(Exception):
    """The server went away before it had answered."""


class Bridge:
    """One client's. `tier` is the least that it is to have."""

    def __init__(
        self,
        data: Path,
        *,
        config: Path | None = None,
        tier: str | None = None,
        source: BinaryIO | None = None,
        sink: BinaryIO | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._data = data
        self._config = config
        self._tier = tier
        self._source = source or sys.stdin.buffer
        self._sink = sink or sys.stdout.buffer
        self._here = {"rota/cwd": _folder(), "rota/env": _sendable(environ)}
        self._session: dict[str, str] = {}  # of the handshake era: its headers
        self._writing = threading.Lock()
        self._opening = threading.Lock()
        self._under_way: dict[str, _Exchange] = {}
        self._launched = False
        self._met = False

    def run(self) -> None:
        """Pass on what comes, until the client leaves."""
        threading.stack_size(256 * 1024)
        for line in self._source:
            if line.strip():
                self._take(line)
        for exchange in list(self._under_way.values()):
            exchange.abandon()

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError) as error:
            self._fail(None, PARSE_ERROR, f"this is not JSON: {error}")
            return
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            if not isinstance(message, dict) or "method" in message or "id" not in message:
                self._fail(None, INVALID_REQUEST, "this is not one request or notification of JSON-RPC")
            return  # an answer: nothing was asked
        if "id" in message:
            exchange = _Exchange(message)
            self._under_way[exchange.key] = exchange
            threading.Thread(target=self._serve, args=(exchange,), daemon=True).start()
        elif message["method"] == "notifications/cancelled":
            self._cancel((message.get("params") or {}).get("requestId"))
        # Other notifications mean nothing to a server that keeps nothing of its clients.

    def _cancel(self, request_id: object) -> None:
        exchange = self._under_way.get(json.dumps(request_id))
        if exchange is not None:
            exchange.abandon()

    def _serve(self, exchange: _Exchange) -> None:
        try:
            self._ask(exchange)
        except _Gone:
            self._give_up(exchange)
        except (NotLaunched, PermissionError) as error:
            said = str(error) if isinstance(error, NotLaunched) else f"{self._data} is another user's"
            self._fail(exchange.id, INTERNAL_ERROR, said)
        except BrokenPipeError:
            os._exit(0)  # nobody reads any more
        finally:
            self._under_way.pop(exchange.key, None)

    def _ask(self, exchange: _Exchange) -> None:
        body, headers = self._request(exchange.message)
        for attempt in range(_TRIES):
            connection = exchange.begin(self._connected())
            if connection is None:
                return
            try:
                self._pass_on(exchange, ask(connection, "POST", "/mcp", headers=headers, body=body))
            except (Broken, OSError) as error:
                if exchange.abandoned:
                    return
                if isinstance(error, BrokenPipeError) and exchange.answered:
                    raise
                if attempt == _TRIES - 1 or not exchange.may_repeat:
                    raise _Gone from error
            else:
                return
            finally:
                connection.close()

    def _request(self, message: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
        method, params = message["method"], message.get("params")
        params = params if isinstance(params, dict) else {}
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if self._tier is not None:
            headers["Rota-Tier"] = self._tier
        if method == "tools/call":
            headers["Idempotency-Key"] = str(uuid.uuid4())
            if params.get("name") == "execute_command":
                meta = params.get("_meta")
                params = {**params, "_meta": {**(meta if isinstance(meta, dict) else {}), **self._here}}
                message = {**message, "params": params}
        meta = params.get("_meta")
        version = meta.get(_VERSION) if isinstance(meta, dict) else None
        if isinstance(version, str):
            headers |= {"MCP-Protocol-Version": _plain(version), "Mcp-Method": _plain(method)}
            name = params.get(_NAMED_BY.get(method, ""))
            if isinstance(name, str):
                headers["Mcp-Name"] = _plain(name)
        elif method != "initialize":
            headers |= self._session
        return json.dumps(message).encode(), headers

    def _connected(self) -> socket.socket:
        found = connect(self._data)
        while found is None:
            with self._opening:
                self._see_to_server()
            found = connect(self._data)
        self._met = True
        found.settimeout(_SILENCE)
        return found

    def _see_to_server(self) -> None:
        # Where somebody else keeps a server alive, that one is to come back, and no other in its place.
        deadline = time.monotonic() + (_COMEBACK if self._met and not self._launched else 0)
        while (found := connect(self._data)) is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if found is not None:
            found.close()
            return
        ensure_server(self._data, self._config)
        self._launched = True

    def _pass_on(self, exchange: _Exchange, answer: Answer) -> None:
        if exchange.message["method"] == "initialize":
            self._session = _session_of(answer, self._session)
        if answer.headers.get("content-type", "").partition(";")[0].strip() == "text/event-stream":
            for data in _events(lines_of(answer.pieces())):
                self._write(data)
                exchange.answered = exchange.answered or _answers(data, exchange.id)
                exchange.streaming = True
            if not exchange.answered:
                raise Broken("the stream ended without the answer")
            return
        body = answer.read()
        self._write(_for(exchange.id, body, answer.status))
        exchange.answered = True

    def _give_up(self, exchange: _Exchange) -> None:
        said = "the Rota server went away while it worked on this"
        if exchange.message["method"] == "tools/call":
            sentence = f"{said}; whether it was done is not known: look with tail_job_output or list_runs."
            result = {
                "content": [{"type": "text", "text": sentence}],
                "isError": True,
                "resultType": "complete",
            }
            self._send({"jsonrpc": "2.0", "id": exchange.id, "result": result})
        else:
            self._fail(exchange.id, INTERNAL_ERROR, f"{said}; ask again")

    def _fail(self, request_id: object, code: int, message: str) -> None:
        self._send({"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}})

    def _send(self, message: dict[str, Any]) -> None:
        self._write(json.dumps(message).encode())

    def _write(self, line: bytes) -> None:
        with self._writing:
            self._sink.write(line + b"\n")
            self._sink.flush()


class _Exchange:
    """One request of the client's, until it is answered or given up."""

    def __init__(self, message: dict[str, Any]) -> None:
        self.message = message
        self.id = message["id"]
        self.key = json.dumps(self.id)
        self.answered = False
        self.streaming = False  # something was passed on that would be told twice
        self.abandoned = False
        self._connection: socket.socket | None = None
        self._changing = threading.Lock()

    @property
    def may_repeat(self) -> bool:
        """Whether it can be asked again after its server went away."""
        params = self.message.get("params")
        tool = params.get("name") if isinstance(params, dict) else None
        if self.message["method"] == "subscriptions/listen":
            return not self.streaming
        return tool not in _ONLY_ONCE

    def begin(self, connection: socket.socket) -> socket.socket | None:
        """The connection that it goes by now; None when it was given up meanwhile."""
        with self._changing:
            self._connection = connection
            if self.abandoned:
                connection.close()
        return None if self.abandoned else connection

    def abandon(self) -> None:
        """Nobody wants the answer: hanging up tells the server so."""
        with self._changing:
            self.abandoned = True
            if self._connection is not None:
                with contextlib.suppress(OSError):
                    self._connection.shutdown(socket.SHUT_RDWR)


def _events(lines: Iterable[bytes]) -> Iterable[bytes]:
    """The data of each event of a stream."""
    data: list[bytes] = []
    for line in lines:
        text = line.rstrip(b"\r\n")
        if not text:
            if data:
                yield b"\n".join(data).replace(b"\n", b" ")
            data = []
        elif text.startswith(b"data:"):
            data.append(text[5:].removeprefix(b" "))


def _answers(data: bytes, request_id: object) -> bool:
    with contextlib.suppress(ValueError):
        message = json.loads(data)
        return isinstance(message, dict) and "method" not in message and message.get("id") == request_id
    return False


def _for(request_id: object, body: bytes, status: int) -> bytes:
    """The answer, as one line; one that names no request is the one to this."""
    try:
        message = json.loads(body)
    except ValueError:
        message = None
    if not isinstance(message, dict) or not ("result" in message or "error" in message):
        said = message.get("detail") if isinstance(message, dict) else None
        error = {"code": INTERNAL_ERROR, "message": said or f"the Rota server answered with status {status}"}
        message = {"jsonrpc": "2.0", "error": error}
    message["id"] = request_id
    return json.dumps(message).encode()


def _session_of(answer: Answer, before: dict[str, str]) -> dict[str, str]:
    session = answer.headers.get("mcp-session-id")
    return before if session is None else {"Mcp-Session-Id": session}


def _plain(value: str) -> str:
    """As a header takes it; what it does not take is wrapped, as the protocol says."""
    if _PLAIN.fullmatch(value) and value == value.strip() and not value.startswith("=?base64?"):
        return value
    return f"=?base64?{base64.b64encode(value.encode('utf-8', 'replace')).decode()}?="


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109  pathlib is not needed for anything else
    except OSError:  # it was removed
        return None


def _sendable(environ: Mapping[str, str]) -> dict[str, str]:
    """What a job may be given: neither Rota's own words nor bytes that are no text."""
    sendable = {}
    for name, value in environ.items():
        with contextlib.suppress(UnicodeEncodeError):
            f"{name}={value}".encode()
            if not name.startswith("ROTA_"):
                sendable[name] = value
    return sendable
