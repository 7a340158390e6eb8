"""The intake: every trigger and tick becomes a run, and the run gets its fate, in one commit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from rota.engine.admission import Fate
from rota.engine.clock import GLANCE
from rota.engine.effective_params import effective_params
from rota.engine.lateness import Timing, look_at, timing_of
from rota.engine.missed import PausedTicks, missed_run, owed_ticks
from rota.model.error import StoreUnavailable
from rota.model.event import EventKind
from rota.model.run import (
    Ending,
    EndReason,
    Kind,
    Run,
    Status,
    TriggeredBy,
    WaitingFor,
    WaitKind,
)
from rota.model.task import Overlap
from rota.timing.duration import format_duration
from rota.timing.gap import Gap
from rota.timing.jitter import due

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from rota.engine.background import Background
    from rota.engine.clock import Clock, Ids
    from rota.engine.effective_params import Effective
    from rota.engine.handing import Handing
    from rota.engine.later import Later
    from rota.engine.ledger import Entry, Ledger
    from rota.engine.pauses import Pauses
    from rota.engine.slots import Slots
    from rota.engine.store_watch import StoreWatch
    from rota.events.bus import Bus
    from rota.model.job import Job
    from rota.model.pause import Pause, Scope
    from rota.model.run import Actor, RunId
    from rota.model.task import Task
    from rota.storage.requests import Request
    from rota.storage.store import Store
    from rota.timing.planner import Tick

UNDEFINED = "a configuration without its definition"
"""Who stops what waits then."""

#: What becomes of a trigger that wants to start, and a pause does not keep.
_ASKED_AT_ONCE = frozenset({Fate.START, Fate.QUEUE, Fate.REPLACE})

HOLDERS_NAMED = 100
"""Of those who have the slots that a run waits for, so many are named: a thousand may wait for a thousand."""

#: What the trigger is answered, as an idempotent repetition of it has to be answered again.
STATUS_CODES = {
    Fate.START: 201,
    Fate.QUEUE: 201,
    Fate.REPLACE: 201,
    Fate.SKIP: 409,
    Fate.FULL: 429,
    Fate.EARLY: 201,
    Fate.KEPT: 201,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Why there is to be a run."""

    triggered_by: TriggeredBy
    effective: Effective | None = None  #: what it is given; None is what the task says itself
    actor: Actor | None = None
    job: Job | None = None
    sealed: str | None = None  #: the secrets that it is given
    scheduled_at: datetime | None = None
    due_at: datetime | None = None  #: when it may start, if that is another moment
    rerun_of: RunId | None = None  #: which run it is again
    instance_index: int | None = None  #: of the service's instance whose life it is

    @property
    def kind(self) -> Kind:
        """What it is to be a run of."""
        if self.job is not None:
            return Kind.JOB
        return Kind.TASK if self.instance_index is None else Kind.SERVICE

    @property
    def due(self) -> datetime | None:
        """When it may start."""
        return self.due_at if self.due_at is not None else self.scheduled_at


class Intake:
    """Makes runs, and keeps the slots right while their commits are under way."""

    def __init__(
        self,
        *,
        rules: Mapping[str, Task],
        defines: Callable[[Run], bool],
        store: Store,
        bus: Bus,
        clock: Clock,
        ids: Ids,
        watch: StoreWatch,
        background: Background,
        ledger: Ledger,
        slots: Slots,
        handing: Handing,
        later: Later,
        pauses: Pauses,
    ) -> None:
        """`rules` are those of each task, and of all jobs; `defines`: whether what it is of is there."""
        self._rules = rules
        self._defines = defines
        self._store = store
        self._bus = bus
        self._clock = clock
        self._ids = ids
        self._watch = watch
        self._background = background
        self._ledger = ledger
        self._slots = slots
        self._handing = handing
        self._later = later
        self._pauses = pauses
        self._paused_ticks = PausedTicks()

    async def trigger(self, task: Task, asked: Asked, request: Request | None) -> Run:
        """Write one run down and set it going; the run as it was written.

        Raises StoreUnavailable and KeyTaken, having changed nothing.
        """
        run, written = self.begin(task, asked, request)
        await asyncio.shield(written)  # it is carried out even if who asked goes away
        return run

    def begin(
        self, task: Task, asked: Asked, request: Request | None = None
    ) -> tuple[Run, asyncio.Future[Any]]:
        """The run that is being written down, and is set going once it is; and who tells how that went.

        Raises StoreUnavailable, having changed nothing.
        """
        run, fate = self._make(task, asked, self._clock.now())
        if request is not None:
            request = replace(request, run_id=run.id, status_code=STATUS_CODES[fate], at=run.created_at)
        try:
            written = self._store.create(run, request=request, synced=run.status is not Status.ENDED)
        except StoreUnavailable as error:
            self._is_refused(run, error)
            raise
        self._background.attend(written, partial(self._written, run))
        return run, written

    async def ticks(self, ticks: Sequence[Tick], gaps: Iterable[Gap]) -> None:
        """Claim ticks by writing their runs, all in one commit; one that has its run already starts nothing.

        Raises StoreUnavailable, having changed nothing.
        """
        now = self._clock.now()
        runs: list[Run] = []
        missed: list[Run] = []
        paused: list[tuple[Gap, Pause]] = []
        for tick in ticks:
            pause = self._pauses.at(tick.task_name, now) or self._pauses.at(tick.task_name, tick.at)
            if pause is None:
                runs.append(self._of_tick(tick.task_name, tick.at, now))
            else:
                gap = Gap(task_name=tick.task_name, count=1, first=tick.at, newest=tick.at)
                paused.append((gap, pause))
        for gap in gaps:
            pause = self._pauses.at(gap.task_name, gap.newest)
            if pause is not None:
                paused.append((gap, pause))
                continue
            task = self._rules[gap.task_name]
            owed: Sequence[datetime] = ()
            if not self._pauses.of(gap.task_name):
                room, due = self._slots.room(task), partial(self._due, task)
                owed = owed_ticks(gap, task, now, room=room, due=due)
            missed.append(
                missed_run(gap, run_id=self._ids.run(), now=now, caught_up=len(owed), failures=task.failures)
            )
            runs += [self._of_tick(gap.task_name, at, now, TriggeredBy.CATCH_UP) for at in owed]
        await self._claim(runs, missed, paused)

    async def startup(self, tasks: Iterable[Task], keeper_id: str) -> None:
        """Write down the runs that a keeper's start makes; none if that was done for this keeper.

        Raises StoreUnavailable, having changed nothing.
        """
        now = self._clock.now()
        asked = Asked(triggered_by=TriggeredBy.STARTUP)
        await self._claim([self._make(task, asked, now)[0] for task in tasks], keeper_id=keeper_id)

    async def _claim(
        self,
        runs: Sequence[Run],
        missed: Sequence[Run] = (),
        paused: Collection[tuple[Gap, Pause]] = (),
        keeper_id: str | None = None,
    ) -> None:
        """Write these down, and go on with those that were free to be claimed."""
        synced = any(run.status is not Status.ENDED for run in runs)
        told, grown = self._paused_ticks.told(paused, rules=self._rules, ids=self._ids, now=self._clock.now())
        try:
            claimed = await self._store.create_many(
                [*missed, *told, *runs], grown=grown, synced=synced, keeper_id=keeper_id
            )
        except Exception as error:  # not when cut off: it may be written all the same
            if isinstance(error, StoreUnavailable):
                self._watch.failed(error)
            for run in runs:
                self.free(run)
            raise
        ours = {run.id for run in claimed}
        grew = {each.run.id for each in grown}
        tell = {run.id for run in told} | grew | {each.anew.id for each in grown}
        self._paused_ticks.keep(run for run in claimed if run.id in tell)
        for run in claimed:
            if run.id in grew:
                self._bus.emit(EventKind.RUN_GREW, self._clock.now(), run)
            else:
                self._is_created(run)
        for run in runs:
            if run.id not in ours:
                self.free(run)

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
        names = self._pauses.within(scope, self._slots.names())
        for name in names:
            self._slots.pause(name)
        for name in names:
            for run_id in self._slots.holders(name):
                entry = self._ledger.find(run_id)
                if entry is not None:
                    self._leave_off(entry)

    def let_go(self, scope: Scope) -> None:
        """This is not paused any more: what no other pause holds waits for a slot again."""
        names = self._pauses.within(scope, self._slots.names())
        for name in names:
            kept = [run_id for run_id in self._slots.kept(name) if not self._is_held(name, run_id)]
            self._slots.resume(name, kept)
        for name in names:
            self._turn(self._slots.promote(name))
            self._make_room(name)

    def undefined(self, tasks: Collection[str]) -> list[Run]:
        """The runs of tasks that wait for their start, and end when these tasks are all that there are."""
        return [
            entry.stored
            for entry in self._ledger
            if _waits(entry) and entry.known.kind is Kind.TASK and entry.known.defined_by not in tasks
        ]

    def go_by_new_rules(self) -> None:
        """The rules are others from now on: end what waits and has none any more, look anew at the rest.

        The slots go by the new limits already.
        """
        self._withdraw_undefined()
        for entry in self._ledger:
            if _waits(entry):
                self.watch(entry.known)
        for name in self._slots.names():  # a task of another group may be held by another pause, or by none
            self._slots.pause(name)
            kept = [run_id for run_id in self._slots.kept(name) if not self._is_held(name, run_id)]
            self._slots.resume(name, kept)
        for name in self._slots.names():
            self._turn(self._slots.promote(name))
            self._make_room(name)

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

    def due_at(self, task: Task, tick: datetime) -> datetime | None:
        """When a tick is due, if that is not its instant."""
        return due(tick, task.jitter, self._store.store_id, task.name) if task.jitter else None

    def _due(self, task: Task, tick: datetime) -> datetime:
        return self.due_at(task, tick) or tick

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

    def _of_tick(
        self, task_name: str, at: datetime, now: datetime, triggered_by: TriggeredBy = TriggeredBy.CRON
    ) -> Run:
        task = self._rules[task_name]
        due_at = self.due_at(task, at)
        if triggered_by is TriggeredBy.CATCH_UP and due_at is not None and due_at <= now:
            due_at = None  # it is too late already, and goes by its tick
        return self._make(task, Asked(triggered_by=triggered_by, scheduled_at=at, due_at=due_at), now)[0]

    def _make(self, task: Task, asked: Asked, now: datetime) -> tuple[Run, Fate]:
        """A run in the state that its fate wants it written in, its place kept."""
        effective = asked.effective or effective_params(task, {})
        run_id = self._ids.run()
        fate = self._fate_of(task, asked, run_id, now)
        at_once = fate is Fate.START and self._handing.possible
        run = Run(
            id=run_id,
            kind=asked.kind,
            task_name=task.name if asked.job is None else None,
            job=asked.job,
            triggered_by=asked.triggered_by,
            params=effective.params,
            actor=asked.actor,
            sealed=asked.sealed,
            rerun_of_run_id=asked.rerun_of,
            created_at=now,
            scheduled_at=asked.scheduled_at,
            due_at=asked.due_at,
            instance_index=asked.instance_index,
            despite_pause=self._despite_pause(task.name, fate),
            hand_over=self._handing.sign() if at_once else None,
            revision=self._handing.revision_of(task.name) if at_once else None,
        )
        pause = self._pauses.holding_run(run)
        if fate is Fate.PAUSED and pause is not None:
            return run.ended(
                EndReason.MISSED, Ending(end_at=now, message=pause.told), failures=task.failures
            ), fate
        if (refusal := _refusal(fate, task, run)) is not None:
            reason, message = refusal
            return run.ended(reason, Ending(end_at=now, message=message), failures=task.failures), fate
        return run, fate

    def _despite_pause(self, name: str, fate: Fate) -> str | None:
        """How the pause is that somebody does not keep to who starts a run now."""
        pause = next(iter(self._pauses.of(name)), None)
        return None if pause is None or fate not in _ASKED_AT_ONCE else pause.told

    def _fate_of(self, task: Task, asked: Asked, run_id: RunId, now: datetime) -> Fate:
        pause = self._pauses.holding(task.name, asked, now)
        if pause is not None and asked.triggered_by is TriggeredBy.STARTUP:
            return Fate.PAUSED
        if asked.scheduled_at is not None:
            match timing_of(asked, task, now):
                case Timing.EARLY:
                    self._later.hold_back(task.name, run_id)
                    return Fate.EARLY
                case Timing.LATE:
                    return Fate.LATE
        if pause is not None:
            self._slots.keep(task.name, run_id)
            return Fate.KEPT
        return self._slots.take(task, run_id)

    def _wait(self, run: Run) -> None:
        """This run was written down before, and waits for its turn, or for the end of a pause."""
        first = run.triggered_by is TriggeredBy.RETRY
        if self._pauses.holding_run(run) is not None:
            self._slots.keep(run.defined_by, run.id, first=first)
        else:
            self._slots.wait(run.defined_by, run.id, first=first)

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

    def _written(self, run: Run, written: asyncio.Future[Any]) -> None:
        error = written.exception()
        if error is None:
            self._is_created(run)
        else:
            self._is_refused(run, error)

    def _is_refused(self, run: Run, error: BaseException) -> None:
        if isinstance(error, StoreUnavailable):
            self._watch.failed(error)
        self.free(run)

    def _is_created(self, run: Run) -> None:
        """The commit is done: tell, and go on."""
        if run.status is Status.ENDED:
            self._bus.emit(EventKind.RUN_CREATED, run.created_at, run)
            self._bus.emit(EventKind.RUN_ENDED, run.created_at, run)
            return
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
        if (refusal := _refusal(fate, task, entry.known)) is not None:
            reason, message = refusal
            self._ledger.ended(entry, reason, Ending(end_at=self._clock.now(), message=message))

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


def _refusal(fate: Fate, task: Task, run: Run) -> tuple[EndReason, str] | None:
    """How a run ends that admission turned away."""
    if fate is Fate.SKIP:
        return EndReason.SKIPPED, "the task was running, and on_overlap is skip"
    if fate is Fate.FULL:
        busy = "the task was running" if run.job is None else "as many jobs were running as may"
        return EndReason.QUEUE_FULL, f"{busy}, and as many waited as may (max_queued = {task.max_queued})"
    if fate is Fate.LATE and task.start_deadline is not None:
        deadline = format_duration(task.start_deadline)
        return EndReason.MISSED, f"it had not started within its start_deadline of {deadline}"
    return None
