"""The keeper: the parent of every child process. Standard library only.

It spawns, pumps, keeps deadlines, signals, reaps, and remembers each exit until the server has committed
it. It decides nothing about when or whether a run starts. It outlives the server; see `rota.keeper.main`
for how it begins, `rota.keeper.upgrade` for how it changes its program without losing a run.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import time
from collections import deque

from rota.keeper import asked
from rota.keeper.cgroup import Cgroups, base
from rota.keeper.check import Check
from rota.keeper.child import START_FAILED, STOPPED, Child
from rota.keeper.ends import Ends
from rota.keeper.journal import Journal
from rota.keeper.locality import Mounts
from rota.keeper.loop import READ, Loop
from rota.keeper.notices import Notices
from rota.keeper.protocol import OLDEST, PROTOCOL, encode
from rota.keeper.reaper import Reaper
from rota.keeper.servers import Servers, notified, started
from rota.keeper.spawn import Manner, Spawner, SpawnFailed, failure
from rota.keeper.streams import Streams
from rota.keeper.terminal import TERM
from rota.logs.room import Room

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any

    from rota.keeper.child import Moment
    from rota.keeper.connection import Connection
    from rota.keeper.pump import Pump

#: Without runs and without a server for so many seconds it leaves.
IDLE = 60.0

#: Descriptors of one run: three pipes (for a moment both ends), three files of its log, a spare.
_PER_RUN = 8
_FAREWELL = 2.0  # seconds
_OWN = 32  # sockets, the lock, and some room

#: Spawns of one turn, or ends that are noticed: few of these in a turn that spawns, so a burst is on time.
_AT_ONCE, _FEW = 256, 16
#: Spawns after which the time of what has ended is taken, so that it is true though its notice waits.
_UNSEEN = 16
_ALL = 1 << 30

#: Errors that pass: the run stays pending.
_NOT_NOW = (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT)


class Keeper:
    """Owns every run's processes, and every wait for them."""

    def __init__(
        self,
        *,
        data: str,
        version: str,
        keeper_id: str,
        boot_id: str,
        listener: socket.socket,
        descriptors: int,
        log: Callable[[str], None],
        idle: float = IDLE,
    ) -> None:
        self.data = data
        self.version = version
        self.keeper_id = keeper_id
        self.boot_id = boot_id
        self.log = log
        self.loop = Loop(log)
        self.servers = Servers(self.loop, listener, heard=self.hear, introduce=self._introduce)
        self.journal = Journal(data)
        self.room = Room(data)
        self.spawner = Spawner(Mounts(), descriptors)
        self.cgroups = Cgroups(data, base())
        self.children: dict[str, Child] = {}  #: by run
        self.reaper = Reaper(self.children, main_ended=self._main_ended, log=log)
        self.ends = Ends(self.children, self.journal, tell_line=self.servers.tell_line, log=log)
        self.discarding: list[Pump] = []  #: pipes of processes that were left alone
        self.upgrade: Callable[[Keeper, list[str]], None] | None = None
        self.leaving = False
        self._asked: deque[dict[str, Any]] = deque()  # spawns that were not come to yet
        self._begun: list[Child] = []  # of which the server was not told yet
        self._unnoticed = False  # some process may have ended
        self._works = False  # there is work for the end of this turn
        self._idle = idle
        self._busy_until = time.monotonic()
        self._most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]

    def run(self) -> None:
        """Serve until told to leave, or idle."""
        self.servers.listen()
        self.loop.on_signal(signal.SIGCHLD, self._some_ended)
        self.loop.on_signal(signal.SIGTERM, self.leave)
        self.loop.on_signal(signal.SIGINT, self.leave)
        self._some_ended()
        self._check_idle()
        self.loop.run()

    # --- servers

    def hear(self, connection: Connection, message: dict[str, Any]) -> None:
        """One message from a server."""
        match message.get("op"):
            case "spawn":
                self._asked.append(message)
                self._work_soon()
            case "ack":
                self.ends.acknowledge(message["runs"])
                self._check_left()
            case "stop":
                self._spawn_some(_ALL)
                self._stop(message)
            case "input" | "resize" | "look" | "signal":
                self._spawn_some(_ALL)
                connection.send(asked.answer(self.children.get(message["run"]), message, self.log))
            case "check":
                self._spawn_some(_ALL)
                self._check(connection, message)
            case "room":
                self.room.leave_free(message["min_free_space"])
            case "hello":
                self._hello(connection, message)
            case "upgrade":
                # At the end of the turn: messages that came with this one are heard before.
                self.loop.soon(lambda: self._upgrade(connection, message))
            case "shutdown":
                self._spawn_some(_ALL)
                self.leave()

    def _hello(self, connection: Connection, message: dict[str, Any]) -> None:
        if message.get("protocol", 0) < OLDEST:
            connection.send(
                {"event": "failed", "op": "hello", "message": f"this keeper speaks protocol {PROTOCOL}"}
            )
            return
        self.servers.greet(connection)

    def _introduce(self, connection: Connection) -> None:
        self._spawn_some(_ALL)
        connection.send({
            "event": "hello", "protocol": PROTOCOL, "version": self.version, "keeper": self.keeper_id,
            "boot": self.boot_id, "pid": os.getpid(),
        })  # fmt: skip
        for child in self.children.values():
            connection.send(started(child))
            if child.notices is not None:
                connection.send(notified(child))
        for end in self.ends.kept.values():
            connection.send(end)
        connection.send({"event": "listed"})
        known = f"{len(self.children)} runs and {len(self.ends.kept)} ends"
        self.log(f"a server said hello; it was told of {known}")

    def _tell_start(self, child: Child) -> None:
        """Tell that it lives, at the end of the turn; of one that is over by then its end says all."""
        if not self._begun:
            self.loop.soon(self._tell_starts)
        self._begun.append(child)

    def _tell_starts(self) -> None:
        begun, self._begun = self._begun, []
        for child in begun:
            if child.run_id in self.children:
                self.servers.tell(started(child))

    # --- runs

    def _some_ended(self) -> None:
        self._unnoticed = True
        self._work_soon()

    def _work_soon(self) -> None:
        if not self._works:
            self._works = True
            self.loop.soon(self._work)

    def _work(self) -> None:
        self._works = False
        ends = _FEW if self._asked else _AT_ONCE
        self._spawn_some()
        self._unnoticed = self._unnoticed and self.reaper.reap(ends)
        if self._asked or self._unnoticed:
            self._work_soon()

    def _spawn_some(self, most: int = _AT_ONCE) -> None:
        for count in range(1, min(most, len(self._asked)) + 1):
            message = self._asked.popleft()
            try:
                self._spawn(message)
            except Exception as error:  # noqa: BLE001 - unanswered, the run would stay pending for ever
                self.log(f"a defect: run {message['run']} could not be spawned: {_about(error)}")
                if message["run"] not in self.children:  # else it lives, and will end
                    self.ends.note_unstarted(message, START_FAILED, f"a defect of Rota: {_about(error)}")
            if count % _UNSEEN == 0:
                self.reaper.see()

    def _spawn(self, message: dict[str, Any]) -> None:
        run_id = message["run"]
        if run_id in self.children or run_id in self.ends.kept:
            return  # it was handed over before: a run starts once
        if self.leaving:
            self._not_now(message, "the keeper is shutting down")
            return
        if (len(self.children) + 1) * _PER_RUN + len(self.discarding) + _OWN > self._most:
            self._not_now(message, f"the limit of {self._most} open files is reached")
            return
        if run_id in self.journal.older:
            self.ends.tell_older(message)
            return
        about = {name: message[name] for name in ("run", "attempt", "stop_signal", "grace")}
        if message.get("limits"):
            about["cgroup"] = self.cgroups.leaf(run_id)  # where to look for what is left of it
        try:
            self.journal.add(run_id, encode(about))
        except OSError as error:
            self.journal.forget([run_id])
            self._not_now(message, f"cannot write the keeper's journal: {error.strerror}")
            return
        child = Child(self.loop, self.data, message, self)
        try:
            self._begin(child, message)
        except (SpawnFailed, OSError) as error:
            if isinstance(error, OSError) and error.errno in _NOT_NOW:
                self.journal.forget([run_id])
                self._not_now(message, error.strerror or str(error))
                return
            child.failed(getattr(error, "strerror", None) or str(error))
            self.ends.note(child, None)

    def _begin(self, child: Child, message: dict[str, Any]) -> None:
        streams, manner, env = Streams(message), Manner.of(message), message["env"]
        if manner is not None and manner.terminal:
            env.setdefault("TERM", TERM)
        if manner is not None and manner.limits:
            child.group, child.held = self.cgroups.make(child.run_id, manner.limits, manner.uid)
            manner.take(child.group, child.held)
        try:
            child.notices = Notices.of(
                self.loop, self.data, message, lambda: self.servers.tell(notified(child))
            )
            if child.notices is not None:
                env["NOTIFY_SOCKET"] = child.notices.address
            at, moment = time.time_ns() // 1000, time.monotonic()
            pid, told = self.spawner.spawn(
                message["argv"], env, message["cwd"], streams.out, streams.err, streams.stdin, manner
            )
        except (OSError, SpawnFailed):
            streams.close_ours()
            child.close_notices()
            if child.group is not None:
                self.cgroups.remove(child.group)
            raise
        finally:
            streams.close_theirs()
        self.children[child.run_id] = self.reaper.leaders[pid] = child
        child.begun(pid, at, moment, streams)
        if told is None:
            self._tell_start(child)
        else:
            child.told_fd = told
            child.program, child.folder = message["argv"][0], message["cwd"]
            self.watch_told(child)

    def take_notices(self, child: Child, state: dict[str, Any] | None) -> None:
        """Go on hearing what a run says of itself, after a re-execution."""
        if state is not None:
            child.notices = Notices.restored(self.loop, state, lambda: self.servers.tell(notified(child)))

    def watch_told(self, child: Child) -> None:
        """Wait for the word of a trampoline."""
        self.loop.watch(child.told_fd, READ, lambda: self._hear_told(child))

    def _hear_told(self, child: Child) -> None:
        if child.told_fd < 0:
            return
        try:
            told = os.read(child.told_fd, 2)
        except BlockingIOError:
            return
        self.loop.forget(child.told_fd)
        os.close(child.told_fd)
        child.told_fd = -1
        if told:
            child.failed(failure(told, child.program, child.folder))
        else:
            self._tell_start(child)

    def _not_now(self, message: dict[str, Any], why: str) -> None:
        self.log(f"run {message['run']} is not spawned now: {why}")
        self.servers.tell(
            {"event": "not_now", "run": message["run"], "attempt": message["attempt"], "message": why}
        )

    def _stop(self, message: dict[str, Any]) -> None:
        child = self.children.get(message["run"])
        if child is not None:
            child.stop(STOPPED, f"stopped by {message.get('by') or 'somebody'}")

    def _check(self, connection: Connection, message: dict[str, Any]) -> None:
        child = self.children.get(message["run"])
        if child is None or child.exit is not None:
            connection.send(asked.refusal(message, asked.ENDED))
            return
        check = Check(self.loop, child, message, connection.send)
        try:
            check.begin(self.spawner)
        except SpawnFailed as error:
            check.tell(event="checked", exit_code=None, signal=None, late=False, said=str(error))
        except OSError as error:
            self.log(f"run {child.run_id} could not be checked: {error.strerror}")
            connection.send(asked.refusal(message, "not_now"))
        else:
            self.reaper.checks[check.pid] = check

    # --- ends

    def _main_ended(self, child: Child, exit_code: int | None, number: int | None, at: Moment) -> None:
        self._hear_told(child)
        for check in self.reaper.checks.values():
            if check.child is child:
                check.end()
        child.main_ended(exit_code, number, at)

    def adopt(self) -> None:
        """Find out whose the processes are that have become the keeper's own children."""
        self.reaper.adopt()

    def over(self, child: Child) -> None:
        """Nothing of this run is waited for any more: reap its main process and write its end."""
        cpu_time, max_rss = self.reaper.reap_leader(child)
        del self.children[child.run_id]
        self.discarding = [pump for pump in (*self.discarding, *child.pumps) if pump.fd >= 0]
        child.cpu_time += cpu_time
        if child.group is not None:
            self.cgroups.remove(child.group)
        self.ends.note(child, max_rss)
        self._check_left()

    # --- leaving

    def leave(self) -> None:
        """End every run, write the ends, and go."""
        if self.leaving:
            return
        self.leaving = True
        self.log(f"leaving: ending {len(self.children)} runs")
        for child in list(self.children.values()):
            child.stop(STOPPED, "stopped by the keeper's shutdown")
        self._check_left()

    def _check_left(self) -> None:
        if not self.leaving or self.children:
            return
        if self.ends.kept and self.servers.anybody_listens:
            # The ends are on file; a server that listens gets a moment to commit and acknowledge them.
            self.loop.after(_FAREWELL, self.loop.stop)
        else:
            self.loop.soon(self.loop.stop)

    def _check_idle(self) -> None:
        self.servers.forget_closed()
        now = time.monotonic()
        if self.children or self.servers.connections:
            self._busy_until = now
        if now - self._busy_until >= self._idle:
            self.log("leaving: no runs and no server")
            self.leaving = True
            self.loop.stop()
        self.cgroups.tidy()
        self.loop.after(self._idle / 10, self._check_idle)

    def _upgrade(self, connection: Connection, message: dict[str, Any]) -> None:
        self._spawn_some(_ALL)
        if self.upgrade is None or self.leaving:
            connection.send({"event": "failed", "op": "upgrade", "message": "the keeper is shutting down"})
            return
        for check in self.reaper.checks.values():
            check.tell(**asked.refusal(message, "not_now"))
        try:
            self.upgrade(self, message["argv"])
        except OSError as error:  # only if the new program could not be started: then all is as before
            connection.send({"event": "failed", "op": "upgrade", "message": str(error)})


def _about(error: Exception) -> str:
    # Not its repr, which may hold what it choked on: a whole environment, for one.
    return f"{type(error).__name__}: {error}"
