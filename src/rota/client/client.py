"""The client: every request that the command line makes of its server."""

from __future__ import annotations

import base64
import contextlib
import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from rota.client.events import read_events
from rota.client.exchange import Broken, ask, lines_of
from rota.client.problem import Disconnected, NoServer, NotAllowed, Problem
from rota.keeper import address

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from rota.client.events import ServerEvent
    from rota.client.exchange import Answer

    #: What a list lets through; a filter of several values lets through what any of them does.
    Filters = Mapping[str, str | Sequence[str]]

#: How a server says that it cannot do all of its work.
UNHEALTHY = 503

#: Seconds in which a server answers, or is taken for gone. A stream of events has a sign of life every 15.
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

    def problems(self) -> list[str]:
        """What keeps the server from doing all of its work; none when it is healthy."""
        try:
            self._object("GET", "/health")
        except Problem as problem:
            if problem.status != UNHEALTHY:
                raise
            return [fault.message for fault in problem.faults] or [problem.detail]
        return []

    def tasks(self) -> list[dict[str, Any]]:
        """Every task."""
        return list(self._items("/api/tasks", {}))

    def task(self, name: str) -> dict[str, Any]:
        """One task, with its next ticks and last runs."""
        return self._object("GET", f"/api/tasks/{quote(name, safe='')}")

    def why(self, name: str, ticks: int) -> dict[str, Any]:
        """What became of a task's last ticks, and which come next."""
        return self._object("GET", f"/api/tasks/{quote(name, safe='')}/why?ticks={ticks}")

    def next_ticks(self, limit: int) -> list[dict[str, Any]]:
        """What starts next by itself, of all tasks."""
        found: list[dict[str, Any]] = self._object("GET", f"/api/next?limit={limit}")["items"]
        return found

    def pause(self, kind: str, name: str | None, reason: str | None) -> dict[str, Any]:
        """Hold what starts by itself of a task, a group or everything; what holds it now."""
        body = {} if reason is None else {"reason": reason}
        return self._object("POST", f"{_scope(kind, name)}/pause", body=body)

    def resume(self, kind: str, name: str | None) -> dict[str, Any]:
        """End a pause; what holds it all the same."""
        return self._object("POST", f"{_scope(kind, name)}/resume")

    def services(self) -> list[dict[str, Any]]:
        """Every service, with its instances."""
        return list(self._items("/api/services", {}))

    def service(self, name: str) -> dict[str, Any]:
        """One service as it stands."""
        return self._object("GET", f"/api/services/{quote(name, safe='')}")

    def order(self, name: str, verb: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Have a service `start`, `stop`, `restart`, `scale` or `signal`; the service as it stands then."""
        return self._object("POST", f"/api/services/{quote(name, safe='')}/{verb}", body=body)

    def service_log(self, name: str, filters: Filters | None = None) -> dict[str, Any]:
        """Some lines of a service's log."""
        path = f"/api/services/{quote(name, safe='')}/log"
        return self._object("GET", _with_query(path, filters or {}))

    @contextlib.contextmanager
    def follow_service(
        self, name: str, filters: Filters | None = None, *, last_id: str | None = None
    ) -> Iterator[Iterator[ServerEvent]]:
        """A service's log as it is written, from the event after `last_id` on; it ends with the server."""
        path = _with_query(f"/api/services/{quote(name, safe='')}/log/stream", filters or {})
        headers = {"Accept": "text/event-stream"} | ({} if last_id is None else {"Last-Event-ID": last_id})
        with self._answer("GET", path, headers=headers) as answer:
            yield read_events(lines_of(self._pieces(answer)))

    def trigger(
        self,
        task_name: str,
        *,
        key: str,
        params: Mapping[str, str | None] | None = None,
        at: str | None = None,
    ) -> dict[str, Any]:
        """Start a task, now or at a time; the run as it stands. The same key starts nothing twice."""
        path = f"/api/tasks/{quote(task_name, safe='')}/run"
        body: dict[str, Any] = {"params": dict(params)} if params else {}
        if at is not None:
            body["at"] = at
        return self._object("POST", path, headers={"Idempotency-Key": key}, body=body or None)

    def start_job(self, body: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        """Start a job; its run as it stands. The same key starts nothing twice."""
        return self._object("POST", "/api/jobs", headers={"Idempotency-Key": key}, body=body)

    def jobs(self, filters: Filters | None = None) -> Iterator[dict[str, Any]]:
        """Jobs, newest first, as many as the caller takes."""
        return self._items("/api/jobs", filters or {})

    def send_input(self, run_id: str, data: bytes | None) -> dict[str, Any]:
        """Send a run input, of which its log says nothing; None ends it."""
        body = {"close": True} if data is None else {"data": base64.b64encode(data).decode()}
        path = f"/api/runs/{quote(run_id, safe='')}/input"
        return self._object("POST", path, body={**body, "secret": True})

    def resize(self, run_id: str, *, rows: int, cols: int) -> dict[str, Any]:
        """Set the size of a run's terminal."""
        path = f"/api/runs/{quote(run_id, safe='')}/resize"
        return self._object("POST", path, body={"rows": rows, "cols": cols})

    def runs(self, filters: Filters | None = None) -> Iterator[dict[str, Any]]:
        """Runs, newest first, as many as the caller takes."""
        return self._items("/api/runs", filters or {})

    def run(self, run_id: str) -> dict[str, Any]:
        """One run as it stands."""
        return self._object("GET", f"/api/runs/{quote(run_id, safe='')}")

    def stop(self, run_id: str) -> dict[str, Any]:
        """Ask for a run's end; the run as it stands."""
        return self._object("POST", f"/api/runs/{quote(run_id, safe='')}/stop")

    def rerun(self, run_id: str, anew: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        """Run a run again; the new run as it stands. The same key starts nothing twice."""
        path = f"/api/runs/{quote(run_id, safe='')}/rerun"
        return self._object("POST", path, headers={"Idempotency-Key": key}, body=anew)

    def bulk(self, verb: str, body: Mapping[str, Any], *, key: str | None = None) -> dict[str, Any]:
        """Stop, rerun, delete or restore many runs, which may take its time: what was done, and what not."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self._object("POST", f"/api/runs/bulk/{verb}", headers=headers, body=body, patience=None)

    def revision(self, task_name: str, revision: int) -> dict[str, Any]:
        """A definition that a task or service has had."""
        return self._object("GET", f"/api/tasks/{quote(task_name, safe='')}/revisions/{revision}")

    def reload(self, *, dry_run: bool) -> dict[str, Any]:
        """Have the configuration loaded anew; what that changes, or would."""
        return self._object("POST", f"/api/reload{'?dry_run=true' if dry_run else ''}")

    def shutdown(self) -> dict[str, Any]:
        """Ask for the end of every run, the keeper and the server."""
        return self._object("POST", "/api/shutdown")

    def log(self, run_id: str) -> Iterator[bytes]:
        """The program's own bytes, in order of arrival, piece by piece."""
        with self._answer("GET", f"/api/runs/{quote(run_id, safe='')}/log/raw") as answer:
            yield from self._pieces(answer)

    @contextlib.contextmanager
    def events(self, filters: Filters | None = None) -> Iterator[Iterator[ServerEvent]]:
        """Every event from now on: whatever happens after this was entered is in it.

        The events end, or raise Disconnected, when the server leaves.
        """
        path = _with_query("/api/events", filters or {})
        with self._answer("GET", path, headers={"Accept": "text/event-stream"}) as answer:
            yield read_events(lines_of(self._pieces(answer)))

    def _items(self, path: str, filters: Filters) -> Iterator[dict[str, Any]]:
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
        body: Mapping[str, Any] | None = None,
        patience: float | None = PATIENCE,
    ) -> dict[str, Any]:
        with self._answer(method, path, headers=headers, body=body, patience=patience) as answer:
            said = self._read(answer)
        try:
            found: dict[str, Any] = json.loads(said) if said else {}
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
        body: Mapping[str, Any] | None = None,
        patience: float | None = PATIENCE,
    ) -> Iterator[Answer]:
        sent = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        with contextlib.closing(self._connected()) as connection:
            connection.settimeout(patience)
            with self._told():
                given = {**self._headers, **kind, **(headers or {})}
                answer = ask(connection, method, path, headers=given, body=sent)
            if answer.status >= 400:
                raise _problem(answer.status, self._read(answer))
            yield answer

    def _connected(self) -> socket.socket:
        try:
            return address.connect(os.fspath(self.data / "rota.sock"))
        except PermissionError as error:
            raise NotAllowed(self.data) from error
        except OSError as error:
            raise NoServer(self.data) from error

    def _read(self, answer: Answer) -> bytes:
        with self._told():
            return answer.read()

    def _pieces(self, answer: Answer) -> Iterator[bytes]:
        pieces = answer.pieces()
        while True:
            with self._told():
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        # Only around the exchange itself: the caller's own broken pipe is not the server's.
        try:
            yield
        except TimeoutError as error:
            raise Disconnected(self.data, f"has not answered for {PATIENCE:.0f} seconds") from error
        except (Broken, ConnectionError) as error:
            raise Disconnected(self.data, "went away before it had answered") from error


def _scope(kind: str, name: str | None) -> str:
    return "/api" if name is None else f"/api/{kind}s/{quote(name, safe='')}"


def _with_query(path: str, query: Filters) -> str:
    return f"{path}?{urlencode(query, doseq=True)}" if query else path


def _problem(status: int, body: bytes) -> Problem:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    return Problem(status, found if isinstance(found, dict) else {})
