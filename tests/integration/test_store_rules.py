"""The tables say the same as the words: every member of an enum, every move, and the life of a run."""

import re
from dataclasses import replace

import pytest
from sample_runs import KEEPER, NOW, a_job, a_run
from sqlalchemy import CheckConstraint

from rota.model.job import Job
from rota.model.run import MOVES, ActorKind, Ending, EndReason, Kind, Run, Status, TriggeredBy
from rota.model.task import Stdin
from rota.storage import row
from rota.storage.schema import RUNS
from rota.storage.store import Store

COLUMNS = RUNS.c.keys()


@pytest.fixture
async def insert(tmp_path):
    """Tries to insert a row, past every check of ours in Python; whether the database took it."""
    store = Store.open(tmp_path)
    text = f"INSERT INTO runs VALUES ({', '.join('?' * len(COLUMNS))})"

    async def attempt(run=None, **columns):
        values = dict(zip(COLUMNS, row.of_run(run or a_run()), strict=True)) | columns
        try:
            await store._writer.submit(lambda cursor: cursor.execute(text, tuple(values.values())))
        except Exception as error:
            assert "CHECK constraint failed" in str(error) or "NOT NULL constraint failed" in str(error)
            return False
        await store._writer.submit(lambda cursor: cursor.execute("DELETE FROM runs"))
        return True

    yield attempt
    await store.close()


def at(status):
    """A run in this status, brought there by moves alone."""
    return {
        Status.PENDING: a_run(),
        Status.RUNNING: a_run().handed_over(KEEPER).started(at=NOW, pid=1),
        Status.ENDED: a_run().ended(EndReason.SKIPPED, Ending(end_at=NOW)),
    }[status]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("kind", Kind),
        ("status", Status),
        ("end_reason", EndReason),
        ("triggered_by", TriggeredBy),
        ("stdin", Stdin),
        ("actor_kind", ActorKind),
    ],
)
def test_the_check_of_a_closed_set_names_exactly_its_members(column, words):
    (check,) = (
        str(constraint.sqltext)
        for constraint in RUNS.constraints
        if isinstance(constraint, CheckConstraint) and str(constraint.sqltext).startswith(f"{column} IN")
    )

    assert re.findall(r"'(\w+)'", check) == [member.value for member in words]


async def test_every_word_is_taken_and_no_other(insert):
    for kind in Kind:
        assert await insert(a_job() if kind is Kind.JOB else a_run(), kind=kind.value)
    for stdin in Stdin:
        assert await insert(a_job(stdin=stdin))
    for kind in ActorKind:
        assert await insert(actor_kind=kind.value, actor_name="ann")
    for by in TriggeredBy:
        assert await insert(triggered_by=by.value)
    for reason in EndReason:
        assert await insert(at(Status.ENDED), end_reason=reason.value)

    assert not await insert(kind="cron")
    assert not await insert(triggered_by="cronjob")
    assert not await insert(status="done")
    assert not await insert(a_job(), stdin="file")
    assert not await insert(actor_kind="daemon", actor_name="ann")
    assert not await insert(at(Status.ENDED), end_reason="")


def test_there_is_a_run_for_every_status_and_every_move_between_them():
    assert {at(status).status for status in MOVES} == set(Status)


@pytest.mark.parametrize(
    ("before", "after"), [(before, after) for before, allowed in MOVES.items() for after in sorted(allowed)]
)
async def test_a_move_of_the_table_is_stored_and_its_outcome_obeys_the_checks(tmp_path, before, after):
    store = Store.open(tmp_path)
    run = at(before)
    moved = (
        run.started(at=NOW, pid=7)
        if after is Status.RUNNING
        else run.ended(EndReason.FAILED, Ending(end_at=NOW, exit_code=3))
    )
    await store.create(run)

    assert await store.move(run, moved)

    assert await store.run(run.id) == moved
    await store.close()


@pytest.mark.parametrize("status", Status)
async def test_what_moves_bring_about_is_allowed(insert, status):
    assert await insert(at(status))


@pytest.mark.parametrize(
    ("status", "columns"),
    [
        (Status.PENDING, {"start_at": 1}),
        (Status.PENDING, {"pid": 1}),
        (Status.PENDING, {"end_reason": "success"}),
        (Status.PENDING, {"end_at": 1}),
        (Status.PENDING, {"exit_code": 0}),
        (Status.RUNNING, {"start_at": None}),
        (Status.RUNNING, {"pid": None}),
        (Status.RUNNING, {"end_reason": "success"}),
        (Status.RUNNING, {"end_at": 1}),
        (Status.RUNNING, {"exit_code": 0}),
        (Status.RUNNING, {"signal": "SIGTERM"}),
        (Status.RUNNING, {"duration": 1}),
        (Status.RUNNING, {"cpu_time": 1}),
        (Status.RUNNING, {"max_rss": 1}),
        (Status.ENDED, {"end_reason": None}),
        (Status.ENDED, {"end_at": None}),
        (Status.ENDED, {"exit_code": 0, "signal": "SIGTERM"}),
        (Status.PENDING, {"attempt": "a"}),
        (Status.PENDING, {"attempt": "a", "keeper_id": "k"}),
        (Status.PENDING, {"boot_id": "b"}),
        (Status.PENDING, {"retry_attempt": -1}),
        (Status.PENDING, {"instance_index": -1}),
        (Status.PENDING, {"node": None}),
        (Status.PENDING, {"params": None}),
    ],
)
async def test_what_no_move_brings_about_is_refused(insert, status, columns):
    assert not await insert(at(status), **columns)


@pytest.mark.parametrize(
    "columns",
    [
        {"task_name": "backup"},
        {"command": None},
        {"cwd": None},
        {"stdin": None},
        {"pty": None},
        {"kind": "task"},
    ],
)
async def test_a_job_says_what_it_runs_and_is_no_tasks(insert, columns):
    assert await insert(a_job())
    assert not await insert(a_job(), **columns)


@pytest.mark.parametrize(
    "columns",
    [
        {"task_name": None},
        {"command": '"make"'},
        {"name": "build"},
        {"tags": "[]"},
        {"timeout": 1},
        {"actor_name": "ann"},
        {"actor_kind": "user"},
    ],
)
async def test_only_a_job_defines_itself_and_an_actor_is_whole(insert, columns):
    assert not await insert(a_run(), **columns)


async def test_no_secret_outlives_a_run(insert):
    for run in (replace(a_job(), sealed="x"), replace(a_run(), sealed="x")):
        assert await insert(run)
        ended = run.ended(EndReason.STOPPED, Ending(end_at=NOW))

        assert ended.sealed is None
        assert not await insert(ended, sealed="x")


async def test_an_end_may_precede_its_start(insert):
    """The clock can be set back; the duration is measured by another one."""
    run = at(Status.RUNNING).ended(EndReason.SUCCESS, Ending(end_at=NOW, exit_code=0))

    assert await insert(run, start_at=2_000_000, end_at=1_000_000)


def test_every_field_of_a_run_has_its_columns():
    run = set(Run.__dataclass_fields__) - {"hand_over", "job", "actor", "waiting_for", "deleted_at"}
    job = set(Job.__dataclass_fields__)

    assert set(COLUMNS) == run | job | {"attempt", "keeper_id", "boot_id", "actor_kind", "actor_name"}
