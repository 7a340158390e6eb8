"""The reaper takes notice of ends a few at a time, and each with the time at which it was seen."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from rota.keeper.reaper import Reaper, now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rota.keeper.child import Moment


class Bed:
    """A reaper with main processes of its own, which have ended and are reaped by nobody."""

    def __init__(self) -> None:
        self.noticed: list[tuple[int, int | None, int | None, Moment]] = []
        self.children: dict[str, Any] = {}
        self.reaper = Reaper(self.children, main_ended=self._main_ended, log=print)

    def end(self, *codes: int) -> list[int]:
        """Processes that have ended so."""
        pids = [os.posix_spawn("/bin/sh", ["sh", "-c", f"exit {code}"], {}) for code in codes]
        for pid in pids:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            leader: Any = SimpleNamespace(pid=pid, exit=None, adopted={})
            self.reaper.leaders[pid] = leader
        return pids

    def _main_ended(self, child: Any, code: int | None, number: int | None, at: Moment) -> None:
        child.exit = (code, number)
        self.noticed.append((child.pid, code, number, at))


@pytest.fixture
def bed() -> Iterator[Bed]:
    bed = Bed()
    yield bed
    for pid in bed.reaper.leaders:
        os.waitpid(pid, 0)


def test_ends_are_noticed_a_few_at_a_time_until_none_is_left(bed: Bed):
    pids = bed.end(0, 1, 2, 3, 4)

    assert bed.reaper.reap(2)
    assert len(bed.noticed) == 2
    assert bed.reaper.reap(2)
    assert len(bed.noticed) == 4
    assert not bed.reaper.reap(2)

    assert sorted((pid, code) for pid, code, _, _ in bed.noticed) == sorted(zip(pids, range(5), strict=True))


def test_an_end_has_the_time_at_which_it_was_seen(bed: Bed):
    bed.end(7)
    before = now()
    bed.reaper.see()
    after = now()
    while now()[0] == after[0]:
        continue

    bed.reaper.reap(9)

    [(_, code, _, (wall, monotonic))] = bed.noticed
    assert code == 7
    assert before[0] <= wall <= after[0]
    assert before[1] <= monotonic <= after[1]


def test_an_end_that_nobody_saw_has_the_time_of_its_notice(bed: Bed):
    bed.end(0)
    before = now()

    bed.reaper.reap(9)

    assert before[0] <= bed.noticed[0][3][0] <= now()[0]


def test_each_run_is_asked_once_for_its_processes_however_many_there_are(bed: Bed):
    pids = bed.end(0, 0, 0)
    bed.reaper.leaders.clear()
    asked = []

    class Run:
        group = None

        @property
        def adopted(self) -> dict[int, int]:
            asked.append(self)
            return dict.fromkeys(pids, 1)

    run: Any = Run()
    bed.children["a run"] = run

    bed.reaper.adopt()

    assert asked == [run]
    for pid in pids:
        os.waitpid(pid, 0)
