"""The one reaper: every wait for a process is here, and whose each process is. Standard library only."""

from __future__ import annotations

import os
import resource
import time

from rota.keeper import cgroup, tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rota.keeper.check import Check
    from rota.keeper.child import Child, Moment


class Reaper:
    """Takes notice of ends, and reaps: a run's main process last, everything else at once."""

    def __init__(
        self,
        children: Mapping[str, Child],
        *,
        main_ended: Callable[[Child, int | None, int | None, Moment], None],
        log: Callable[[str], None],
    ) -> None:
        self._children = children  # the open runs, by id: the keeper's own
        self._main_ended = main_ended
        self._log = log
        self._own = tree.OwnChildren()
        self.leaders: dict[int, Child] = {}  #: by pid of the main process, until it is reaped
        self.checks: dict[int, Check] = {}  #: by their pids, until they are reaped
        self.strays: dict[int, int] = {}  #: pid → start time of adopted processes that belong to no open run
        self._seen: dict[
            int, Moment
        ] = {}  # when main processes were seen to have ended, until that is noticed

    def reap(self, most: int) -> bool:
        """Take notice of processes that have ended, of so many; whether there may be more."""
        for left in range(most, 0, -1):
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return False
            if found is None:
                return False
            leader = self.leaders.get(found.si_pid)
            if leader is None:
                self._reap_adopted(found.si_pid)
            elif leader.exit is None:
                self._notice(leader, found)
            else:
                return self._reap_behind(left)
        return True

    def _reap_behind(self, most: int) -> bool:
        """The same where a main process is held unreaped and hides the others: each is asked by its pid."""
        for pid in self._own.pids():
            leader = self.leaders.get(pid)
            if leader is None:
                most -= self._reap_adopted(pid)
            elif leader.exit is None and (found := how_ended(pid)) is not None:
                self._notice(leader, found)
                most -= 1
            if most <= 0:
                return True
        return False

    def see(self) -> None:
        """Take the time of every end of a main process, for when there is time to take notice of it."""
        for pid in self._own.pids():
            leader = self.leaders.get(pid)
            if leader is not None and leader.exit is None and pid not in self._seen and how_ended(pid):
                self._seen[pid] = now()

    def reap_leader(self, child: Child) -> tuple[float, int | None]:
        """Reap the main process of a run that is over: its processor time, and its peak memory if known."""
        _, _, usage = os.wait4(child.pid, 0)
        del self.leaders[child.pid]
        self.strays.update(child.adopted)
        return usage.ru_utime + usage.ru_stime, _peak(usage)

    def adopt(self) -> None:
        """Find out whose the processes are that have become the keeper's own children."""
        if not tree.HAS_PROC:
            return
        for pid in self._orphans():
            facts = tree.stat(pid)
            if facts is None:
                continue
            name, state, session, start = facts
            # Taken for a stray while it loads its program, it would outlive the run that it belongs to.
            named = tree.run_of(pid, looks=1 if state in "ZX" or session in self.leaders else 20)
            owner = self._children.get(named or "") or self.leaders.get(session) or self._keeping(pid)
            if owner is not None:
                owner.adopted[pid] = start
            elif state not in "ZX":
                self.strays[pid] = start
                self._log(f"process {pid} ({name}) belongs to no run that is open; it is left alone")

    def _orphans(self) -> list[int]:
        """Its children of which it is not known yet whose they are: when many runs are stopped at once, this
        is asked for each of them, while most of their processes are its children already.
        """
        pids = [
            pid
            for pid in self._own.pids()
            if pid not in self.leaders and pid not in self.checks and pid not in self.strays
        ]
        if not pids:
            return []
        adopted = {pid for child in self._children.values() for pid in child.adopted}
        return [pid for pid in pids if pid not in adopted]

    def _keeping(self, pid: int) -> Child | None:
        """The run in whose control group a process is: it cannot leave that as it can its session."""
        if not any(child.group is not None for child in self._children.values()):
            return None
        return next((child for name in cgroup.of(pid) if (child := self._children.get(name))), None)

    def _adopter(self, pid: int) -> Child | None:
        return next((child for child in self._children.values() if pid in child.adopted), None)

    def _notice(self, leader: Child, found: os.waitid_result) -> None:
        at = self._seen.pop(leader.pid, None) or now()
        if found.si_code == os.CLD_EXITED:
            self._main_ended(leader, found.si_status, None, at)
        else:
            self._main_ended(leader, None, found.si_status, at)

    def _reap_adopted(self, pid: int) -> bool:
        gone, status, usage = os.wait4(pid, os.WNOHANG)
        if not gone:
            return False
        self.strays.pop(pid, None)
        check = self.checks.pop(pid, None)
        if check is not None:
            self.adopt()  # what it has left behind belongs to its run
            check.ended(status)
            return True
        child = self._adopter(pid)
        if child is not None:
            del child.adopted[pid]
            child.cpu_time += usage.ru_utime + usage.ru_stime
            self.adopt()  # its own children are the keeper's now
            child.settle()
        return True


def now() -> Moment:
    """By the wall clock, in microseconds, and by the monotonic one, in seconds."""
    return time.time_ns() // 1000, time.monotonic()


def how_ended(pid: int) -> os.waitid_result | None:
    """How a child has ended, which stays unreaped; None while it lives."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)


#: What the kernel counts memory in.
_UNIT = 1024 if os.uname().sysname == "Linux" else 1


def _peak(usage: resource.struct_rusage) -> int | None:
    """The peak memory of the largest process of a run, in bytes, where the kernel tells it truly.

    A spawned process begins in the keeper's memory, and the kernel counts that as its own peak: what is not
    above the keeper's peak says nothing about the program.
    """
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage.ru_maxrss * _UNIT if usage.ru_maxrss > own else None
