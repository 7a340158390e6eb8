"""The slots of tasks, groups and the server, and of all jobs: who holds one, and who waits for his turn."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from rota.engine.admission import Fate, admit, displaced, victim
from rota.engine.gate import Gate, Places, Turn
from rota.engine.sharing import Shared
from rota.model.job import JOBS
from rota.model.run import WaitKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rota.model.run import RunId
    from rota.model.task import Task

_NONE = Places(WaitKind.TASK, None, most=0)


class Slots:
    """A place is taken before its run is written, and given back when that fails, without a pause between
    looking and taking: two triggers at once never both get the last slot. Names are `Run.defined_by`.

    Whoever could start has started: that holds between any two calls, but for those to `wait`, `resume` and
    `go_by`, after which `promote` is to be called.
    """

    def __init__(
        self,
        rules: Mapping[str, Task],
        tasks: Mapping[str, Task] | None = None,
        *,
        groups: Mapping[str, int] | None = None,
        server: int | None = None,
    ) -> None:
        """`rules` are those of each task, of all jobs, and of whatever else runs; see `go_by`."""
        self._rules = rules
        self._places: dict[str, Places] = {}  # only where there are open runs
        self._number = count()
        self._tasks: Mapping[str, Task] = {}
        self._groups: Mapping[str, Gate] = {}
        self._server: Gate | None = None
        self.go_by(rules if tasks is None else tasks, groups=groups or {}, server=server)

    def go_by(self, tasks: Mapping[str, Task], *, groups: Mapping[str, int], server: int | None) -> None:
        """Keep to these limits from now on: of groups, by their names, and of the server over all `tasks`.

        What has a slot keeps it, though there were to be more than may.
        """
        self._tasks = tasks
        self._server = None if server is None else Gate(WaitKind.SERVER, None, most=server)
        self._groups = {
            name: Gate(WaitKind.GROUP, name, most=most, above=self._server) for name, most in groups.items()
        }
        before, self._places = self._places, {}
        for name, old in before.items():
            places = self._at(name, old)
            priority = self._priority(name)
            for run_id in old.holders:
                places.hold(run_id)
            for run_id, (_, last, number) in old.waiting.items():
                places.wait(run_id, (-priority, last, number))
            places.kept = {run_id: (-priority, *turn[1:]) for run_id, turn in old.kept.items()}
            places.leaving = old.leaving
            places.settle()

    def take(self, task: Task, run_id: RunId) -> Fate:
        """Admit a new run, and keep its place."""
        places = self._at(task.name)
        fate = admit(
            task,
            holding=len(places.holders),
            waiting=len(places.waiting),
            kept=len(places.kept),
            room=places.above is None or all(gate.is_open for gate in places.above.path()),
        )
        if fate is Fate.START:
            places.hold(run_id)
        elif fate in (Fate.QUEUE, Fate.REPLACE):
            places.wait(run_id, self._turn(task.name))
            places.settle()
        return fate

    def room(self, task: Task) -> int:
        """How many more runs would start or wait and not be turned away, where `on_overlap` is `queue`."""
        places = self._places.get(task.name, _NONE)
        taken = len(places.holders) + len(places.waiting) + len(places.kept)
        return max(0, task.max_concurrent + task.max_queued - taken)

    def hold(self, name: str, run_id: RunId) -> None:
        """A run of an earlier server that has its slot already."""
        self._at(name).hold(run_id)

    def wait(self, name: str, run_id: RunId, *, first: bool = False) -> None:
        """This run waits, however many there are; `first`: before those that are not to go first."""
        places = self._at(name)
        places.wait(run_id, self._turn(name, first=first))
        places.settle()

    def keep(self, name: str, run_id: RunId, *, first: bool = False) -> None:
        """This run waits, once a pause is over."""
        self._at(name).kept[run_id] = self._turn(name, first=first)

    def pause(self, name: str) -> None:
        """Those that wait keep their turns, and get no slot until they are told to go on."""
        places = self._places.get(name, _NONE)
        places.kept.update(places.waiting)
        places.waiting.clear()
        places.settle()

    def put_back(self, name: str, run_id: RunId) -> None:
        """A holder that has not begun gives its slot back, and keeps its turn until it is told to go on."""
        places = self._at(name)
        places.forget(run_id)
        places.kept[run_id] = self._turn(name, first=True)

    def resume(self, name: str, run_ids: Iterable[RunId]) -> None:
        """These, which were kept, wait in their turns."""
        places = self._places.get(name, _NONE)
        for run_id in run_ids:
            places.wait(run_id, places.kept.pop(run_id))
        places.settle()

    def leave(self, name: str, run_id: RunId) -> None:
        """A holder was asked to stop."""
        places = self._places.get(name, _NONE)
        if run_id in places.holders:
            places.leaving.add(run_id)

    def free(self, name: str, run_id: RunId) -> list[RunId]:
        """The run gives up its place; returns those, of any task, whose turn it is: they hold a slot now."""
        places = self._places.get(name)
        if places is None:
            return []
        places.forget(run_id)
        turns = self.promote(name)
        if places.is_empty:
            del self._places[name]
        return turns

    def promote(self, name: str) -> list[RunId]:
        """Give free slots to those whose turn it is, of this and of all that share slots with it."""
        *_, top = self._places.get(name, _NONE).path()
        turns: list[RunId] = []
        while top.first() is not None:
            places = top.foremost()
            run_id = next(iter(places.waiting))
            places.hold(run_id)
            turns.append(run_id)
        return turns

    def displaced(self, name: str, written: Callable[[RunId], bool]) -> list[RunId]:
        """Those who wait in vain, since a newer one replaces them.

        Here and in `victim` only those count that are written down: the others may yet come to nothing.
        """
        task = self._rules.get(name)
        places = self._places.get(name, _NONE)
        waiting = [run_id for run_id in places.waiting if written(run_id)]
        return displaced(task, waiting, holding=len(places.holders)) if task is not None else []

    def victim(self, name: str, written: Callable[[RunId], bool]) -> RunId | None:
        """The holder that has to make room, if one has to."""
        task = self._rules.get(name)
        places = self._places.get(name, _NONE)
        if task is None:
            return None
        waiting = sum(written(run_id) for run_id in places.waiting)
        return victim(task, places.holders, leaving=places.leaving, waiting=waiting)

    def holds(self, name: str, run_id: RunId) -> bool:
        """Whether the run has a slot."""
        return run_id in self._places.get(name, _NONE).holders

    def waits(self, name: str, run_id: RunId) -> bool:
        """Whether the run wants a slot, and has none."""
        return run_id in self._places.get(name, _NONE).waiting

    def keeps(self, name: str, run_id: RunId) -> bool:
        """Whether the run wants a slot once a pause is over."""
        return run_id in self._places.get(name, _NONE).kept

    def has(self, name: str, run_id: RunId) -> bool:
        """Whether the run has a place: it holds a slot, or waits for one."""
        return self.holds(name, run_id) or self.waits(name, run_id) or self.keeps(name, run_id)

    def lacking(self, name: str) -> Gate:
        """Which slots those lack who wait: their task's, if these are taken, or else the first further up."""
        places = self._places.get(name, _NONE)
        return next((gate for gate in places.path() if not gate.is_open), places)

    def shared(self, task: Task) -> Iterator[Shared]:
        """What slots a run of the task needs beside its task's own, the narrowest first."""
        if (group := self._groups.get(task.group or "")) is not None and group.most is not None:
            members = frozenset(each.name for each in self._tasks.values() if each.group == task.group)
            yield Shared(kind=group.kind, name=group.name, most=group.most, members=members)
        if self._server is not None and self._server.most is not None:
            yield Shared(kind=self._server.kind, name=None, most=self._server.most, members=None)

    def holders(self, name: str) -> Iterable[RunId]:
        """Those who have a slot, the oldest first."""
        return tuple(self._places.get(name, _NONE).holders)

    def waiting(self, name: str) -> Iterable[RunId]:
        """Those who want one, the next first."""
        return tuple(self._places.get(name, _NONE).waiting)

    def kept(self, name: str) -> Iterable[RunId]:
        """Those who want one once a pause is over, the next first."""
        kept = self._places.get(name, _NONE).kept
        return tuple(sorted(kept, key=kept.__getitem__))

    def names(self) -> list[str]:
        """Those that have open runs."""
        return list(self._places)

    def _at(self, name: str, former: Places | None = None) -> Places:
        places = self._places.get(name)
        if places is not None:
            return places
        task, rules = self._tasks.get(name), self._rules.get(name)
        shares, group = task is not None and name != JOBS, None if task is None else task.group
        if rules is None:  # its task is gone, and what of it still runs counts as before
            shares = former is None or former.shares
            group = None if former is None else former.group
        kind, whose = (WaitKind.JOBS, None) if name == JOBS else (WaitKind.TASK, name)
        places = self._places[name] = Places(
            kind,
            whose,
            most=0 if rules is None else rules.max_concurrent,
            above=self._groups.get(group or "", self._server) if shares else None,
            shares=shares,
            group=group,
        )
        return places

    def _turn(self, name: str, *, first: bool = False) -> Turn:
        return (-self._priority(name), not first, next(self._number))

    def _priority(self, name: str) -> int:
        task = self._rules.get(name)
        return 0 if task is None else task.priority
