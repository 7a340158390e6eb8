"""Every problem that the API answers with, and which error of the model becomes which."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rota.api import wire
from rota.api.refused import ApiError
from rota.config.fault import ConfigInvalid
from rota.model.error import (
    Fault,
    GroupNotFound,
    InputClosed,
    InputFull,
    Invalid,
    JobRefused,
    JobsOff,
    KeeperUnavailable,
    KeyReused,
    ManualTriggerOff,
    NoReloadSignal,
    NoTerminal,
    NotFound,
    NothingLives,
    Refused,
    RevisionNotFound,
    RotaError,
    RunEnded,
    RunNotDeleted,
    RunNotEnded,
    RunNotFound,
    RunNotStarted,
    RunUnclear,
    ServiceNotFound,
    ShuttingDown,
    StoreUnavailable,
    TaskIsService,
    TaskNotFound,
    TickKept,
    TurnedAway,
)
from rota.model.run import EndReason

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True, slots=True)
class ProblemKind:
    """A kind of problem; its document is at `/problems/{name}`."""

    name: str
    status: int
    title: str
    meaning: str

    @property
    def uri(self) -> str:
        """What `type` says: stable, and relative to the server that said it."""
        return f"/problems/{self.name}"


def _kind(name: str, status: int, title: str, meaning: str) -> ProblemKind:
    return ProblemKind(name=name, status=status, title=title, meaning=meaning)


KINDS: dict[str, ProblemKind] = {
    kind.name: kind
    for kind in (
        _kind(
            "malformed-request", 400, "Malformed request", "The request is not HTTP, or its body not JSON."
        ),
        _kind(
            "token-needed",
            401,
            "Token needed",
            "The request carries no token, or a wrong one. The token is in the file `token` of the data "
            "folder; send it as `Authorization: Bearer …`. The Unix socket in the same folder needs none.",
        ),
        _kind(
            "origin-refused",
            403,
            "Origin refused",
            "A page of another origin made the request. Only pages that this server serves may.",
        ),
        _kind(
            "manual-trigger-off",
            403,
            "Manual trigger off",
            "The task says `manual_trigger = false`: only its schedule starts it.",
        ),
        _kind(
            "jobs-off",
            403,
            "Jobs are off",
            "`[jobs] enabled` is false; or it is left out, and the request came over a port where nobody is "
            "asked for a token (`ROTA_AUTH=off`).",
        ),
        _kind(
            "job-refused",
            403,
            "Job refused",
            "The configuration's `[jobs]` does not let this program be started, or not in this folder; or "
            "its `user` cannot be had.",
        ),
        _kind("task-not-found", 404, "No such task", "No task of the configuration has this name."),
        _kind("group-not-found", 404, "No such group", "No task of the configuration has this `group`."),
        _kind("service-not-found", 404, "No such service", "No service of the configuration has this name."),
        _kind(
            "revision-not-found",
            404,
            "No such definition",
            "The task never had this revision, or it is no longer kept, as no run that is kept was started "
            "under it.",
        ),
        _kind("run-not-found", 404, "No such run", "No run has this id."),
        _kind(
            "run-not-deleted",
            404,
            "No such deleted run",
            "No run of this id was deleted, or it is gone for good (`[storage] keep_deleted`).",
        ),
        _kind(
            "route-not-found", 404, "Nothing here", "No route has this path; `/openapi.json` lists them all."
        ),
        _kind("method-not-allowed", 405, "Method not allowed", "The route takes the methods in `Allow`."),
        _kind(
            "task-is-service",
            409,
            "It is a service",
            "The name is that of a service, which is kept alive and not run; `/api/services/{service_name}` "
            "is its address.",
        ),
        _kind(
            "no-reload-signal",
            409,
            "No signal to send",
            "The service has no `reload_signal`, and the request names no signal.",
        ),
        _kind(
            "nothing-lives",
            409,
            "Nothing lives",
            "No instance that the signal was meant for has a process just now.",
        ),
        _kind("run-ended", 409, "Run has ended", "The run has ended, so nothing can be done to it."),
        _kind("run-not-started", 409, "Run has not started", "The run is pending, and takes no input yet."),
        _kind("run-not-ended", 409, "Run has not ended", "The run is pending or running; stop it first."),
        _kind(
            "tick-kept",
            409,
            "Tick kept",
            "The run's row is all that says of its tick that it is taken, for a minute at most; or it cannot "
            "be restored, since another run has that tick.",
        ),
        _kind(
            "input-closed",
            409,
            "No open input",
            "The run's standard input is not open: it never was, or somebody has closed it.",
        ),
        _kind(
            "input-full",
            409,
            "Too much input unread",
            "So much input waits for the run that no more is taken, and nothing was; `unread` is how much. "
            "Send it again when the program has read some.",
        ),
        _kind(
            "no-terminal",
            409,
            "No terminal",
            "The run has no terminal, so this key cannot be pressed, or there is nothing to resize.",
        ),
        _kind(
            "run-unclear",
            409,
            "Several runs",
            "The ids of several runs end so; `errors` names them. Give more of the id.",
        ),
        _kind(
            "run-skipped",
            409,
            "Run skipped",
            'The task runs already, and its `on_overlap = "skip"` let this trigger go by. '
            "`run_id` is the run that records it.",
        ),
        _kind(
            "key-reused",
            409,
            "Idempotency key reused",
            "The `Idempotency-Key` was used for a request of another method, path or body.",
        ),
        _kind("refused", 409, "Refused", "The request is understood, and the answer is no."),
        _kind("body-too-large", 413, "Body too large", "A body may have 1 MiB at most."),
        _kind(
            "unsupported-content", 415, "Unsupported content type", "A body is `application/json` in UTF-8."
        ),
        _kind(
            "range-not-satisfiable",
            416,
            "Range not satisfiable",
            "Nothing of the `Range` is there; `Content-Range` says how long the whole is.",
        ),
        _kind(
            "host-refused",
            421,
            "Host refused",
            "The `Host` header names another machine. This server answers to 127.0.0.1, localhost and [::1].",
        ),
        _kind("invalid-request", 422, "Invalid request", "`errors` names every fault of the request."),
        _kind(
            "configuration-refused",
            422,
            "Configuration refused",
            "The configuration has faults, and the one before it holds. `errors` names every fault; its "
            "`location` is the file with line and column.",
        ),
        _kind(
            "queue-full",
            429,
            "Queue full",
            "As many runs of the task, or jobs, wait as `max_queued` allows. `run_id` is the run that "
            "records it.",
        ),
        _kind("internal-error", 500, "Internal error", "A fault of Rota's own; its log says more."),
        _kind(
            "store-unavailable",
            503,
            "Store unavailable",
            "The database cannot be written at the moment; the request changed nothing and may be repeated.",
        ),
        _kind(
            "keeper-unavailable",
            503,
            "Keeper unavailable",
            "The process that holds the runs cannot be asked at the moment; if it died, another is started.",
        ),
        _kind("shutting-down", 503, "Shutting down", "The server is on its way out and starts nothing more."),
        _kind("unhealthy", 503, "Unhealthy", "Rota cannot do all of its work; `errors` says what is wrong."),
    )
}

#: The problem of each error; one that is not here has that of its nearest base.
KIND_OF: dict[type[RotaError], ProblemKind] = {
    RotaError: KINDS["internal-error"],
    TaskNotFound: KINDS["task-not-found"],
    GroupNotFound: KINDS["group-not-found"],
    ServiceNotFound: KINDS["service-not-found"],
    RunNotFound: KINDS["run-not-found"],
    RunNotDeleted: KINDS["run-not-deleted"],
    RevisionNotFound: KINDS["revision-not-found"],
    ConfigInvalid: KINDS["configuration-refused"],
    NotFound: KINDS["route-not-found"],
    TaskIsService: KINDS["task-is-service"],
    NoReloadSignal: KINDS["no-reload-signal"],
    NothingLives: KINDS["nothing-lives"],
    ManualTriggerOff: KINDS["manual-trigger-off"],
    JobsOff: KINDS["jobs-off"],
    JobRefused: KINDS["job-refused"],
    RunUnclear: KINDS["run-unclear"],
    RunEnded: KINDS["run-ended"],
    RunNotStarted: KINDS["run-not-started"],
    RunNotEnded: KINDS["run-not-ended"],
    TickKept: KINDS["tick-kept"],
    InputClosed: KINDS["input-closed"],
    InputFull: KINDS["input-full"],
    NoTerminal: KINDS["no-terminal"],
    KeyReused: KINDS["key-reused"],
    ShuttingDown: KINDS["shutting-down"],
    Refused: KINDS["refused"],
    Invalid: KINDS["invalid-request"],
    StoreUnavailable: KINDS["store-unavailable"],
    KeeperUnavailable: KINDS["keeper-unavailable"],
}

#: A value longer than this is not said again in `errors`.
LONGEST_VALUE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One occurrence of a problem."""

    kind: ProblemKind
    detail: str
    instance: str = field(default_factory=lambda: f"urn:uuid:{uuid.uuid4()}")
    errors: Sequence[Fault] = ()
    run_id: str | None = None
    unread: int | None = None
    headers: Sequence[tuple[bytes, bytes]] = ()

    def as_json(self) -> dict[str, Any]:
        """RFC 9457's members, and ours."""
        body: dict[str, Any] = {
            "type": self.kind.uri,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "instance": self.instance,
            "errors": [_fault(each) for each in self.errors],
        }
        if self.run_id is not None:
            body["run_id"] = self.run_id
        if self.unread is not None:
            body["unread"] = self.unread
        return body


def problem_of(error: RotaError) -> Problem:
    """How the API says an error of the model."""
    if isinstance(error, ApiError):
        return Problem(kind=KINDS[error.problem], detail=str(error), headers=error.headers)
    kind = kind_of(error)
    if kind.status == 500:
        return internal_error()
    return Problem(
        kind=kind,
        detail=_detail_of(error),
        errors=_faults_of(error),
        unread=error.unread if isinstance(error, InputFull) else None,
        headers=((b"retry-after", b"5"),) if kind.status == 503 else (),
    )


def fault_of_run(run_id: str, error: RotaError) -> dict[str, Any]:
    """A `BulkFault`: the problem with one of many runs."""
    return {
        "run_id": run_id,
        "type": kind_of(error).uri,
        "detail": str(error),
        "errors": [_fault(each) for each in _faults_of(error)],
    }


def kind_of(error: RotaError) -> ProblemKind:
    """Which problem an error of the model is."""
    if isinstance(error, TurnedAway):
        return KINDS["run-skipped" if error.reason == EndReason.SKIPPED else "queue-full"]
    return next(KIND_OF[each] for each in type(error).__mro__ if each in KIND_OF)


def _detail_of(error: RotaError) -> str:
    if isinstance(error, ConfigInvalid):
        count = len(error.faults)
        return f"the configuration has {count} fault{'' if count == 1 else 's'}; nothing was changed"
    return str(error)


def _faults_of(error: RotaError) -> Sequence[Fault]:
    if isinstance(error, RunUnclear):
        return [
            Fault(location="path.run_id", message=label, value=run_id) for run_id, label in error.candidates
        ]
    if isinstance(error, ConfigInvalid):
        return [Fault(location=fault.place, message=fault.sentence) for fault in error.faults]
    return error.faults if isinstance(error, Invalid) else ()


def internal_error() -> Problem:
    """The problem that tells nothing of its cause; the log does."""
    return Problem(kind=KINDS["internal-error"], detail="something went wrong within Rota; its log says what")


def _fault(fault: Fault) -> dict[str, Any]:
    value = fault.value
    try:
        if len(wire.encode({"value": value})) > LONGEST_VALUE:
            value = None
    except (TypeError, ValueError):
        value = None
    return {"location": fault.location, "message": fault.message, "value": value}
