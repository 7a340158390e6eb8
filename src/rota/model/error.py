"""Every error that Rota raises on purpose, as one tree.

RotaError
├── NotFound            TaskNotFound · ServiceNotFound · GroupNotFound · RunNotFound · RunNotDeleted
│                       RevisionNotFound
├── Refused             ManualTriggerOff · JobsOff · JobRefused · RunEnded · KeyReused · ShuttingDown
│                       TaskIsService · NoReloadSignal · NothingLives · RunNotStarted · RunNotEnded
│                       TickKept · TurnedAway · InputClosed · InputFull · NoTerminal · ManagedFileOff
│                       ManagedFileStuck · TaskNotAllowed · TaskNotLoaded
├── RunUnclear          the ending of a run's id, which several have
├── Invalid             a value that its caller can mend; names every fault
├── StoreUnavailable    the database cannot be written (disk full, I/O error)
├── KeeperUnavailable   no keeper is connected at the moment, or it does not answer
├── IllegalMove         a run cannot go there from where it is
└── Unusable            Rota cannot start or go on: a locked folder, a newer database, a port in use
"""

from __future__ import annotations

from dataclasses import dataclass


class RotaError(Exception):
    """Something went wrong that Rota foresaw; its text says what, and what to do next."""


class NotFound(RotaError):
    """What was named does not exist."""


class TaskNotFound(NotFound):
    """No task has this name."""

    def __init__(self, name: str, nearest: str | None = None) -> None:
        hint = f"; did you mean {nearest!r}?" if nearest else ""
        super().__init__(f"there is no task named {name!r}{hint}")
        self.name = name
        self.nearest = nearest


class ServiceNotFound(NotFound):
    """No service has this name."""

    def __init__(self, name: str, nearest: str | None = None, *, is_task: bool = False) -> None:
        hint = f"; did you mean {nearest!r}?" if nearest else ""
        super().__init__(
            f"{name!r} is a task and no service; POST /api/tasks/{name}/run starts it"
            if is_task
            else f"there is no service named {name!r}{hint}"
        )
        self.name = name
        self.nearest = nearest
        self.is_task = is_task


class GroupNotFound(NotFound):
    """No task has this group."""

    def __init__(self, name: str, nearest: str | None = None) -> None:
        hint = f"; did you mean {nearest!r}?" if nearest else ""
        super().__init__(f"there is no task with the group {name!r}{hint}")
        self.name = name
        self.nearest = nearest


class RunNotFound(NotFound):
    """No run has this id, or none of the newest `within` has one that ends so."""

    def __init__(self, run_id: str, *, within: int | None = None) -> None:
        super().__init__(
            f"there is no run {run_id}"
            if within is None
            else f"none of the newest {within:,} runs has an id that ends in {run_id!r}; give the whole id"
        )
        self.run_id = run_id


class RunNotDeleted(NotFound):
    """There is no such run among those that were deleted and can be restored."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"there is no deleted run {run_id} that could be restored")
        self.run_id = run_id


class RevisionNotFound(NotFound):
    """The task never had this definition, or it is no longer kept."""

    def __init__(self, task_name: str, number: int, *, newest: int) -> None:
        super().__init__(f"there is no revision {number} of task {task_name!r}; the newest is {newest}")
        self.task_name = task_name
        self.number = number


class Refused(RotaError):
    """The request is understood, and the answer is no."""


class ManualTriggerOff(Refused):
    """The task says `manual_trigger = false`."""

    def __init__(self, name: str) -> None:
        super().__init__(f"task {name!r} has manual_trigger = false: only its schedule starts it")
        self.name = name


class TaskIsService(Refused):
    """What was meant to be a task is a service, which has routes of its own."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} is a service, which is kept alive and not run; it is at /api/services/{name}, and "
            f"POST /api/services/{name}/start, …/stop and …/restart are for it"
        )
        self.name = name


class NoReloadSignal(Refused):
    """Nobody says which signal is meant."""

    def __init__(self, name: str) -> None:
        super().__init__(f"service {name!r} has no reload_signal; say which signal to send")
        self.name = name


class NothingLives(Refused):
    """A signal would reach nobody."""

    def __init__(self, name: str, instance: int | None, state: str) -> None:
        who = f"service {name!r}" if instance is None else f"instance {instance} of service {name!r}"
        super().__init__(f"{who} is {state} and has no process, so the signal was sent to nobody")
        self.name = name


class JobsOff(Refused):
    """This caller may start no jobs."""


class JobRefused(Refused):
    """The rules of `[jobs]` do not let this job be started."""


class ManagedFileOff(Refused):
    """Tasks may not be written, or not by this caller."""


class ManagedFileStuck(Refused):
    """The managed file cannot be read or written, or not so that nothing else in it changes."""


class TaskNotAllowed(Refused):
    """The rules of `[jobs]`, which bound what agents write too, do not let this task be written."""


class TaskNotLoaded(Refused):
    """A task stands in the managed file now, and the server cannot go by it yet."""


class RunEnded(Refused):
    """The run has ended, so nothing can be done to it."""

    def __init__(self, run_id: str, *, retry: str | None = None) -> None:
        """`retry` is the attempt that follows it, and is open."""
        follows = "" if retry is None else f"; it failed and is tried again as run {retry}"
        super().__init__(f"run {run_id} has already ended{follows}")
        self.run_id = run_id


class RunNotStarted(Refused):
    """The run is pending: it has no process that could read anything."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"run {run_id} has not started yet, and takes input once it has")
        self.run_id = run_id


class RunNotEnded(Refused):
    """The run is pending or running, and this can be done only to what has ended."""

    def __init__(self, run_id: str, status: str) -> None:
        super().__init__(f"run {run_id} is {status}; stop it first, or wait for its end")
        self.run_id = run_id


class TickKept(Refused):
    """The run's row alone says that its tick is taken, so it has to stay where it is for now."""


class TurnedAway(Refused):
    """A start was let go by; the run `run_id` records it, and its `end_reason` is `reason`."""

    def __init__(self, run_id: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.run_id = run_id
        self.reason = reason


class InputClosed(Refused):
    """The run's standard input is not open."""

    def __init__(self, run_id: str, why: str) -> None:
        super().__init__(f"run {run_id} takes no input: {why}")
        self.run_id = run_id


class InputFull(Refused):
    """The run has too much to read already; nothing of what was sent was taken."""

    def __init__(self, run_id: str, unread: int, most: int) -> None:
        super().__init__(
            f"run {run_id} has {unread} bytes of input to read, and at most {most} may wait: "
            "nothing was taken, send it again when the program has read some"
        )
        self.run_id = run_id
        self.unread = unread


class NoTerminal(Refused):
    """The run has no terminal."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"run {run_id} has no terminal; it would have one with pty = true")
        self.run_id = run_id


class KeyReused(Refused):
    """An idempotency key came back with another request."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the idempotency key {key!r} was used for a different request; choose a new key")
        self.key = key


class ShuttingDown(Refused):
    """Rota is on its way out and starts nothing more."""

    def __init__(self) -> None:
        super().__init__("Rota is shutting down; start it again with `rota serve`")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing wrong with a request: where, what, and the value that was given."""

    location: str  #: such as `body.params.level` or `query.limit`
    message: str
    value: object = None


class RunUnclear(RotaError):
    """The ids of several runs end so; `candidates` are the newest of them, as id and label."""

    def __init__(self, ending: str, candidates: list[tuple[str, str]]) -> None:
        super().__init__(
            f"several runs have an id that ends in {ending!r}; give more of it: "
            + ", ".join(f"{run_id} ({label})" for run_id, label in candidates)
        )
        self.ending = ending
        self.candidates = candidates


class Invalid(RotaError):
    """A request has faults; `faults` names every one of them."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.location}: {fault.message}" for fault in faults))
        self.faults = faults


class StoreUnavailable(RotaError):
    """The database cannot be written at the moment; the request changed nothing."""


class KeeperUnavailable(RotaError):
    """The process that holds the runs cannot be asked at the moment."""


class IllegalMove(RotaError):
    """A run cannot make this move from where it is."""


class Unusable(RotaError):
    """Rota cannot start or go on; the text says what to change."""
