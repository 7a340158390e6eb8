"""What a dead keeper left alive: found, ended, and only then are those runs lost. Standard library only.

A process is a survivor when it, or its session, names a run of which this data folder's journal has no end,
or when it is in the control group of such a run; and so is everything below it, whatever that made of its
environment and its session. So nobody else's processes are touched, nor those that a task was told to leave
alone. What was found is written into the journal, from which the server tells it of the run.
"""

from __future__ import annotations

import os
import signal
import time

from rota.keeper import cgroup, journal, tree
from rota.keeper.protocol import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    #: The runs that have no end on file, as the journal has them.
    Open = dict[str, dict[str, Any]]
    #: Whose each survivor is.
    Found = dict[tree.Process, str]

_LOOK = 0.02  # seconds between looks at processes that are told to go
_KILLED = 5.0  # seconds that a killed process may take to vanish before it is given up (a dead disk holds it)


def end(data: str, log: Callable[[str], None]) -> int:
    """End every survivor, by the stop signal and after the grace of its run; how many, when they are gone."""
    if not tree.HAS_PROC:
        return 0
    open_runs: Open = {
        run_id: about
        for run_id, about in journal.read(data).items()
        if "stop_signal" in about and about.get("event") != "ended"
    }
    every = found = _find(open_runs, {})
    names = {process: _name(process) for process in found}
    if found:
        log(f"ending {len(found)} processes that an earlier keeper left: {sorted(pid for pid, _ in found)}")
    begun = time.monotonic()
    told: set[tuple[tree.Process, int]] = set()
    while found:
        waited = time.monotonic() - begun
        for about in (open_runs[run_id] for run_id in set(found.values())):
            if waited >= about["grace"] and about.get("cgroup") is not None:
                cgroup.kill(about["cgroup"])
        for process, run_id in found.items():
            about = open_runs[run_id]
            number = about["stop_signal"] if waited < about["grace"] else signal.SIGKILL
            if (process, number) not in told:
                told.add((process, number))
                tree.send(process, number)
                tree.send(process, signal.SIGCONT)
        if waited > max(open_runs[run_id]["grace"] for run_id in found.values()) + _KILLED:
            log(f"gave up on {sorted(pid for pid, _ in found)}: they do not die")
            break
        time.sleep(_LOOK)
        found = _find(open_runs, found)
        names.update({process: _name(process) for process in found if process not in names})
        every = {**every, **found}
    if every:
        _note(data, open_runs, every, names, found, log)
    return len(every)


def what_was_left(found: Iterable[str], alive: Iterable[str]) -> str:
    """What an end of survivors was like for a run, in words."""
    alive = list(alive)
    ended = [name for name in found if name not in alive]
    said = []
    if ended:
        said.append(f"what was left of it was ended: {', '.join(ended)}")
    if alive:
        said.append(f"this could not be ended, and still lives: {', '.join(alive)}")
    return "; ".join(said) or "nothing was left of it"


def _find(open_runs: Open, before: Found) -> Found:
    """Every survivor; those of `before` stay some for as long as they live, though their parents may go."""
    sessions: dict[int, str] = {}
    facts: dict[int, tuple[int, int]] = {}
    owner: dict[int, str] = {
        pid: run_id
        for run_id, about in open_runs.items()
        if about.get("cgroup") is not None
        for pid in cgroup.processes(about["cgroup"])
    }
    for pid in tree.processes():
        seen = tree.stat(pid)
        if seen is None or seen[1] in "ZX" or pid == os.getpid():
            continue
        facts[pid] = (seen[2], seen[3])
        run_id = tree.run_of(pid)
        if run_id in open_runs:
            owner[pid] = run_id
            sessions[seen[2]] = run_id
    found: Found = {}
    for pid, (session, start) in facts.items():
        whose = owner.get(pid) or sessions.get(session) or before.get((pid, start))
        if whose is not None:
            found[pid, start] = whose
    for whose in set(found.values()):
        for pid in tree.descendants([pid for (pid, _), run_id in found.items() if run_id == whose]):
            if pid in facts:
                found.setdefault((pid, facts[pid][1]), whose)
    return found


def _note(
    data: str,
    open_runs: Open,
    every: Found,
    names: dict[tree.Process, str],
    alive: Found,
    log: Callable[[str], None],
) -> None:
    """Write down what was found of each run: the server tells it of those that are to be lost."""
    book = journal.Journal(data)
    for run_id in sorted(set(every.values())):
        left = [names[process] for process, whose in every.items() if whose == run_id]
        still = [names[process] for process, whose in alive.items() if whose == run_id]
        line = {"run": run_id, "left": [*open_runs[run_id].get("left", ()), *left], "alive": still}
        try:
            book.add(run_id, encode(line))
        except OSError as error:
            log(f"what was left of run {run_id} cannot be written down: {error.strerror}")
    book.close()


def _name(process: tree.Process) -> str:
    facts = tree.stat(process[0])
    return f"{facts[0] if facts is not None else 'a process'} ({process[0]})"
