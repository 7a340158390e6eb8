"""Whatever comes in whatever order: no more run or wait than may, and first come, first served."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from rota.engine.admission import Fate
from rota.engine.slots import Slots
from rota.model.run import RunId
from rota.model.task import Overlap, Task


class SlotsMachine(RuleBasedStateMachine):
    """One task; each trigger ends as exactly one of: started, turned away, displaced, withdrawn."""

    runs = Bundle("runs")

    @initialize(overlap=st.sampled_from(Overlap), concurrent=st.integers(1, 3), queued=st.integers(0, 3))
    def define(self, overlap: Overlap, concurrent: int, queued: int) -> None:
        self.task = Task(
            name="job", run="true", on_overlap=overlap, max_concurrent=concurrent, max_queued=queued
        )
        self.slots = Slots({"job": self.task})
        self.number = 0
        self.fates: dict[RunId, str] = {}
        self.open: set[RunId] = set()
        self.waited: list[RunId] = []  # in the order of their coming
        self.stopped: set[RunId] = set()

    @rule(target=runs)
    def trigger(self) -> RunId:
        self.number += 1
        run_id = RunId(f"{self.number:06}")
        fate = self.slots.take(self.task, run_id)
        if fate is Fate.START:
            self._is_started(run_id)
        elif fate in (Fate.QUEUE, Fate.REPLACE):
            self.open.add(run_id)
            self.waited.append(run_id)
            self._make_room()
        else:
            self._has_fate(run_id, fate.value)
        return run_id

    @rule(run_id=runs)
    def end_or_withdraw(self, run_id: RunId) -> None:
        """The run ends, is cancelled while it waits, or could not be written down: its place is free."""
        if run_id not in self.open:
            return
        if run_id in self.waited:
            self.waited.remove(run_id)
            self._has_fate(run_id, "withdrawn")
        self.open.discard(run_id)
        self._turn(self.slots.free("job", run_id))

    @rule(run_id=runs)
    def free_twice(self, run_id: RunId) -> None:
        if run_id not in self.open:
            assert self.slots.free("job", run_id) == []

    @invariant()
    def rules_hold(self) -> None:
        if not hasattr(self, "slots"):
            return
        holders, waiting = list(self.slots.holders("job")), list(self.slots.waiting("job"))
        assert len(holders) <= self.task.max_concurrent
        most = 1 if self.task.on_overlap is Overlap.REPLACE else self.task.max_queued
        assert len(waiting) <= most
        assert waiting == self.waited
        assert set(holders) | set(waiting) == self.open
        assert not waiting or len(holders) == self.task.max_concurrent  # no slot stands empty
        if self.task.on_overlap is Overlap.REPLACE and waiting:
            assert self.stopped & set(holders)  # somebody is making room
        if not self.open:
            assert self.slots.names() == []

    def _make_room(self) -> None:
        for run_id in self.slots.displaced("job", lambda _: True):
            self.waited.remove(run_id)
            self.open.discard(run_id)
            self._has_fate(run_id, "displaced")
            self._turn(self.slots.free("job", run_id))
        victim = self.slots.victim("job", lambda _: True)
        if victim is not None:
            assert self.task.on_overlap is Overlap.REPLACE
            assert victim == next(iter(self.slots.holders("job")))
            self.slots.leave("job", victim)
            self.stopped.add(victim)

    def _turn(self, run_ids: list[RunId]) -> None:
        for run_id in run_ids:
            assert run_id == self.waited.pop(0)  # first come, first served
            self._is_started(run_id)
        self._make_room()

    def _is_started(self, run_id: RunId) -> None:
        self.open.add(run_id)
        self._has_fate(run_id, "started")

    def _has_fate(self, run_id: RunId, fate: str) -> None:
        assert run_id not in self.fates
        self.fates[run_id] = fate


SlotsMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
TestSlots = SlotsMachine.TestCase
