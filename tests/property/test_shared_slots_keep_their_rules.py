"""Tasks that share slots: no limit is ever broken, nobody waits who could run, and turns are kept."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rota.engine.admission import Fate
from rota.engine.slots import Slots
from rota.model.job import JOBS
from rota.model.run import RunId, WaitKind
from rota.model.task import Overlap, Task

NAMES = ("a", "b", "c", "d", "e")
GROUPS = ("x", "y", "label")

limits = st.one_of(st.none(), st.integers(1, 4))
tasks = st.builds(
    Task,
    name=st.just(""),
    run=st.just("true"),
    group=st.sampled_from((None, *GROUPS)),
    priority=st.integers(-1, 1),
    max_concurrent=st.integers(1, 3),
    max_queued=st.integers(0, 4),
    on_overlap=st.sampled_from((Overlap.QUEUE, Overlap.SKIP)),
)


@dataclass
class Waiting:
    """As a plain list would have it."""

    name: str
    run_id: RunId
    turn: tuple[int, bool, int]
    kept: bool = False


class SharedSlotsMachine(RuleBasedStateMachine):
    """The reference has one list of who waits, and looks through all of it each time."""

    @initialize(
        defined=st.lists(tasks, min_size=len(NAMES), max_size=len(NAMES)),
        groups=st.fixed_dictionaries({"x": st.integers(1, 3), "y": st.integers(1, 3)}),
        server=limits,
    )
    def define(self, defined: list[Task], groups: dict[str, int], server: int | None) -> None:
        self.tasks = {
            name: Task(
                name=name,
                run="true",
                group=task.group,
                priority=task.priority,
                max_concurrent=task.max_concurrent,
                max_queued=task.max_queued,
                on_overlap=task.on_overlap,
            )
            for name, task in zip(NAMES, defined, strict=True)
        }
        self.rules = {**self.tasks, JOBS: Task(name=JOBS, run=(), max_concurrent=2)}
        self.groups, self.server = groups, server
        self.slots = Slots(self.rules, self.tasks, groups=groups, server=server)
        self.number = 0
        self.holders: dict[RunId, str] = {}
        self.waiting: list[Waiting] = []

    @rule(name=st.sampled_from((*NAMES, JOBS)))
    def trigger(self, name: str) -> None:
        run_id = self._new()
        fits = self._fits(name)
        ahead = [one for one in self.waiting if one.name == name and not one.kept]
        holding = sum(each == name for each in self.holders.values())

        fate = self.slots.take(self.rules[name], run_id)

        if fits and not ahead:
            assert fate is Fate.START
            self.holders[run_id] = name
        elif holding + len(ahead) < self.rules[name].max_concurrent:
            assert fate is Fate.QUEUE
        if fate is Fate.QUEUE:
            self._wait(name, run_id)

    @rule(name=st.sampled_from(NAMES))
    def a_retry_is_due(self, name: str) -> None:
        run_id = self._new()
        self.slots.wait(name, run_id, first=True)
        self._wait(name, run_id, first=True)
        self._turns(self.slots.promote(name))

    @rule(data=st.data())
    def one_ends(self, data: st.DataObject) -> None:
        if self.holders:
            run_id = data.draw(st.sampled_from(sorted(self.holders)))
            name = self.holders.pop(run_id)
            self._turns(self.slots.free(name, run_id))

    @rule(data=st.data())
    def one_is_withdrawn(self, data: st.DataObject) -> None:
        if self.waiting:
            one = data.draw(st.sampled_from(self.waiting))
            self.waiting.remove(one)
            self._turns(self.slots.free(one.name, one.run_id))

    @rule(name=st.sampled_from(NAMES))
    def pause(self, name: str) -> None:
        self.slots.pause(name)
        for one in self.waiting:
            one.kept = one.kept or one.name == name

    @rule(name=st.sampled_from(NAMES))
    def keep(self, name: str) -> None:
        run_id = self._new()
        self.slots.keep(name, run_id)
        self._wait(name, run_id, kept=True)

    @rule(name=st.sampled_from(NAMES))
    def resume(self, name: str) -> None:
        self.slots.resume(name, self.slots.kept(name))
        for one in self.waiting:
            one.kept = one.kept and one.name != name
        self._turns(self.slots.promote(name))

    @rule(
        groups=st.fixed_dictionaries({}, optional={"x": st.integers(1, 3), "label": st.integers(1, 3)}),
        server=limits,
    )
    def other_limits(self, groups: dict[str, int], server: int | None) -> None:
        self.groups, self.server = groups, server
        self.slots.go_by(self.tasks, groups=groups, server=server)
        for name in self.slots.names():
            self._turns(self.slots.promote(name))

    @invariant()
    def nobody_waits_who_could_run(self) -> None:
        if hasattr(self, "slots"):
            assert not any(self._fits(one.name) for one in self.waiting if not one.kept)

    @invariant()
    def both_know_the_same(self) -> None:
        if not hasattr(self, "slots"):
            return
        for name in self.rules:
            ours = sorted((one for one in self.waiting if one.name == name), key=lambda one: one.turn)
            assert list(self.slots.waiting(name)) == [one.run_id for one in ours if not one.kept]
            assert list(self.slots.kept(name)) == [one.run_id for one in ours if one.kept]
            assert set(self.slots.holders(name)) == {
                run_id for run_id, holder in self.holders.items() if holder == name
            }
        assert set(self.slots.names()) == {
            *self.holders.values(),
            *(one.name for one in self.waiting),
        }

    @invariant()
    def who_waits_is_told_for_whom(self) -> None:
        if not hasattr(self, "slots"):
            return
        for one in self.waiting:
            if not one.kept:
                gate = self.slots.lacking(one.name)
                assert not gate.is_open
                assert set(gate.holders) <= set(self.holders)
                assert gate.kind is not WaitKind.GROUP or gate.name == self.tasks[one.name].group

    def _turns(self, run_ids: list[RunId]) -> None:
        """Each was the first in turn of those who could go when it went."""
        for run_id in run_ids:
            able = [one for one in self.waiting if not one.kept and self._fits(one.name)]
            tree = [one for one in able if self._top(one.name) == self._top(self._name_of(run_id))]
            first = min(tree, key=lambda one: one.turn)
            assert first.run_id == run_id
            self.waiting.remove(first)
            self.holders[run_id] = first.name

    def _fits(self, name: str) -> bool:
        """Whether one more run of it breaks no limit."""
        holding = list(self.holders.values())
        if holding.count(name) >= self.rules[name].max_concurrent:
            return False
        if name == JOBS:
            return True
        group = self.tasks[name].group
        of_group = sum(each != JOBS and self.tasks[each].group == group for each in holding)
        if group in self.groups and of_group >= self.groups[group]:
            return False
        return self.server is None or sum(each != JOBS for each in holding) < self.server

    def _top(self, name: str) -> str:
        """What it shares slots with, and so competes with."""
        if name == JOBS:
            return JOBS
        if self.server is not None:
            return "the server"
        group = self.tasks[name].group
        return f"group {group}" if group in self.groups else f"task {name}"

    def _name_of(self, run_id: RunId) -> str:
        return next(one.name for one in self.waiting if one.run_id == run_id)

    def _wait(self, name: str, run_id: RunId, *, first: bool = False, kept: bool = False) -> None:
        turn = (-self.rules[name].priority, not first, self.number)
        self.waiting.append(Waiting(name, run_id, turn, kept))

    def _new(self) -> RunId:
        self.number += 1
        return RunId(f"{self.number:06}")


SharedSlotsMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=50)
TestSharedSlots = SharedSlotsMachine.TestCase
