"""Admission: the fate of a trigger, by the task's rules and who is there."""

from __future__ import annotations

import pytest

from rota.engine.admission import Fate, admit, displaced, victim
from rota.model.run import RunId
from rota.model.task import Overlap, Task

A, B, C = RunId("a"), RunId("b"), RunId("c")


def task(**fields: object) -> Task:
    return Task(name="job", run="true", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("overlap", Overlap)
def test_a_free_slot_is_taken_whatever_the_overlap_rule(overlap: Overlap) -> None:
    assert admit(task(on_overlap=overlap, max_concurrent=2), holding=1, waiting=0) is Fate.START


@pytest.mark.parametrize(
    ("overlap", "fate"),
    [(Overlap.QUEUE, Fate.QUEUE), (Overlap.SKIP, Fate.SKIP), (Overlap.REPLACE, Fate.REPLACE)],
)
def test_without_a_slot_the_overlap_rule_decides(overlap: Overlap, fate: Fate) -> None:
    assert admit(task(on_overlap=overlap), holding=1, waiting=0) is fate


def test_a_full_queue_turns_away() -> None:
    assert admit(task(max_queued=2), holding=1, waiting=1) is Fate.QUEUE
    assert admit(task(max_queued=2), holding=1, waiting=2) is Fate.FULL
    assert admit(task(max_queued=0), holding=1, waiting=0) is Fate.FULL


def test_nobody_overtakes_those_who_wait() -> None:
    assert admit(task(), holding=0, waiting=1) is Fate.QUEUE


@pytest.mark.parametrize("overlap", Overlap)
def test_what_only_others_have_no_slot_for_waits_whatever_the_overlap_rule(overlap: Overlap) -> None:
    two = task(on_overlap=overlap, max_concurrent=2, max_queued=0)

    assert admit(two, holding=0, waiting=0, room=False) is Fate.QUEUE
    assert admit(two, holding=1, waiting=0, room=False) is Fate.QUEUE
    assert admit(two, holding=0, waiting=1, room=False) is Fate.QUEUE


def test_beyond_what_may_run_at_once_the_overlap_rule_decides_though_others_have_the_slots() -> None:
    assert admit(task(on_overlap=Overlap.SKIP), holding=0, waiting=1, room=False) is Fate.SKIP
    assert admit(task(on_overlap=Overlap.REPLACE), holding=0, waiting=1, room=False) is Fate.REPLACE
    assert admit(task(max_queued=1), holding=0, waiting=1, room=False) is Fate.QUEUE
    assert admit(task(max_queued=1), holding=0, waiting=2, room=False) is Fate.FULL


def test_what_a_pause_keeps_stands_in_nobodys_way_and_fills_the_queue() -> None:
    assert admit(task(), holding=0, waiting=0, kept=5) is Fate.START
    assert admit(task(max_queued=2), holding=1, waiting=1, kept=1) is Fate.FULL
    assert admit(task(on_overlap=Overlap.SKIP), holding=0, waiting=0, kept=1) is Fate.START


def test_only_the_newest_replacement_goes_on_waiting() -> None:
    assert displaced(task(on_overlap=Overlap.REPLACE), [A, B, C], holding=1) == [A, B]
    assert displaced(task(on_overlap=Overlap.QUEUE), [A, B, C], holding=1) == []


def test_as_many_replacements_wait_for_a_group_as_may_run_at_once() -> None:
    two = task(on_overlap=Overlap.REPLACE, max_concurrent=2)

    assert displaced(two, [A, B, C], holding=0) == [A]
    assert displaced(two, [A, B], holding=1) == [A]


def test_the_oldest_holder_makes_room_once() -> None:
    replacing = task(on_overlap=Overlap.REPLACE, max_concurrent=2)

    assert victim(replacing, [A, B], leaving=(), waiting=1) == A
    assert victim(replacing, [A, B], leaving={B}, waiting=1) is None
    assert victim(replacing, [A], leaving=(), waiting=1) is None
    assert victim(replacing, [A, B], leaving=(), waiting=0) is None
    assert victim(task(), [A], leaving=(), waiting=1) is None
