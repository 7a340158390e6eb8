"""Whatever store and keeper remember: each open run gets one verdict, by the rules of the hand-over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from rota.engine.reconcile import handed_elsewhere, reconcile
from rota.keeper.messages import Ended, Started
from rota.model.run import Ending, HandOver, Run, RunId, Status, TriggeredBy

AT = datetime(2026, 3, 2, tzinfo=UTC)
IDS = [RunId(f"run-{number}") for number in range(6)]

attempts = st.sampled_from(["one", "two"])
hand_overs = st.none() | st.builds(
    HandOver,
    attempt=attempts,
    keeper_id=st.sampled_from(["here", "gone"]),
    boot_id=st.sampled_from(["now", "before"]),
)


@st.composite
def open_runs(draw: st.DrawFn) -> list[Run]:
    runs = []
    for run_id in draw(st.lists(st.sampled_from(IDS), unique=True)):
        run = Run(id=run_id, task_name="job", triggered_by=TriggeredBy.API, created_at=AT)
        hand_over = draw(hand_overs)
        if hand_over is not None:
            run = run.handed_over(hand_over)
            if draw(st.booleans()):
                run = run.started(at=AT, pid=1)
        runs.append(run)
    return runs


def started(run_id: RunId, attempt: str) -> Started:
    return Started(run_id=run_id, attempt=attempt, pid=1, at=AT)


def ended(run_id: RunId, attempt: str) -> Ended:
    return Ended(run_id=run_id, attempt=attempt, pid=1, start_at=AT, ending=Ending(exit_code=0, end_at=AT))


lists = st.dictionaries(st.sampled_from(IDS), st.tuples(st.sampled_from([started, ended]), attempts)).map(
    lambda held: [make(run_id, attempt) for run_id, (make, attempt) in held.items()]
)
files = st.dictionaries(st.sampled_from(IDS), attempts).map(
    lambda found: {run_id: ended(run_id, attempt) for run_id, attempt in found.items()}
)


@given(open_runs(), lists, files)
def test_each_run_gets_the_one_verdict_that_the_rules_give(
    runs: list[Run], listed: list[Started | Ended], on_file: dict[RunId, Ended]
) -> None:
    held = {told.run_id: told for told in listed}

    verdicts = reconcile(runs, listed, keeper_id="here", boot_id="now", on_file=on_file)

    by_verdict = {
        "waiting": [run.id for run in verdicts.waiting],
        "spawn": [run.id for run in verdicts.spawn],
        "running": [run.id for run, _ in verdicts.running],
        "ended": [run.id for run, _ in verdicts.ended],
        "lost": [run.id for run in verdicts.lost],
    }
    assert sorted(run_id for run_ids in by_verdict.values() for run_id in run_ids) == sorted(
        run.id for run in runs
    )
    for run in runs:
        assert run.id in by_verdict[expected(run, held.get(run.id), on_file.get(run.id))]


@given(open_runs(), lists, files)
def test_what_may_live_is_never_started(
    runs: list[Run], listed: list[Started | Ended], on_file: dict[RunId, Ended]
) -> None:
    held = {told.run_id for told in listed}

    verdicts = reconcile(runs, listed, keeper_id="here", boot_id="now", on_file=on_file)

    for run in verdicts.spawn:
        assert run.status is Status.PENDING
        assert run.id not in held
        assert run.hand_over is not None
        assert (run.hand_over.keeper_id, run.hand_over.boot_id) == ("here", "now")
    for run in verdicts.waiting:
        assert run.hand_over is None
        assert run.id not in held


@given(open_runs(), lists)
def test_what_the_keeper_holds_and_no_run_accounts_for_is_let_go_or_stopped(
    runs: list[Run], listed: list[Started | Ended]
) -> None:
    accounted = {(run.id, run.hand_over.attempt) for run in runs if run.hand_over is not None}

    verdicts = reconcile(runs, listed, keeper_id="here", boot_id="now", on_file={})

    foreign = [told for told in listed if (told.run_id, told.attempt) not in accounted]
    assert verdicts.acknowledge == [told.run_id for told in foreign if isinstance(told, Ended)]
    assert verdicts.strays == [told for told in foreign if isinstance(told, Started)]


@given(open_runs())
def test_only_runs_of_other_keepers_and_boots_are_looked_up_on_file(runs: list[Run]) -> None:
    elsewhere = handed_elsewhere(runs, keeper_id="here", boot_id="now")

    for run in runs:
        here = (
            run.hand_over == replace(run.hand_over, keeper_id="here", boot_id="now")
            if run.hand_over
            else True
        )
        assert (run.id in elsewhere) is not here


def expected(run: Run, told: Started | Ended | None, on_file: Ended | None) -> str:
    hand_over = run.hand_over
    if hand_over is None:
        return "waiting" if told is None else "lost"
    if told is not None and told.attempt == hand_over.attempt:
        return "ended" if isinstance(told, Ended) else "running"
    if (hand_over.keeper_id, hand_over.boot_id) != ("here", "now"):
        return "ended" if on_file is not None and on_file.attempt == hand_over.attempt else "lost"
    return "spawn" if run.status is Status.PENDING and told is None else "lost"
