"""Turns: of the runs that are written down and wait, who goes on, and who has to make way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from rota.engine.admission import Fate, refusal
from rota.engine.clock import GLANCE
from rota.engine.lateness import Timing, look_at, timing_of
from rota.model.event import EventKind
from rota.model.run import Ending, EndReason, Kind, Status, TriggeredBy, WaitingFor, WaitKind
from rota.model.task import Overlap

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from rota.engine.clock import Clock
    from rota.engine.handing import Handing
    from rota.engine.later import Later
    from rota.engine.ledger import Entry, Ledger
    from rota.engine.pauses import Pauses
    from rota.engine.slots import Slots
    from rota.events.bus import Bus
    from rota.model.pause import Scope
    from rota.model.run import Run, RunId
    from rota.model.task import Task

UNDEFINED = "a configuration without its definition"
"""Who stops what waits then."""

HOLDERS_NAMED = 100
"""Of those who have the slots that a run waits for, so many are named: a thousand may wait for a thousand."""


class Turns:
    """Every pending run that no keeper has: not due yet, held by a pause, in the queue, or about to start."""

    def __init__(
        self,
        *,
        rules: Mapping[str, Task],
        defines: Callable[[Run], bool],
        bus: Bus,
        clock: Clock,
        ledger: Ledger,
        slots: Slots,
        handing: Handing,
        later: Later,
        pauses: Pauses,
    ) -> None:
        """`rules` are those of each task, and of all jobs; `defines`: whether what it is of is there."""
        self._rules = rules
        self._defines = defines
        self._bus = bus
        self._clock = clock
        self._ledger = ledger
        self._slots = slots
        self._handing = handing
        self._later = later
        self._pauses = pauses

    def take_up(self, open_runs: Iterable[Run]) -> None:
        """The runs that an earlier server left open: those that were handed over have their slots."""
        for run in sorted(open_runs, key=_wanted_at):
            self._ledger.enter(run)
            if run.hand_over is not None:
                self._slots.hold(run.defined_by, run.id)
                continue
            if run.due is not None and self._clock.now() < run.due:
                self._later.hold_back(run.defined_by, run.id)
            else:
                self._wait(run)
            self.watch(run)

    def enter(self, run: Run) -> None:
        """A new run is written down, its place kept: tell, and go on."""
        entry = self._ledger.enter(run)
        shown = run if run.hand_over is not None else replace(run, waiting_for=self.waiting_for(run))
        self._bus.emit(EventKind.RUN_CREATED, run.created_at, shown)
        if run.hand_over is not None:
            self._handing.send(run)
        elif not self._defines(run):  # its task went while it was being written
            self._withdraw(entry)
            return
        elif self._slots.holds(run.defined_by, run.id) and not self._put_back(run):
            self._handing.add(run.id)  # its turn came at once, or while it was written
        if run.hand_over is None:
            self.watch(run)
        self._displace_retries(run)
        self._make_room(run.defined_by)

    def came(self, run: Run) -> None:
        """A pending run was written down with the end of another, from which it follows."""
        entry = self._ledger.enter(run)
        if run.due is not None and self._clock.now() < run.due:
            self._later.hold_back(run.defined_by, run.id)
        else:
            self._admit(entry)
        self._bus.emit(EventKind.RUN_CREATED, run.created_at, replace(run, waiting_for=self.waiting_for(run)))
        self.watch(run)

    def go_on(self) -> None:
        """Once the keeper's list is reconciled: start who has his turn, end who waits in vain."""
        for entry in self._ledger:
            self.look(entry.known.id)
        self._withdraw_undefined()
        for name in self._slots.names():
            self._turn(self._slots.promote(name))
            self._make_room(name)

    def hold(self, scope: Scope) -> None:
        """This is paused from now on: what waits for a slot gets none, and what waits for a keeper gives its
        slot back.
        """
        self._hold(self._pauses.within(scope, self._slots.names()))

    def let_go(self, scope: Scope) -> None:
        """This is not paused any more: what no other pause holds waits for a slot again."""
        names = self._pauses.within(scope, self._slots.names())
        for name in names:
            kept = [run_id for run_id in self._slots.kept(name) if not self._is_held(name, run_id)]
            self._slots.resume(name, kept)
        for name in names:
            self._turn(self._slots.promote(name))
            self._make_room(name)

    def go_by_new_rules(self) -> None:
        """The rules are others from now on: end what waits and has none any more, look anew at the rest.

        The slots go by the new limits already.
        """
        self._withdraw_undefined()
        for entry in self._ledger:
            if _waits(entry):
                self.watch(entry.known)
        self._hold(self._slots.names())
        for name in self._slots.names():  # a task of another group may be held by another pause, or by none
            kept = [run_id for run_id in self._slots.kept(name) if not self._is_held(name, run_id)]
            self._slots.resume(name, kept)
        for name in self._slots.names():
            self._turn(self._slots.promote(name))
            self._make_room(name)

    def undefined(self, tasks: Collection[str]) -> list[Run]:
        """The runs of tasks that wait for their start, and end when these tasks are all that there are."""
        return [
            entry.stored
            for entry in self._ledger
            if _waits(entry) and entry.known.kind is Kind.TASK and entry.known.defined_by not in tasks
        ]

    def taken_back(self, run: Run) -> None:
        """No keeper has it any more, and the store says so."""
        entry = self._ledger.find(run.id)
        if entry is not None and not self._defines(run):
            self._withdraw(entry)
            return
        if entry is not None:
            self._leave_off(entry)
        self.watch(run)

    def watch(self, run: Run) -> None:
        """Look at this pending run again when it is due, and when it is too late for it."""
        moment = look_at(run, self._rules.get(run.defined_by), self._clock.now())
        if moment is not None:
            self._later.look_at(run.id, moment)

    def look(self, run_id: RunId) -> None:
        """Admit a run that has become due; end one that has not started in its time."""
        entry = self._ledger.find(run_id)
        if entry is None or entry.known.status is not Status.PENDING or entry.known.hand_over is not None:
            return
        run, now = entry.known, self._clock.now()
        if entry.writing:  # it is just being handed over, or cancelled; that may yet fail
            self._later.look_at(run_id, now + timedelta(seconds=GLANCE))
            return
        task = self._rules.get(run.defined_by)
        timing = timing_of(run, task, now)
        if timing is Timing.LATE and task is not None:
            self._later.let_go(run_id)
            self._turn(self._slots.free(run.defined_by, run_id))
            self._turn_away(entry, Fate.LATE, task)
        elif timing is Timing.DUE and self._later.let_go(run_id):
            self._admit(entry)
            self.watch(run)

    def early(self, task_name: str | None = None) -> list[Run]:
        """The runs, of one task or of all and of jobs, that are not due yet."""
        entries = [self._ledger.find(run_id) for run_id in self._later.held(task_name)]
        return [entry.stored for entry in entries if entry is not None]

    def waiting_for(self, run: Run) -> WaitingFor | None:
        """What keeps a run from its start that is pending and was not handed over."""
        name = run.defined_by
        if run.id in self._later:
            return WaitingFor(kind=WaitKind.TIME)
        if self._slots.waits(name, run.id):
            gate = self._slots.lacking(name)
            return WaitingFor(
                kind=gate.kind, name=gate.name, run_ids=tuple(islice(gate.holders, HOLDERS_NAMED))
            )
        if self._slots.keeps(name, run.id):
            pause = self._pauses.holding_run(run)
            return WaitingFor(kind=WaitKind.PAUSE, name=None if pause is None else pause.scope.name)
        return WaitingFor(kind=WaitKind.KEEPER) if self._slots.holds(name, run.id) else None

    def free(self, run: Run) -> None:
        """The run has its place no more; whose turn it is now goes on."""
        self._later.let_go(run.id)
        self._turn(self._slots.free(run.defined_by, run.id))

    def _admit(self, entry: Entry) -> None:
        """A run that was written down before it was due.

        A job joins the queue, however long that is; a retry goes before the others in it.
        """
        run = entry.known
        task = self._rules.get(run.defined_by)
        if task is None:
            self._withdraw(entry)
        elif (refusal := self._held_in_vain(run, task)) is not None:
            self._ledger.ended(entry, EndReason.QUEUE_FULL, Ending(end_at=self._clock.now(), message=refusal))
        elif run.job is not None or run.retry_attempt or self._pauses.holding_run(run) is not None:
            self._wait(run)
            self._turn(self._slots.promote(run.defined_by))
        else:
            fate = self._slots.take(task, run.id)
            if fate is Fate.START:
                self._handing.add(run.id)
            self._turn_away(entry, fate, task)
            self._displace_retries(run)
            self._make_room(run.defined_by)

    def _held_in_vain(self, run: Run, task: Task) -> str | None:
        """Of what comes after other tasks a pause holds as many runs as may wait, or one where none may."""
        pause = self._pauses.holding_run(run) if run.triggered_by is TriggeredBy.UPSTREAM else None
        if pause is None:
            return None
        most = max(1, task.max_queued if task.on_overlap is Overlap.QUEUE else 1)
        held = sum(1 for _ in self._slots.kept(task.name))
        return f"{pause.told}, and as many were held as may ({most})" if held >= most else None

    def _turn_away(self, entry: Entry, fate: Fate, task: Task) -> None:
        if (refused := refusal(fate, task, entry.known)) is not None:
            reason, message = refused
            pause = self._pauses.holding_run(entry.known) if fate is Fate.LATE else None
            message += f": {pause.told}" if pause is not None else ""
            self._ledger.ended(entry, reason, Ending(end_at=self._clock.now(), message=message))

    def _wait(self, run: Run) -> None:
        """This run was written down before, and waits for its turn, or for the end of a pause."""
        first = run.triggered_by is TriggeredBy.RETRY
        if self._pauses.holding_run(run) is not None:
            self._slots.keep(run.defined_by, run.id, first=first)
        else:
            self._slots.wait(run.defined_by, run.id, first=first)

    def _hold(self, names: Collection[str]) -> None:
        for name in names:
            self._slots.pause(name)
        for name in names:
            for run_id in self._slots.holders(name):
                entry = self._ledger.find(run_id)
                if entry is not None:
                    self._leave_off(entry)

    def _leave_off(self, entry: Entry) -> None:
        """A run that has its slot and waits for a keeper is one that a pause may hold."""
        if self._pauses.holding_run(entry.known) is not None and self._handing.leave_off(entry.known.id):
            self._put_back(entry.known)

    def _put_back(self, run: Run) -> bool:
        """Have a run that has its slot wait for the end of the pause that holds it; False: none does."""
        if self._pauses.holding_run(run) is None:
            return False
        self._slots.put_back(run.defined_by, run.id)
        self._turn(self._slots.promote(run.defined_by))
        return True

    def _is_held(self, name: str, run_id: RunId) -> bool:
        entry = self._ledger.find(run_id)
        if entry is None:  # it is just being written down
            return bool(self._pauses.of(name))
        return self._pauses.holding_run(entry.known) is not None

    def _turn(self, run_ids: Iterable[RunId]) -> None:
        for run_id in run_ids:
            if self._is_written(run_id):  # else it is still being written, and added after that
                self._handing.add(run_id)

    def _make_room(self, name: str) -> None:
        """`replace`: of those who wait only the newest goes on, and a holder leaves for it.

        Done after the commit of the newer one: if that fails, nothing has happened to the others.
        """
        task = self._rules.get(name)
        if task is None or task.on_overlap is not Overlap.REPLACE:
            return
        for run_id in self._slots.displaced(name, self._is_written):
            entry = self._ledger.find(run_id)
            if entry is not None:
                self._slots.free(name, run_id)
                self._displace(entry)
        victim = self._slots.victim(name, self._is_written)
        entry = self._ledger.find(victim) if victim is not None else None
        if victim is not None and entry is not None:
            self._slots.leave(name, victim)
            self._handing.ask_to_stop(entry, "a newer run, which replaces it")

    def _displace_retries(self, run: Run) -> None:
        """`replace`: a retry that is not due, or is held, makes way for a newer run, be there room or not."""
        task = self._rules.get(run.defined_by)  # none when it went while its run was being handed over
        if task is None or task.on_overlap is not Overlap.REPLACE:
            return
        if self._slots.has(run.defined_by, run.id):
            for run_id in (*self._later.held(run.defined_by), *self._slots.kept(run.defined_by)):
                entry = self._ledger.find(run_id)
                if entry is not None and entry.known.retry_attempt:
                    self._displace(entry)

    def _displace(self, entry: Entry) -> None:
        reason = EndReason.STOPPED if entry.known.retry_attempt else EndReason.SKIPPED
        ending = Ending(end_at=self._clock.now(), message="a newer run took its place")
        self._ledger.ended(entry, reason, ending)

    def _is_written(self, run_id: RunId) -> bool:
        return self._ledger.find(run_id) is not None

    def _withdraw_undefined(self) -> None:
        for entry in self._ledger:
            if _waits(entry) and not self._defines(entry.known):
                self._withdraw(entry)

    def _withdraw(self, entry: Entry) -> None:
        self._slots.leave(entry.known.defined_by, entry.known.id)
        self._handing.ask_to_stop(entry, UNDEFINED)


def _waits(entry: Entry) -> bool:
    """Whether the run is pending, and no keeper has it."""
    return entry.known.status is Status.PENDING and entry.known.hand_over is None


def _wanted_at(run: Run) -> datetime:
    """When it wanted to start at first: by that its turn is."""
    return run.created_at if run.due is None else max(run.created_at, run.due)
