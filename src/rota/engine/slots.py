"""The slots of every task, and of all jobs: who holds one, who waits for one, in order of their coming."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rota.engine.admission import Fate, admit, displaced, promoted, victim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rota.model.run import RunId
    from rota.model.task import Task


@dataclass(slots=True)
class Places:
    """The runs of one task, or the jobs, that are open, or are being written down."""

    holders: dict[RunId, None] = field(
        default_factory=dict
    )  #: have a slot, whether their process lives yet or not
    waiting: dict[RunId, None] = field(default_factory=dict)
    leaving: set[RunId] = field(default_factory=set)  #: holders that were asked to stop


_NONE = Places()


class Slots:
    """A place is taken before its run is written, and given back when that fails, without a pause between
    looking and taking: two triggers at once never both get the last slot. Names are `Run.defined_by`.
    """

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        self._tasks = tasks
        self._places: dict[str, Places] = {}  # only where there are open runs

    def take(self, task: Task, run_id: RunId) -> Fate:
        """Admit a new run, and keep its place."""
        places = self._places.get(task.name)
        if places is None:
            places = self._places[task.name] = Places()
        fate = admit(task, holding=len(places.holders), waiting=len(places.waiting))
        if fate is Fate.START:
            places.holders[run_id] = None
        elif fate in (Fate.QUEUE, Fate.REPLACE):
            places.waiting[run_id] = None
        return fate

    def hold(self, name: str, run_id: RunId) -> None:
        """A run of an earlier server that has its slot already."""
        self._places.setdefault(name, Places()).holders[run_id] = None

    def wait(self, name: str, run_id: RunId) -> None:
        """A run of an earlier server that waits."""
        self._places.setdefault(name, Places()).waiting[run_id] = None

    def leave(self, name: str, run_id: RunId) -> None:
        """A holder was asked to stop."""
        places = self._places.get(name, _NONE)
        if run_id in places.holders:
            places.leaving.add(run_id)

    def free(self, name: str, run_id: RunId) -> list[RunId]:
        """The run gives up its place; those whose turn it is now hold a slot, and are returned."""
        places = self._places.get(name)
        if places is None:
            return []
        places.holders.pop(run_id, None)
        places.waiting.pop(run_id, None)
        places.leaving.discard(run_id)
        if not places.holders and not places.waiting:
            del self._places[name]
            return []
        return self.promote(name)

    def promote(self, name: str) -> list[RunId]:
        """Give the free slots to those who wait longest; returns them."""
        places = self._places.get(name, _NONE)
        task = self._tasks.get(name)
        if task is None or not places.waiting:
            return []
        turns = promoted(task, holding=len(places.holders), waiting=places.waiting)
        for run_id in turns:
            del places.waiting[run_id]
            places.holders[run_id] = None
        return turns

    def displaced(self, name: str, written: Callable[[RunId], bool]) -> list[RunId]:
        """Those who wait in vain, since a newer one replaces them.

        Here and in `victim` only those count that are written down: the others may yet come to nothing.
        """
        task = self._tasks.get(name)
        waiting = [run_id for run_id in self.waiting(name) if written(run_id)]
        return displaced(task, waiting) if task is not None else []

    def victim(self, name: str, written: Callable[[RunId], bool]) -> RunId | None:
        """The holder that has to make room, if one has to."""
        task = self._tasks.get(name)
        places = self._places.get(name, _NONE)
        if task is None:
            return None
        waiting = sum(written(run_id) for run_id in places.waiting)
        return victim(task, places.holders, leaving=places.leaving, waiting=waiting)

    def holds(self, name: str, run_id: RunId) -> bool:
        """Whether the run has a slot."""
        return run_id in self._places.get(name, _NONE).holders

    def has(self, name: str, run_id: RunId) -> bool:
        """Whether the run has a place, be it that it holds a slot or waits for one."""
        return self.holds(name, run_id) or self.waits(name, run_id)

    def waits(self, name: str, run_id: RunId) -> bool:
        """Whether the run wants a slot, and has none."""
        return run_id in self._places.get(name, _NONE).waiting

    def holders(self, name: str) -> Iterable[RunId]:
        """Those who have a slot, the oldest first."""
        return tuple(self._places.get(name, _NONE).holders)

    def waiting(self, name: str) -> Iterable[RunId]:
        """Those who want one, the next first."""
        return tuple(self._places.get(name, _NONE).waiting)

    def names(self) -> list[str]:
        """Those that have open runs."""
        return list(self._places)
