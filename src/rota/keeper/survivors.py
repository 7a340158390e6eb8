"""What a dead keeper left alive: found, ended, and only then are those runs lost. Standard library only.

A process is a survivor when it, or its session, names a run of which this data folder's journal has no end,
and so is everything below it, whatever that made of its environment and its session. So nobody else's
processes are touched, nor those that a task was told to leave alone.
"""

from __future__ import annotations

import os
import signal
import time

from rota.keeper import journal, tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    #: How the processes of a run are ended: the stop signal, and seconds until SIGKILL.
    Ladder = tuple[int, float]

_LOOK = 0.02  # seconds between looks at processes that are told to go
_KILLED = 5.0  # seconds that a killed process may take to vanish before it is given up (a dead disk holds it)


def end(data: str, log: Callable[[str], None]) -> int:
    """End every survivor, by the stop signal and after the grace of its run; how many, when they are gone."""
    if not tree.HAS_PROC:
        return 0
    open_runs = {
        run_id: about
        for run_id, about in journal.read(data).items()
        if "stop_signal" in about and about.get("event") != "ended"
    }
    found = _find(open_runs, {})
    if not found:
        return 0
    count = len(found)
    log(f"ending {len(found)} processes that an earlier keeper left: {sorted(pid for pid, _ in found)}")
    begun = time.monotonic()
    told: set[tuple[tree.Process, int]] = set()
    while found:
        waited = time.monotonic() - begun
        for process, (stop_signal, grace) in found.items():
            number = stop_signal if waited < grace else signal.SIGKILL
            if (process, number) not in told:
                told.add((process, number))
                tree.send(process, number)
                tree.send(process, signal.SIGCONT)
        if waited > max(grace for _, grace in found.values()) + _KILLED:
            log(f"gave up on {sorted(pid for pid, _ in found)}: they do not die")
            return count
        time.sleep(_LOOK)
        found = _find(open_runs, found)
    return count


def _find(
    open_runs: dict[str, dict[str, object]], before: dict[tree.Process, Ladder]
) -> dict[tree.Process, Ladder]:
    """Every survivor; those of `before` stay some for as long as they live, though their parents may go."""
    sessions: dict[int, str] = {}
    facts: dict[int, tuple[int, int]] = {}
    owner: dict[int, str] = {}
    for pid in tree.processes():
        seen = tree.stat(pid)
        if seen is None or seen[1] in "ZX" or pid == os.getpid():
            continue
        facts[pid] = (seen[2], seen[3])
        run_id = tree.run_of(pid)
        if run_id in open_runs:
            owner[pid] = run_id
            sessions[seen[2]] = run_id
    found: dict[tree.Process, Ladder] = {}
    for pid, (session, start) in facts.items():
        about = open_runs.get(owner.get(pid) or sessions.get(session, ""))
        if about is not None:
            found[pid, start] = (int(str(about["stop_signal"])), float(str(about["grace"])))
        elif (pid, start) in before:
            found[pid, start] = before[pid, start]
    for ladder in set(found.values()):
        for pid in tree.descendants([pid for (pid, _), its in found.items() if its == ladder]):
            if pid in facts:
                found.setdefault((pid, facts[pid][1]), ladder)
    return found
