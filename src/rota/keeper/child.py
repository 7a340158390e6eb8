"""A run in the keeper's hands, from its spawn to its end. Standard library only.

    RUNNING ──the main process has ended──▶ LINGERING ──nothing is left, pipes closed or drained──▶ over

While RUNNING, a deadline or a stop starts the ladder: the stop signal to the whole tree, SIGKILL after the
grace. While LINGERING, what the main process left behind gets a second, then the same ladder, unless the
task keeps its children. The main process stays unreaped until all that is over, so that neither its pid nor
its session's id can become somebody else's.
"""

from __future__ import annotations

import signal
import time

from rota.keeper import cgroup, tree
from rota.keeper.input import Input
from rota.keeper.protocol import encode
from rota.keeper.pump import Pump, Screen
from rota.keeper.quotes import Quotes
from rota.keeper.reaper import how_ended
from rota.logs.index import STDERR, STDOUT
from rota.logs.mask import masks
from rota.logs.writer import DROP_OLD, LogWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from rota.keeper.journal import Journal
    from rota.keeper.loop import Loop, Timer
    from rota.keeper.notices import Notices
    from rota.keeper.streams import Streams
    from rota.logs.room import Room

    Moment = tuple[int, float]  #: by the wall clock, in microseconds, and by the monotonic one, in seconds

    class Guardian(Protocol):
        """What a run needs of its keeper."""

        room: Room
        journal: Journal

        def adopt(self) -> None:
            """Find out whose the processes are that have become the keeper's own children."""

        def over(self, child: Child) -> None:
            """Nothing of the run is waited for any more."""


LINGER = 1.0  #: seconds that leftovers have to finish by themselves
DRAIN = 0.5  #: seconds that a pipe may stay open after the last process of the run that is known
_AGAIN = 0.2  # seconds between looks for processes that have not died of SIGKILL yet

TIMEOUT, STOPPED, START_FAILED, LOG_OVERFLOW, OUT_OF_MEMORY, LOST = (
    "timeout",
    "stopped",
    "start_failed",
    "log_overflow",
    "out_of_memory",
    "lost",
)


class Child:
    """One run: its main process, its pipes, its deadlines."""

    def __init__(self, loop: Loop, data: str, spec: dict[str, Any], keeper: Guardian) -> None:
        self._loop = loop
        self._keeper = keeper
        self.run_id: str = spec["run"]
        self.attempt: str = spec["attempt"]
        self.timeout: float | None = spec.get("timeout")
        self.stop_signal: int = spec["stop_signal"]
        self.grace: float = spec["grace"]
        self.keep_children: bool = bool(spec.get("keep_children"))
        self.merge_stderr: bool = bool(spec.get("merge_stderr"))
        self.log_max_size: int | None = spec.get("log_max_size")
        self.log_on_full: str = spec.get("log_on_full") or DROP_OLD
        self.secrets: list[str] = spec.get("secrets") or []  #: hidden in its log, and written nowhere
        self.limits: dict[str, float] = spec.get("limits") or {}
        self.log = LogWriter(
            data, self.run_id, keeper.room,
            cap=self.log_max_size, on_full=self.log_on_full, overflowed=self._log_is_full,
            transforms=masks(self.secrets),
        )  # fmt: skip
        self.pumps: list[Pump] = []
        self.input: Input | None = None  #: None for one that reads `/dev/null`
        self.notices: Notices | None = None  #: None for one that is not asked to say how it is
        self._quotes: Quotes | None = None
        self.adopted: dict[int, int] = {}  #: pid → start time of what became the keeper's own child
        self.group: str | None = None  #: its control group
        self.held: dict[str, str] | None = None  #: who holds each of its limits
        self.told_fd = -1  #: the trampoline's pipe, until the program is loaded
        self.program = self.folder = ""  #: what the trampoline tries, for the sentence if it fails
        self.pid = 0
        self.start_at = 0
        self.started = 0.0  #: monotonic
        self.cause: str | None = None
        self.message: str | None = None
        self.killed = False  #: whether the ladder has come to SIGKILL
        self.kill_at: float | None = None  #: monotonic; the next step of a ladder that has begun
        self.linger_until: float | None = None  #: monotonic; when leftovers are told to go
        self.drain_until: float | None = None  #: monotonic; when open pipes are waited for no longer
        self.exit: tuple[int | None, int | None] | None = (
            None  #: exit code or signal, once the main process ended
        )
        self.end_at = 0
        self.duration = 0.0
        self.cpu_time = 0.0
        self.leftovers: list[str] = []
        self._timers: dict[str, Timer] = {}

    @property
    def limited(self) -> dict[str, tuple[float, str]] | None:
        """Its limits, and who holds each; None for a run without."""
        if self.held is None:
            return None
        return {name: (value, self.held[name]) for name, value in self.limits.items()}

    # --- beginning

    def begun(self, pid: int, at: int, moment: float, streams: Streams) -> None:
        """Its main process lives."""
        self.pid, self.start_at, self.started = pid, at, moment
        if streams.stdin_write is not None:
            self.input = Input(self._loop, streams.stdin_write, streams.name, self._never_read)
        self._pump(streams.out_read, STDOUT)
        if streams.err_read is not None:
            self._pump(streams.err_read, STDERR)
        self.arm()

    def _pump(self, fd: int, stream: int) -> None:
        log: LogWriter | Screen = self.log
        if self.input is not None and self.input.is_terminal:
            log = Screen(self.log, self.input)
        self.pumps.append(Pump(self._loop, fd, stream, log, self._pipe_closed))

    def failed(self, why: str) -> None:
        """Its program could not be started."""
        self.cause, self.message = START_FAILED, why
        self.end_at = self.end_at or time.time_ns() // 1000
        self.say(why)

    def arm(self) -> None:
        """Set the timers that its state asks for."""
        if self.exit is None and self.timeout is not None and self.cause is None:
            self._set("deadline", self.started + self.timeout, self._timed_out)
        self._set("kill", self.kill_at, self._kill)
        self._set("linger", self.linger_until, self._end_leftovers)
        self._set("drain", self.drain_until, self._finish)

    # --- the ladder

    def stop(self, cause: str, said: str) -> None:
        """Start the ladder; a run that has ended, noticed or not, or is on its way, is left as it is."""
        if self.cause is not None or self.has_ended:
            return
        self.cause = cause
        self.say(said)
        self.note(encode({"run": self.run_id, "cause": cause}))
        self._cancel("deadline")
        self._signal(self.stop_signal)

    def _timed_out(self) -> None:
        self.stop(TIMEOUT, f"timed out after {self.timeout:g} s")

    def _log_is_full(self) -> None:
        said = f"it wrote more than {self.log_max_size} bytes (log_max_size)"
        if not self.has_ended:
            self.stop(LOG_OVERFLOW, said)
        elif self.cause is None and not self.keep_children:
            # Its last words were too many; it need not be stopped any more, but ended so all the same.
            self.cause = LOG_OVERFLOW
            self.say(said)
            self.note(encode({"run": self.run_id, "cause": self.cause}))

    def _signal(self, number: int) -> None:
        if number == signal.SIGKILL and self.group is not None:
            cgroup.kill(self.group)
        tree.signal_all(self.roots, number)
        if number == signal.SIGKILL:
            self.kill_at = time.monotonic() + _AGAIN
        else:
            self.kill_at = time.monotonic() + self.grace
        self._set("kill", self.kill_at, self._kill)

    def _kill(self) -> None:
        if self._is_over:
            # Many that end at once are noticed a few at a time; to look for each of them again and again
            # meanwhile would hold up just that.
            self.kill_at = time.monotonic() + _AGAIN
            self._set("kill", self.kill_at, self._kill)
            return
        if not self.killed and self.stop_signal != signal.SIGKILL:
            self.say(f"still there {self.grace:g} s after {signal.Signals(self.stop_signal).name}: killed")
        self.killed = True
        self._signal(signal.SIGKILL)

    def roots(self) -> list[int]:
        """Its main process while that lives, and what was adopted from it; all else is below."""
        self._keeper.adopt()
        return [*([self.pid] if self.exit is None else []), *self.adopted]

    # --- ending

    @property
    def has_ended(self) -> bool:
        """Whether its main process has ended by now; notice of that may come later."""
        return self.exit is not None or how_ended(self.pid) is not None

    @property
    def _is_over(self) -> bool:
        """Whether everything that is known of it has ended; what is not known is found with the notice."""
        return self.has_ended and all(how_ended(pid) is not None for pid in self.adopted)

    def main_ended(self, exit_code: int | None, number: int | None, at: Moment) -> None:
        """Its main process has ended, and is not reaped yet."""
        self.exit = (exit_code, number)
        self.end_at, moment = at
        self.duration = moment - self.started
        self._cancel("deadline")
        if self.group is not None and number is not None and cgroup.killed_for_memory(self.group):
            self._ran_out_of_memory()
        if self.input is not None:
            self.input.end()
        self.end_quotes()
        for pump in self.pumps:
            pump.drain()
        self._keeper.adopt()
        if self.adopted and not self.spares:
            if self.kill_at is None:  # else the ladder that stopped it goes on for what is left
                self.linger_until = time.monotonic() + LINGER
                self._set("linger", self.linger_until, self._end_leftovers)
        else:
            self._cancel("kill")
        self.settle()

    def _ran_out_of_memory(self) -> None:
        if self.cause is not None:
            return  # it was on its way out
        most = self.limits.get("memory_max")
        self.message = "the kernel killed it for want of memory"
        if most is not None:
            self.message += f"; its memory_max is {most:.0f} bytes"
        self.cause = OUT_OF_MEMORY
        self.say(self.message)
        self.note(encode({"run": self.run_id, "cause": self.cause}))

    def settle(self) -> None:
        """Finish as soon as nothing is left to wait for."""
        if self.exit is None or (self.adopted and not self.spares):
            return
        if all(pump.fd < 0 for pump in self.pumps):
            self._finish()
        elif self.drain_until is None:
            self.drain_until = time.monotonic() + DRAIN
            self._set("drain", self.drain_until, self._finish)

    @property
    def spares(self) -> bool:
        """Whether what outlives the main process is left alone: only where nobody wanted the run to end."""
        return self.keep_children and self.cause is None

    def _end_leftovers(self) -> None:
        self.linger_until = None
        names = []
        for pid in tree.descendants(self.adopted):
            facts = tree.stat(pid)
            if facts is not None and facts[1] not in "ZX":
                names.append(f"{facts[0]} ({pid})")
        self.leftovers = names
        if names:
            self.say(f"its main process has ended; ending what it left behind: {', '.join(names)}")
        self._signal(self.stop_signal)

    def _pipe_closed(self) -> None:
        if self.input is not None and self.input.is_terminal:
            self.input.end()  # nothing has the terminal open: what was typed is read by nobody
        self.settle()

    def _never_read(self, count: int) -> None:
        self.say(f"{count} bytes that were sent to it were never read")

    def _finish(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self.close_notices()
        for pump in self.pumps:
            pump.drain()
            if self.spares and pump.fd >= 0:
                pump.discard()
            else:
                pump.close()
        self._keeper.over(self)
        # Timers and pumps point back here. Without these circles a run is freed at once; with them it waits
        # for a collection, and the keeper grows meanwhile.
        self._timers.clear()
        self.pumps, self.input, self._quotes = [], None, None

    def close_notices(self) -> None:
        """It says no more of itself."""
        if self.notices is not None:
            self.notices.close()
            self.notices = None

    # --- words

    @property
    def quotes(self) -> Quotes:
        """What was sent to it, for its log."""
        if self._quotes is None:
            self._quotes = Quotes(
                self._loop, self.secrets, lambda text: self.log.quote(text, time.time_ns() // 1000)
            )
        return self._quotes

    def end_quotes(self) -> None:
        """Have everything in the log that was sent; a file may be opened for that."""
        if self._quotes is not None:
            self._quotes.end()

    def say(self, text: str) -> None:
        """A line of Rota's own in the run's log."""
        self.log.say(text, time.time_ns() // 1000)

    def note(self, line: bytes) -> None:
        """Add to the journal; a full disk leaves the truth in the keeper's memory."""
        try:
            self._keeper.journal.add(self.run_id, line)
        except OSError:
            pass

    def _set(self, name: str, moment: float | None, act: Callable[[], None]) -> None:
        self._cancel(name)
        if moment is not None:
            self._timers[name] = self._loop.at(moment, act)

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    # --- across a re-execution

    def state(self) -> dict[str, Any]:
        """Everything that a successor of this keeper needs."""
        return {
            "spec": {"run": self.run_id, **{name: getattr(self, name) for name in _SPEC}},
            "log": self.log.state(),
            "input": None if self.input is None else self.input.state(),
            "notices": None if self.notices is None else self.notices.state(),
            "pumps": [[pump.fd, pump.stream] for pump in self.pumps if pump.fd >= 0],
            "plain": {name: getattr(self, name) for name in _PLAIN},
            "adopted": list(self.adopted.items()),
        }  # fmt: skip

    @classmethod
    def restored(cls, loop: Loop, data: str, state: dict[str, Any], keeper: Guardian) -> Child:
        """The run that `state` was taken from, its timers not yet armed."""
        child = cls(loop, data, state["spec"], keeper)
        child.log.restore(state["log"])
        for name, value in state["plain"].items():
            setattr(child, name, value)
        child.exit = (child.exit[0], child.exit[1]) if child.exit else None
        child.adopted = dict(state["adopted"])
        if state.get("input") is not None:  # a keeper of protocol 1 knew of none
            fd, name = state["input"]["fd"], state["input"]["name"]
            child.input = Input(loop, fd, name, child._never_read)
            child.input.restore(state["input"])
        for fd, stream in state["pumps"]:
            child._pump(fd, stream)
        return child

    def descriptors(self) -> list[int]:
        """Every descriptor that must stay open across a re-execution."""
        told = [self.told_fd] if self.told_fd >= 0 else []
        return [
            *told,
            *([self.input.fd] if self.input is not None and self.input.fd >= 0 else []),
            *([self.notices.fileno()] if self.notices is not None else []),
            *self.log.descriptors(),
            *(pump.fd for pump in self.pumps if pump.fd >= 0),
        ]


_SPEC = (
    *("attempt", "timeout", "stop_signal", "grace", "keep_children", "merge_stderr"),
    *("log_max_size", "log_on_full", "secrets", "limits"),
)
_PLAIN = (
    *("told_fd", "program", "folder", "pid", "start_at", "started", "cause", "message", "killed"),
    *("kill_at", "linger_until", "drain_until", "exit", "end_at", "duration", "cpu_time", "leftovers"),
    *("group", "held"),
)
