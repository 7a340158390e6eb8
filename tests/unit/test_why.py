"""What became of each tick, told from the runs alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rota.engine.missed import missed_run
from rota.engine.slots import Slots
from rota.engine.why import Outcome, fates, no_ticks, unrecorded_ticks, waited_for_others
from rota.model.run import Ending, EndReason, HandOver, Run, RunId, TriggeredBy, WaitingFor, WaitKind
from rota.model.task import Task
from rota.timing.gap import Gap
from rota.timing.schedule import parse_schedule

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def tick(minute: float, *, by: TriggeredBy = TriggeredBy.CRON, **fields: Any) -> Run:
    at = NOON + minute * MINUTE
    fields = {"created_at": at, "scheduled_at": at} | fields
    return Run(id=RunId(f"r{minute}{by}"), task_name="job", triggered_by=by, **fields)


def ran(minute: float, *, wait: float = 0, took: float = 0.5, reason: EndReason = EndReason.SUCCESS) -> Run:
    run = tick(minute)
    start = run.created_at + wait * MINUTE
    handed = run.handed_over(HandOver(attempt="a", keeper_id="k", boot_id="b")).started(at=start, pid=1)
    return handed.ended(reason, Ending(end_at=start + took * MINUTE))


def ended(run: Run, reason: EndReason, message: str) -> Run:
    return run.ended(reason, Ending(end_at=run.created_at, message=message))


def told(*ticks: Run, others: tuple[Run, ...] = ()) -> list[tuple[Outcome, int, str]]:
    found = fates(ticks, (*ticks, *others), ())
    return [(fate.outcome, fate.count, fate.message) for fate in found]


def test_ticks_of_one_fate_in_a_row_are_one_entry_with_a_count() -> None:
    runs = [*(ran(n) for n in range(5)), ran(5, reason=EndReason.FAILED), *(ran(n) for n in range(6, 8))]

    found = fates(list(reversed(runs)), runs, ())

    assert [(fate.outcome, fate.end_reason, fate.count) for fate in found] == [
        (Outcome.RAN, "success", 5),
        (Outcome.RAN, "failed", 1),
        (Outcome.RAN, "success", 2),
    ]
    assert (found[0].first, found[0].last, found[0].run_id) == (NOON, NOON + 4 * MINUTE, runs[4].id)


def test_a_run_that_waited_says_behind_which() -> None:
    first, second = ran(0, took=3), ran(1, wait=2)

    (alone, waited) = fates([first, second], [first, second], ())

    assert alone.behind == ()
    assert (waited.outcome, waited.behind) == (Outcome.RAN, (first.id,))
    assert waited.message == "ran after another run of the task, and ended as success"


def test_skipped_ticks_name_the_run_that_was_in_the_way_also_one_that_was_asked_for() -> None:
    by_hand = ran(0.5, took=60)
    skipped = [
        ended(tick(n), EndReason.SKIPPED, "the task was running, and on_overlap is skip") for n in (1, 2)
    ]

    (fate,) = fates(skipped, [by_hand], ())

    assert (fate.outcome, fate.count, fate.behind) == (Outcome.SKIPPED, 2, (by_hand.id,))


def test_a_gap_counts_its_ticks_and_comes_before_what_makes_it_good() -> None:
    gap = Gap(task_name="job", count=9, first=NOON, newest=NOON + 8 * MINUTE)
    missed = missed_run(gap, run_id=RunId("gap"), now=NOON + 10 * MINUTE, caught_up=1)
    pause = WaitingFor(kind=WaitKind.PAUSE)
    late = tick(8, by=TriggeredBy.CATCH_UP, created_at=NOON + 10 * MINUTE, waiting_for=pause)

    found = fates([late, missed], [], ())

    assert [(fate.outcome, fate.count, fate.first) for fate in found] == [
        (Outcome.MISSED, 9, NOON),
        (Outcome.WAITING, 1, NOON + 8 * MINUTE),
    ]
    assert "Rota was not running; the newest is run now" in found[0].message
    assert found[1].message == "waits for the end of a pause, to make good a gap"


def test_each_other_fate_is_told() -> None:
    holder = ran(-1, took=60)

    assert told(
        ended(tick(0), EndReason.QUEUE_FULL, "full"),
        ended(tick(1), EndReason.MISSED, "it had not started within its start_deadline of 3m"),
        ended(tick(2), EndReason.STOPPED, "cancelled by cli"),
        ended(tick(3), EndReason.START_FAILED, "no such program"),
        tick(4, waiting_for=WaitingFor(kind=WaitKind.TASK, name="job", run_ids=(holder.id,))),
        tick(5, due_at=NOON + 6 * MINUTE, waiting_for=WaitingFor(kind=WaitKind.TIME)),
        tick(6, due_at=NOON + 7 * MINUTE, waiting_for=WaitingFor(kind=WaitKind.SERVER, run_ids=(holder.id,))),
        tick(7, waiting_for=WaitingFor(kind=WaitKind.KEEPER)),
        tick(8),
        others=(holder,),
    ) == [
        (Outcome.QUEUE_FULL, 1, "full"),
        (Outcome.MISSED, 1, "it had not started within its start_deadline of 3m"),
        (Outcome.CANCELLED, 1, "cancelled by cli"),
        (Outcome.START_FAILED, 1, "no such program"),
        (Outcome.WAITING, 1, "waits for its turn behind another run of the task"),
        (Outcome.NOT_DUE, 1, "is not due yet: jitter puts it off"),
        (Outcome.WAITING, 1, "waits for its turn behind others, which have the slots of the server"),
        (Outcome.WAITING, 1, "waits until Rota can start programs again"),
        (Outcome.WAITING, 1, "is about to start"),
    ]


def test_a_tick_that_waited_for_others_than_its_own_task_names_them() -> None:
    late = ran(1, wait=2)
    group = WaitingFor(kind=WaitKind.GROUP, name="heavy", run_ids=(RunId("a"), RunId("b")))

    (fate,) = fates([late], [late], (), {late.id: group})

    assert fate.message == "ran after others, which had the slots of the group heavy, and ended as success"
    assert fate.behind == group.run_ids
    assert waited_for_others(late, [late])
    assert not waited_for_others(late, [late, ran(0, took=3)])
    assert not waited_for_others(ran(1), [])


def test_who_had_all_slots_of_a_group_or_the_server_is_told_by_who_lived() -> None:
    tasks = {name: Task(name=name, run="true", group="few") for name in ("job", "other")}
    group, server = Slots(tasks, groups={"few": 1}, server=2).shared(tasks["job"])
    first, second = ran(0), replace(ran(1), task_name="other")

    assert [each.taken_by([first]) for each in (group, server)] == [
        WaitingFor(kind=WaitKind.GROUP, name="few", run_ids=(first.id,)), None,
    ]  # fmt: skip
    assert server.taken_by([second, first]) == WaitingFor(kind=WaitKind.SERVER, run_ids=(second.id, first.id))
    assert group.taken_by([replace(first, task_name="stranger")]) is None
    assert [*Slots(tasks, groups={"few": 1}).shared(Task(name="a", run="true", group="label"))] == []


def test_a_tick_of_which_no_run_tells_is_told_all_the_same() -> None:
    schedules = (parse_schedule("* * * * *", "UTC"),)
    gap = Gap(task_name="job", count=2, first=NOON + 3 * MINUTE, newest=NOON + 4 * MINUTE)
    runs = [tick(0), tick(1), missed_run(gap, run_id=RunId("gap"), now=NOON), tick(6)]

    found = unrecorded_ticks(runs, schedules, since=NOON - MINUTE, until=NOON + 7 * MINUTE)
    fewer = unrecorded_ticks(runs, schedules, since=NOON + 6 * MINUTE, until=NOON + 7 * MINUTE)

    assert found == [NOON + n * MINUTE for n in (2, 5, 7)]
    assert fewer == [NOON + 7 * MINUTE]
    assert [fate.outcome for fate in fates(runs, runs, found)].count(Outcome.UNRECORDED) == 3
    assert unrecorded_ticks([], schedules, since=NOON, until=NOON + MINUTE) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "it has no cron: it starts only when it is asked to"),
        ({"cron": ("@daily",), "enabled": False}, "it is not enabled: its schedule is off"),
        (
            {"cron": ("@daily",), "not_after": NOON.date()},
            "no tick of it is left until its not_after, which is 2026-03-02",
        ),
        ({"cron": ("@daily",), "only": ("never",)}, "its calendars leave none of its ticks"),
    ],
)
def test_a_task_that_is_not_due_any_more_says_why(fields: dict[str, Any], said: str) -> None:
    assert no_ticks(Task(name="job", run="true", **fields)) == said
