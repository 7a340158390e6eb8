"""The client: every request that the command line makes of its server."""

from __future__ import annotations

import contextlib
import json
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from rota.client.connection import UnixConnection
from rota.client.events import read_events
from rota.client.problem import Disconnected, NoServer, NotAllowed, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from http.client import HTTPResponse
    from pathlib import Path

    from rota.client.events import ServerEvent

#: Seconds in which a server answers, or is taken for gone. Streams have no such limit.
PATIENCE = 60.0


class Client:
    """Speaks to the server of one data folder, as its owner: through the socket, without a token.

    Each request has its own connection, which costs a Unix socket nothing and cannot go stale.
    Raises NoServer, NotAllowed, Disconnected and Problem.
    """

    def __init__(self, data: Path, *, known_as: str = "cli") -> None:
        self.data = data
        self._headers = {"Rota-Triggered-By": known_as}

    def info(self) -> dict[str, Any]:
        """What the server says of itself."""
        return self._object("GET", "/api/info")

    def health(self) -> dict[str, Any]:
        """Whether all is well; a server that is unwell answers too."""
        return self._object("GET", "/health", accept=(503,))

    def tasks(self) -> list[dict[str, Any]]:
        """Every task."""
        return list(self._items("/api/tasks", {}))

    def task(self, name: str) -> dict[str, Any]:
        """One task, with its next ticks and last runs."""
        return self._object("GET", f"/api/tasks/{quote(name, safe='')}")

    def trigger(self, task_name: str, *, key: str) -> dict[str, Any]:
        """Start a task; the run as it stands. The same key starts nothing twice."""
        path = f"/api/tasks/{quote(task_name, safe='')}/run"
        return self._object("POST", path, headers={"Idempotency-Key": key})

    def runs(self, filters: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """Runs, newest first, as many as the caller takes."""
        return self._items("/api/runs", filters or {})

    def run(self, run_id: str) -> dict[str, Any]:
        """One run as it stands."""
        return self._object("GET", f"/api/runs/{quote(run_id, safe='')}")

    def stop(self, run_id: str) -> dict[str, Any]:
        """Ask for a run's end; the run as it stands."""
        return self._object("POST", f"/api/runs/{quote(run_id, safe='')}/stop")

    def shutdown(self) -> dict[str, Any]:
        """Ask for the end of every run, the keeper and the server."""
        return self._object("POST", "/api/shutdown")

    def log(self, run_id: str) -> Iterator[bytes]:
        """The program's own bytes, in order of arrival, piece by piece."""
        with self._answer("GET", f"/api/runs/{quote(run_id, safe='')}/log/raw") as answer:
            while piece := self._read(answer, 1 << 16):
                yield piece

    @contextlib.contextmanager
    def events(self, filters: Mapping[str, str] | None = None) -> Iterator[Iterator[ServerEvent]]:
        """Every event from now on: whatever happens after this was entered is in it.

        The events end, or raise Disconnected, when the server leaves.
        """
        path = _with_query("/api/events", filters or {})
        with self._answer("GET", path, headers={"Accept": "text/event-stream"}, endless=True) as answer:
            yield read_events(self._lines(answer))

    def _items(self, path: str, filters: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            query = {**filters, **({"cursor": cursor} if cursor else {})}
            page = self._object("GET", _with_query(path, query))
            yield from page["items"]
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def _object(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (),
    ) -> dict[str, Any]:
        with self._answer(method, path, headers=headers, accept=accept) as answer:
            body = self._read(answer)
        try:
            found: dict[str, Any] = json.loads(body) if body else {}
        except ValueError as error:
            raise Disconnected(self.data, "sent an answer that is not JSON") from error
        return found

    @contextlib.contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (),
        endless: bool = False,
    ) -> Iterator[HTTPResponse]:
        connection = UnixConnection(self.data / "rota.sock", timeout=PATIENCE)
        with contextlib.closing(connection):
            self._connect(connection)
            with self._told():
                connection.request(method, path, headers={**self._headers, **(headers or {})})
                sock = connection.sock
                answer = connection.getresponse()
                if endless and sock is not None:
                    sock.settimeout(None)
            with contextlib.closing(answer):
                if answer.status >= 400 and answer.status not in accept:
                    raise _problem(answer.status, self._read(answer))
                yield answer

    def _connect(self, connection: UnixConnection) -> None:
        try:
            connection.connect()
        except PermissionError as error:
            raise NotAllowed(self.data) from error
        except OSError as error:
            raise NoServer(self.data) from error

    def _read(self, answer: HTTPResponse, most: int | None = None) -> bytes:
        with self._told():
            return answer.read() if most is None else answer.read1(most)

    def _lines(self, answer: HTTPResponse) -> Iterator[bytes]:
        while True:
            with self._told():
                line = answer.readline()
            if not line:
                return
            yield line

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        # Only around the exchange itself: the caller's own broken pipe is not the server's.
        try:
            yield
        except TimeoutError as error:
            raise Disconnected(self.data, f"has not answered for {PATIENCE:.0f} seconds") from error
        except (HTTPException, ConnectionError) as error:
            raise Disconnected(self.data, "went away before it had answered") from error


def _with_query(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _problem(status: int, body: bytes) -> Problem:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    return Problem(status, found if isinstance(found, dict) else {})
