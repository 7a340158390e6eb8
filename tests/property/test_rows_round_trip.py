"""A run and its row say the same, and ids can be searched by time whatever the clocks did."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rota.model.job import Job
from rota.model.run import (
    Actor,
    ActorKind,
    EndReason,
    HandOver,
    Kind,
    Run,
    RunId,
    Status,
    TriggeredBy,
)
from rota.model.task import Stdin
from rota.storage.drift import Drift
from rota.storage.row import of_end, of_life, of_run, to_run
from rota.storage.runs import _END, _LIFE
from rota.storage.schema import RUNS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

times = st.integers(0, 2**53).map(lambda microseconds: EPOCH + timedelta(microseconds=microseconds))
durations = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=36500))
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
numbers = st.integers(0, 2**31 - 1)

jobs = st.builds(
    Job,
    command=text | st.lists(text, min_size=1, max_size=3).map(tuple),
    cwd=text,
    name=st.none() | text,
    tags=st.lists(text, max_size=3).map(tuple),
    timeout=st.none() | durations,
    stdin=st.sampled_from(Stdin),
    pty=st.booleans(),
)
runs = st.builds(
    Run,
    id=text.map(RunId),
    kind=st.sampled_from(Kind),
    task_name=st.none() | text,
    job=st.none() | jobs,
    sealed=st.none() | text,
    actor=st.none() | st.builds(Actor, kind=st.sampled_from(ActorKind), name=text),
    status=st.sampled_from(Status),
    end_reason=st.none() | st.sampled_from(EndReason),
    is_failure=st.none() | st.booleans(),
    exit_code=st.none() | numbers,
    signal=st.none() | text,
    triggered_by=st.sampled_from(TriggeredBy),
    params=st.dictionaries(st.text(max_size=5), st.none() | st.text(max_size=5)),
    created_at=times,
    scheduled_at=st.none() | times,
    due_at=st.none() | times,
    missed_ticks=st.none() | numbers,
    missed_since=st.none() | times,
    start_at=st.none() | times,
    end_at=st.none() | times,
    duration=st.none() | durations,
    retry_attempt=numbers,
    retry_of_run_id=st.none() | text.map(RunId),
    next_attempt_run_id=st.none() | text.map(RunId),
    upstream_run_id=st.none() | text.map(RunId),
    instance_index=st.none() | numbers,
    pid=st.none() | numbers,
    cpu_time=st.none() | durations,
    max_rss=st.none() | st.integers(0, 2**62),
    message=st.none() | text,
    node=text,
    hand_over=st.none() | st.builds(HandOver, attempt=text.filter(bool), keeper_id=text, boot_id=text),
)


@given(runs)
def test_a_run_comes_back_from_its_row(run):
    assert to_run(of_run(run)) == run


@given(runs)
def test_a_move_writes_the_same_values_as_the_whole_row_would(run):
    whole = dict(zip(RUNS.c.keys(), of_run(run), strict=True))

    assert dict(zip(_LIFE, of_life(run), strict=True)) == {column: whole[column] for column in _LIFE}
    assert dict(zip(_END, of_end(run), strict=True)) == {column: whole[column] for column in _END}


@given(runs, st.timezones())
def test_a_time_is_stored_as_the_moment_that_it_is_in_any_zone(run, zone):
    assert of_run(replace(run, created_at=run.created_at.astimezone(zone))) == of_run(run)


milliseconds = st.integers(0, 2**42)


@given(milliseconds, times, times)
def test_a_search_by_time_passes_by_no_run_that_it_should_show(made, created_at, asked):
    digits = f"{made:012x}7000800000000000000f"
    run_id = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    drift = Drift(None)
    drift.take_in([Run(id=RunId(run_id), task_name="a", triggered_by=TriggeredBy.API, created_at=created_at)])

    if created_at >= asked:
        assert drift.first_id(asked) <= run_id
    if created_at <= asked:
        assert run_id < drift.last_id(asked)


@given(st.lists(st.tuples(milliseconds, times), max_size=20))
def test_the_drift_is_saved_whenever_it_grew(pairs):
    drift = Drift(None)
    kept = None
    for made, created_at in pairs:
        digits = f"{made:012x}"
        run = Run(
            id=RunId(f"{digits[:8]}-{digits[8:]}-7000-8000-000000000000"),
            task_name="a",
            triggered_by=TriggeredBy.API,
            created_at=created_at,
        )
        widest = drift.take_in([run])
        drift.saved(widest)
        kept = widest or kept

    assert Drift(kept).first_id(datetime(2100, 1, 1, tzinfo=UTC)) == drift.first_id(
        datetime(2100, 1, 1, tzinfo=UTC)
    )
