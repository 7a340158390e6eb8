"""Retries: which ends get another attempt, when it is due, and what it is given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.engine.retrying import next_attempt
from rota.model.backoff import Backoff
from rota.model.retry import MAX_DELAY, MOST_ATTEMPTS, Retry
from rota.model.run import Actor, ActorKind, Ending, EndReason, HandOver, Run, RunId, Status, TriggeredBy
from rota.model.task import Task
from rota.timing.duration import LONGEST

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
KEEPER = HandOver(attempt="a", keeper_id="k", boot_id="b")
durations = st.timedeltas(timedelta(), LONGEST)


def started(**fields: object) -> Run:
    run = Run(
        id=RunId("first"),
        task_name="job",
        triggered_by=TriggeredBy.CRON,
        created_at=NOON,
        hand_over=KEEPER,
        **fields,  # type: ignore[arg-type]
    )
    return run.started(at=NOON, pid=7)


def ended(run: Run, reason: EndReason = EndReason.FAILED, exit_code: int | None = 1, **fields: object) -> Run:
    return run.ended(reason, Ending(end_at=NOON, exit_code=exit_code), **fields)  # type: ignore[arg-type]


def following(run: Run, retry: Retry, *, now: datetime = NOON, **fields: object) -> Run | None:
    task = Task(name="job", run="false", retry=retry)
    return next_attempt(run, ended(run, **fields), task, run_id=RunId("next"), now=now, seed="store")  # type: ignore[arg-type]


def delays(retry: Retry, count: int) -> list[float]:
    return [retry.delay_after(failed).total_seconds() for failed in range(1, count + 1)]


def test_the_delay_stays_grows_by_as_much_or_doubles() -> None:
    assert delays(Retry(delay=2 * SECOND), 4) == [2, 2, 2, 2]
    assert delays(Retry(delay=2 * SECOND, backoff=Backoff.LINEAR), 4) == [2, 4, 6, 8]
    assert delays(Retry(delay=2 * SECOND, backoff=Backoff.EXPONENTIAL), 4) == [2, 4, 8, 16]
    capped = Retry(delay=2 * SECOND, backoff=Backoff.EXPONENTIAL, max_delay=5 * SECOND)
    assert delays(capped, 4) == [2, 4, 5, 5]


def test_a_delay_that_begins_above_an_hour_is_not_cut_short() -> None:
    assert Retry(delay=2 * MAX_DELAY).delay_after(1) == 2 * MAX_DELAY
    assert Retry(delay=SECOND, backoff=Backoff.EXPONENTIAL).delay_after(500) == MAX_DELAY


@given(st.sampled_from(Backoff), durations, st.none() | durations, st.integers(1, MOST_ATTEMPTS))
def test_no_delay_overflows_shrinks_or_is_longer_than_allowed(
    backoff: Backoff, delay: timedelta, more: timedelta | None, failed: int
) -> None:
    longest = None if more is None else max(delay, more)
    retry = Retry(delay=delay, backoff=backoff, max_delay=longest)

    wait, next_wait = retry.delay_after(failed), retry.delay_after(failed + 1)

    assert delay <= wait <= next_wait <= retry.longest
    assert NOON + wait


@given(durations, st.integers(1, MOST_ATTEMPTS - 1))
def test_jitter_is_added_to_the_delay_and_the_same_whenever_it_is_asked(
    jitter: timedelta, failed: int
) -> None:
    retry = Retry(attempts=MOST_ATTEMPTS, delay=SECOND, jitter=jitter)
    run = started(retry_attempt=failed - 1)

    one, two = following(run, retry), following(run, retry)

    assert one is not None
    assert one == two
    assert NOON + SECOND <= one.due <= NOON + SECOND + jitter  # type: ignore[operator]


def test_jitter_spreads_the_attempts_of_different_runs() -> None:
    retry = Retry(attempts=2, delay=SECOND, jitter=timedelta(minutes=1))
    task = Task(name="job", run="false", retry=retry)
    due = set()
    for number in range(20):
        run = started(retry_of_run_id=RunId(f"first-{number}"))
        attempt = next_attempt(run, ended(run), task, run_id=RunId("next"), now=NOON, seed="store")
        due.add(attempt.due if attempt is not None else None)

    assert len(due) > 15


def test_attempts_count_the_first() -> None:
    assert following(started(), Retry(attempts=1)) is None
    assert following(started(), Retry(attempts=2)) is not None
    assert following(started(retry_attempt=1), Retry(attempts=2)) is None


@pytest.mark.parametrize("reason", list(EndReason))
def test_what_another_attempt_may_mend_is_retried_if_it_is_a_failure(reason: EndReason) -> None:
    mendable = {"failed", "timeout", "start_failed", "log_overflow", "out_of_memory", "lost"}
    everything = frozenset(EndReason)

    retried = following(started(), Retry(attempts=3), reason=reason, exit_code=None, failures=everything)
    harmless = following(started(), Retry(attempts=3), reason=reason, exit_code=None, failures=frozenset())

    assert (retried is not None) == (reason in mendable)
    assert harmless is None


def test_on_narrows_it_to_end_reasons_and_exit_codes() -> None:
    retry = Retry(attempts=3, on=frozenset({EndReason.TIMEOUT, 75}))

    assert following(started(), retry, reason=EndReason.TIMEOUT, exit_code=None) is not None
    assert following(started(), retry, exit_code=75) is not None
    assert following(started(), retry, exit_code=1) is None
    assert following(started(), retry, reason=EndReason.LOST, exit_code=None) is None


def test_an_attempt_is_pending_until_it_is_due_and_is_given_what_the_first_was() -> None:
    run = started(params={"who": "ann"}, actor=Actor(kind=ActorKind.USER, name="ann"), sealed="secret")

    attempt = following(run, Retry(attempts=3, delay=5 * SECOND))

    assert attempt == Run(
        id=RunId("next"),
        status=Status.PENDING,
        task_name="job",
        triggered_by=TriggeredBy.RETRY,
        params={"who": "ann"},
        actor=Actor(kind=ActorKind.USER, name="ann"),
        created_at=NOON,
        scheduled_at=NOON + 5 * SECOND,
        retry_attempt=1,
        retry_of_run_id=RunId("first"),
        sealed="secret",
    )


def test_every_attempt_names_the_first() -> None:
    second = following(started(), Retry(attempts=3))
    assert second is not None
    third = following(second.handed_over(KEEPER).started(at=NOON, pid=8), Retry(attempts=3))

    assert third is not None
    assert (third.retry_attempt, third.retry_of_run_id) == (2, "first")


def test_the_attempts_of_a_tick_stand_for_that_tick() -> None:
    tick = NOON - timedelta(minutes=1)
    second = following(started(scheduled_at=tick), Retry(attempts=3, delay=SECOND))
    assert second is not None
    third = following(second.handed_over(KEEPER).started(at=NOON, pid=8), Retry(attempts=3, delay=SECOND))

    assert third is not None
    for attempt in (second, third):
        assert (attempt.scheduled_at, attempt.due, attempt.meant_for) == (tick, NOON + SECOND, tick)


def test_the_attempts_of_a_run_that_stands_for_no_time_do_neither() -> None:
    second = following(started(), Retry(attempts=3, delay=SECOND))
    assert second is not None
    later = NOON + timedelta(hours=1)
    third = next_attempt(
        second,
        second.handed_over(KEEPER).started(at=later, pid=8).ended(EndReason.FAILED, Ending(end_at=later)),
        Task(name="job", run="false", retry=Retry(attempts=3, delay=SECOND)),
        run_id=RunId("third"),
        now=later,
        seed="store",
    )

    assert third is not None
    assert (second.meant_for, third.meant_for) == (None, None)
    assert third.scheduled_at == later + SECOND


def test_the_delay_counts_from_the_end_even_if_it_is_heard_of_later() -> None:
    attempt = following(started(), Retry(attempts=2, delay=SECOND), now=NOON + timedelta(hours=1))

    assert attempt is not None
    assert attempt.due == NOON + SECOND


def test_an_end_that_lies_ahead_of_the_clock_puts_nothing_off() -> None:
    attempt = following(started(), Retry(attempts=2, delay=SECOND), now=NOON - timedelta(days=1))

    assert attempt is not None
    assert attempt.due == NOON - timedelta(days=1) + SECOND
