"""Missed ticks: one run that says how many, and a memory for the time in which nothing can be written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rota.engine.missed import Unrecorded, missed_run
from rota.model.run import EndReason, RunId, Status, TriggeredBy
from rota.timing.gap import Gap, GapCause
from rota.timing.planner import Tick

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def gap(count: int, *, exact: bool = True) -> Gap:
    return Gap(
        task_name="job", count=count, exact=exact, first=NOON, newest=NOON + timedelta(minutes=count - 1)
    )


def test_the_run_stands_at_the_newest_tick_and_says_how_many_went_by() -> None:
    run = missed_run(gap(3), run_id=RunId("r"), now=NOON + timedelta(hours=1))

    assert (run.status, run.end_reason, run.triggered_by) == (
        Status.ENDED,
        EndReason.MISSED,
        TriggeredBy.CRON,
    )
    assert run.scheduled_at == NOON + timedelta(minutes=2)
    assert run.end_at == NOON + timedelta(hours=1)
    assert (run.start_at, run.exit_code, run.pid) == (None, None, None)
    assert run.message is not None
    assert run.message.startswith("3 ticks went by between 2026-03-02 12:00:00 and 2026-03-02 12:02:00 UTC: ")


def test_one_tick_needs_no_span_and_a_count_that_was_given_up_says_so() -> None:
    one = missed_run(gap(1), run_id=RunId("r"), now=NOON).message or ""
    many = missed_run(gap(1000, exact=False), run_id=RunId("r"), now=NOON).message or ""

    assert one.startswith("1 tick went by: ")
    assert many.startswith("more than 1000 ticks went by between ")


def test_what_could_not_be_recorded_is_one_gap_a_task() -> None:
    unrecorded = Unrecorded()
    unrecorded.add([Tick(task_name="job", at=NOON + timedelta(hours=1))], [gap(3)])
    unrecorded.add([Tick(task_name="other", at=NOON)], [])

    assert unrecorded
    assert unrecorded.take() == [
        Gap(task_name="job", count=4, first=NOON, newest=NOON + timedelta(hours=1)),
        Gap(task_name="other", count=1, first=NOON, newest=NOON, cause=GapCause.STORE),
    ]
    assert not unrecorded
