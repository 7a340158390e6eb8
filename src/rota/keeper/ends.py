"""The ends that the server has not committed yet: on file, told, and kept. Standard library only."""

from __future__ import annotations

import time

from rota.keeper.child import LOST, START_FAILED
from rota.keeper.protocol import encode
from rota.keeper.survivors import what_was_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from rota.keeper.child import Child
    from rota.keeper.journal import Journal


class Ends:
    """How each run ended that the server may not know of."""

    def __init__(
        self,
        children: Mapping[str, Child],
        journal: Journal,
        *,
        tell_line: Callable[[bytes], None],
        log: Callable[[str], None],
    ) -> None:
        self._children = children  # the open runs, by id: the keeper's own
        self._journal = journal
        self._tell_line = tell_line
        self._log = log
        self.kept: dict[str, dict[str, Any]] = {}  #: by run

    def note(self, child: Child, max_rss: int | None) -> None:
        """Nothing of this run is left: write down how it ended, and tell it."""
        child.log.end(time.time_ns() // 1000)
        child.log.close()
        failed = child.cause == START_FAILED
        code, number = child.exit if child.exit is not None and not failed else (None, None)
        end = {
            "event": "ended", "run": child.run_id, "attempt": child.attempt, "end_at": child.end_at,
            "cause": child.cause, "exit_code": code, "signal": number, "message": child.message,
            "pid": None if failed else child.pid,
            "start_at": None if failed else child.start_at,
            "duration": None if failed else child.duration,
            "cpu_time": None if failed else child.cpu_time,
            "max_rss": None if failed else max_rss,
            "leftovers": child.leftovers, "log_size": child.log.size,
            "limits": None if failed else child.limited,
        }  # fmt: skip
        line = encode(end)
        child.note(line)
        self.kept[child.run_id] = end
        self._tell_line(line)

    def note_unstarted(self, message: dict[str, Any], cause: str, why: str) -> None:
        """The run of this `spawn` is over, and never had a process of this keeper."""
        nothing = ("pid", "start_at", "duration", "cpu_time", "max_rss", "exit_code", "signal", "limits")
        end: dict[str, Any] = dict.fromkeys(nothing)
        end.update(event="ended", run=message["run"], attempt=message["attempt"], cause=cause, message=why)
        end.update(end_at=time.time_ns() // 1000, leftovers=[], log_size=0)
        self.kept[message["run"]] = end
        self._tell_line(encode(end))

    def tell_older(self, message: dict[str, Any]) -> None:
        """The run of this `spawn` was an earlier keeper's: tell what the journal knows of its end."""
        run_id = message["run"]
        self._log(f"run {run_id} was an earlier keeper's and is not spawned again")
        on_file = self._journal.older[run_id]
        if on_file.get("event") == "ended":
            self.kept[run_id] = on_file
            self._tell_line(encode(on_file))
        else:
            left = what_was_left(on_file.get("left", ()), on_file.get("alive", ()))
            why = f"its keeper died, and nothing that lives can say how it ended; {left}"
            self.note_unstarted(message, LOST, why)

    def acknowledge(self, run_ids: Iterable[str]) -> None:
        """The server has committed these."""
        known = [run_id for run_id in run_ids if run_id not in self._children]
        for run_id in known:
            self.kept.pop(run_id, None)
        self._journal.forget(known)
