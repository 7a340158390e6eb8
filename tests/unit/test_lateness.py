"""When a pending run may start and until when; and by how much a tick is spread."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import fmean

import pytest

from rota.engine.lateness import Timing, look_at, timing_of
from rota.engine.missed import owed_ticks
from rota.model.run import Run, RunId, TriggeredBy
from rota.model.task import Overlap, Task
from rota.timing.gap import Gap
from rota.timing.jitter import due

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
JOB = Task(name="job", run="true", start_deadline=5 * MINUTE)
FREE = Task(name="job", run="true")


def run(
    *, by: TriggeredBy = TriggeredBy.CRON, tick: datetime | None = NOON, due_at: datetime | None = None
) -> Run:
    return Run(
        id=RunId("r"), task_name="job", triggered_by=by, created_at=NOON, scheduled_at=tick, due_at=due_at
    )


@pytest.mark.parametrize(
    ("minutes", "timing", "next_look"),
    [
        (-1, Timing.EARLY, 0),
        (0, Timing.DUE, 5),
        (4.9, Timing.DUE, 5),
        (5, Timing.LATE, 5),
        (9, Timing.LATE, 5),
    ],
)
def test_a_run_is_early_due_or_late(minutes: float, timing: Timing, next_look: float) -> None:
    now = NOON + minutes * MINUTE

    assert timing_of(run(), JOB, now) is timing
    assert look_at(run(), JOB, now) == NOON + next_look * MINUTE


def test_jitter_puts_off_the_deadline_too() -> None:
    spread = run(due_at=NOON + 3 * MINUTE)

    assert timing_of(spread, JOB, NOON + 2 * MINUTE) is Timing.EARLY
    assert timing_of(spread, JOB, NOON + 7 * MINUTE) is Timing.DUE
    assert timing_of(spread, JOB, NOON + 8 * MINUTE) is Timing.LATE


@pytest.mark.parametrize(
    ("made", "task"),
    [(run(tick=None), JOB), (run(), FREE), (run(), None), (run(by=TriggeredBy.RETRY), JOB)],
    ids=["has no time", "no deadline", "no task", "a retry"],
)
def test_what_has_no_deadline_is_never_late(made: Run, task: Task | None) -> None:
    assert timing_of(made, task, NOON + timedelta(days=400)) is Timing.DUE
    assert look_at(made, task, NOON + timedelta(days=400)) is None


TICKS = tuple(NOON - back * MINUTE for back in (6, 5, 4, 3))
GAP = Gap(task_name="job", count=9, first=NOON - timedelta(hours=1), newest=TICKS[-1], owed=TICKS)


def owed(task: Task, *, room: int = 100, jitter: timedelta = timedelta()) -> tuple[datetime, ...]:
    return tuple(owed_ticks(GAP, task, NOON, room=room, due=lambda tick: tick + jitter))


def test_a_gap_owes_no_tick_whose_deadline_is_over() -> None:
    assert owed(JOB) == TICKS[2:]
    assert owed(JOB, jitter=MINUTE) == TICKS[1:]
    assert owed(FREE) == TICKS


def test_a_gap_owes_the_newest_ticks_for_which_there_is_room() -> None:
    assert owed(FREE, room=4) == TICKS
    assert owed(FREE, room=1) == TICKS[3:]
    assert owed(FREE, room=0) == ()
    assert owed(replace(FREE, on_overlap=Overlap.SKIP), room=0) == TICKS  # which it lets go by itself


def test_the_due_time_of_a_tick_is_the_same_whenever_it_is_asked_and_everybodys_own() -> None:
    hour = timedelta(hours=1)

    assert due(NOON, hour, "store", "job") == due(NOON, hour, "store", "job")
    others = {due(NOON, hour, *seed) for seed in (("store", "job"), ("store", "other"), ("another", "job"))}
    assert len(others) == 3
    assert due(NOON, hour, "store", "job") - NOON != due(NOON + hour, hour, "store", "job") - NOON - hour
    assert due(NOON, timedelta(), "store", "job") == NOON


def test_due_times_are_spread_over_all_of_the_jitter() -> None:
    parts = [
        (due(NOON, timedelta(minutes=10), "store", f"job-{n}") - NOON) / timedelta(minutes=10)
        for n in range(10_000)
    ]

    assert all(0 <= part < 1 for part in parts)
    assert abs(fmean(parts) - 0.5) < 0.02
    tenths = [sum(n <= part * 10 < n + 1 for part in parts) for n in range(10)]
    assert min(tenths) > 850
    assert max(tenths) < 1150
