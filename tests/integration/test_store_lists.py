"""Lists of runs: each filter shows what it says, page by page, and never reads the whole table for it."""

import asyncio
import itertools
import random
from dataclasses import replace
from datetime import timedelta

import pytest
from sample_runs import NOW, a_job, a_run, ended, run_id, started

from rota.model.run import FAILURES, Ending, EndReason, Kind, Status, TriggeredBy
from rota.storage.page import RunFilter, _query, fits
from rota.storage.store import Store

REASONS = frozenset(EndReason)


def some_runs():
    """A few hundred runs that differ in everything that can be asked for."""
    dice = random.Random(7)
    for number in range(300):
        about = {
            "at": NOW + timedelta(minutes=number),
            "triggered_by": dice.choice([TriggeredBy.CRON, TriggeredBy.API, TriggeredBy.MCP]),
        }
        if dice.random() < 0.3:
            tags = tuple(dice.sample(["red", "green", "blue"], dice.randrange(3)))
            run = a_job(number, name=dice.choice([None, "build", "lint"]), tags=tags, **about)
        else:
            run = a_run(number, task_name=dice.choice(["a", "b", "c"]), **about)
        life = dice.random()
        if life < 0.1:
            yield run
        elif life < 0.2:
            yield started(run)
        elif life < 0.6:
            yield ended(started(run))
        else:
            reason = dice.choice(sorted(EndReason))
            failures = dice.choice([FAILURES, frozenset({EndReason.STOPPED})])
            yield run.ended(reason, Ending(end_at=run.created_at), failures=failures)


RUNS = list(some_runs())

FILTERS = [
    RunFilter(
        task_name=task_name, status=status, end_reason=end_reason, triggered_by=by, created_after=after,
        created_before=before,
    )
    for task_name, status, end_reason, by, (after, before) in itertools.product(
        [None, "b", "nobody"],
        [None, {Status.ENDED}, {Status.PENDING, Status.RUNNING}, {Status.RUNNING, Status.ENDED}],
        [None, {EndReason.SUCCESS}, REASONS - {EndReason.SUCCESS}],
        [None, {TriggeredBy.MCP}, {TriggeredBy.API, TriggeredBy.CRON}],
        [
            (None, None),
            (NOW + timedelta(minutes=100), NOW + timedelta(minutes=200)),
            (NOW + timedelta(minutes=250), None),
            (None, NOW + timedelta(minutes=50, microseconds=1)),
        ],
    )
]  # fmt: skip
FILTERS += [
    RunFilter(kind=kind, name=name, tags=tags, status=status, end_reason=end_reason, triggered_by=by)
    for kind, name, tags, status, end_reason, by in itertools.product(
        [None, {Kind.JOB}, {Kind.TASK}, {Kind.TASK, Kind.JOB}],
        [None, "build", "nobody"],
        [None, {"red"}, {"red", "blue"}, {"nobody"}],
        [None, {Status.PENDING, Status.RUNNING}],
        [None, REASONS - {EndReason.SUCCESS}],
        [None, {TriggeredBy.MCP}],
    )
    if kind or name or tags
]
FILTERS += [
    RunFilter(is_failure=is_failure, task_name=task_name, status=status, end_reason=end_reason, tags=tags)
    for is_failure, task_name, status, end_reason, tags in itertools.product(
        [True, False],
        [None, "b"],
        [None, {Status.ENDED}, {Status.RUNNING}],
        [None, {EndReason.SUCCESS}, {EndReason.SUCCESS, EndReason.STOPPED, EndReason.LOST}],
        [None, {"red"}],
    )
]


def shows(wanted, run):
    return (
        (wanted.task_name is None or run.task_name == wanted.task_name)
        and (wanted.kind is None or run.kind in wanted.kind)
        and (wanted.name is None or (run.job is not None and run.job.name == wanted.name))
        and (wanted.tags is None or (run.job is not None and not wanted.tags.isdisjoint(run.job.tags)))
        and (wanted.status is None or run.status in wanted.status)
        and (wanted.end_reason is None or run.end_reason in wanted.end_reason)
        and (wanted.is_failure is None or run.is_failure is wanted.is_failure)
        and (wanted.triggered_by is None or run.triggered_by in wanted.triggered_by)
        and (wanted.created_after is None or run.created_at >= wanted.created_after)
        and (wanted.created_before is None or run.created_at < wanted.created_before)
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    data = tmp_path_factory.mktemp("lists")

    async def fill():
        store = Store.open(data)
        await asyncio.gather(*map(store.create, RUNS))
        await store.close()

    asyncio.run(fill())
    return data


@pytest.fixture
async def store(data):
    store = Store.open(data)
    yield store
    await store.close()


def test_a_run_at_hand_is_let_through_by_the_filters_that_let_it_through_in_the_store():
    for wanted in FILTERS:
        assert [fits(run, wanted) for run in RUNS] == [shows(wanted, run) for run in RUNS], wanted


async def test_every_filter_shows_exactly_what_it_asks_for_newest_first(store):
    for wanted in FILTERS:
        page = await store.runs(wanted, limit=1000)

        assert page.items == [run for run in reversed(RUNS) if shows(wanted, run)], wanted
        assert page.next_cursor is None


@pytest.mark.parametrize(
    "wanted",
    [
        RunFilter(),
        RunFilter(task_name="a"),
        RunFilter(end_reason=REASONS),
        RunFilter(status={Status.PENDING}),
    ],
)
@pytest.mark.parametrize("limit", [1, 7, 300])
async def test_pages_follow_each_other_without_a_gap_or_a_repetition(store, wanted, limit):
    seen, cursor = [], None
    while True:
        page = await store.runs(wanted, limit=limit, cursor=cursor)
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
        assert len(page.items) == limit

    assert seen == [run for run in reversed(RUNS) if shows(wanted, run)]


async def test_runs_that_come_between_two_pages_do_not_disturb_the_second(tmp_path):
    store = Store.open(tmp_path)
    await store.create_many([a_run(n) for n in range(4)])
    first = await store.runs(RunFilter(), limit=2)

    await store.create(a_run(9))
    second = await store.runs(RunFilter(), limit=2, cursor=first.next_cursor)

    assert [run.id for run in second.items] == [run_id(1), run_id(0)]
    await store.close()


@pytest.mark.parametrize("cursor", ["", "x", "!!!!", "AAAA", "é", "AAAAAAAAAAA"])
async def test_what_is_no_cursor_is_refused(store, cursor):
    with pytest.raises(ValueError, match="cursor"):
        await store.runs(RunFilter(), limit=10, cursor=cursor)


async def test_a_cursor_is_refused_with_other_filters(store):
    mine = RunFilter(status={Status.ENDED, Status.RUNNING}, created_after=NOW)
    cursor = (await store.runs(mine, limit=1)).next_cursor

    assert await store.runs(
        RunFilter(status=frozenset([Status.RUNNING, Status.ENDED]), created_after=NOW), limit=1, cursor=cursor
    )
    for other in (RunFilter(), RunFilter(status={Status.ENDED}, created_after=NOW), RunFilter(task_name="a")):
        with pytest.raises(ValueError, match="other filters"):
            await store.runs(other, limit=1, cursor=cursor)


async def test_an_empty_set_shows_nothing_and_a_page_of_none_is_refused(store):
    assert (await store.runs(RunFilter(status=frozenset()), limit=10)).items == []
    assert (await store.runs(RunFilter(end_reason=frozenset()), limit=10)).items == []
    with pytest.raises(ValueError, match="one run"):
        await store.runs(RunFilter(), limit=0)


async def test_created_filters_are_exact_although_ids_were_made_by_another_clock(tmp_path):
    store = Store.open(tmp_path)
    early = a_run(1, at=NOW - timedelta(days=2), task_name="early")
    late = a_run(2, at=NOW, task_name="late")
    set_back = replace(a_run(3, task_name="set back", at=NOW), created_at=early.created_at)
    set_forward = replace(a_run(4, task_name="set forward", at=early.created_at), created_at=NOW)
    await store.create(early)
    await store.create(set_back)
    await store.create_many([late, set_forward])
    await store.close()

    store = Store.open(tmp_path)
    before = await store.runs(RunFilter(created_before=NOW - timedelta(days=1)), limit=10)
    after = await store.runs(RunFilter(created_after=NOW - timedelta(days=1)), limit=10)
    await store.close()

    assert {run.task_name for run in before.items} == {"early", "set back"}
    assert {run.task_name for run in after.items} == {"late", "set forward"}


async def test_an_id_that_is_no_uuid7_is_refused(store):
    with pytest.raises(ValueError, match="UUIDv7"):
        await store.create(replace(a_run(1), id="run-1"))


async def test_no_list_sorts_or_reads_a_whole_table(store):
    for wanted in FILTERS:
        query = _query(wanted, 100, None, store._drift).compile(
            dialect=store._readers._engine.dialect, compile_kwargs={"literal_binds": True}
        )
        plan = await store._readers.ask(
            lambda connection, query=query: [
                row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")
            ]
        )

        for step in plan:
            # Ids are read in order from one index; only the merger of a few pages is sorted.
            if step.startswith(("SCAN runs", "SEARCH runs")):
                assert "USING INDEX" in step or "USING COVERING INDEX" in step, (wanted, plan)
        if not any("UNION" in step or "SUBQUERY" in step or "CO-ROUTINE" in step for step in plan):
            assert not any("TEMP B-TREE" in step for step in plan), (wanted, plan)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (RunFilter(task_name="a", triggered_by={TriggeredBy.CRON}), "runs_by_task"),
        (RunFilter(task_name="a", status={Status.RUNNING}, triggered_by={TriggeredBy.CRON}), "runs_open"),
        (RunFilter(status={Status.RUNNING, Status.PENDING}), "runs_open"),
        (RunFilter(end_reason={EndReason.LOST}, triggered_by={TriggeredBy.CRON}), "runs_by_end"),
        (RunFilter(task_name="a", end_reason={EndReason.LOST}), "runs_by_task_and_end"),
        (RunFilter(task_name="a", end_reason={EndReason.LOST}, is_failure=True), "runs_by_task_and_end"),
        (RunFilter(triggered_by={TriggeredBy.MCP}), "runs_by_trigger"),
        (RunFilter(kind={Kind.JOB}), "runs_by_kind"),
        (RunFilter(kind={Kind.JOB}, triggered_by={TriggeredBy.MCP}), "runs_by_kind"),
        (RunFilter(kind={Kind.TASK}, triggered_by={TriggeredBy.MCP}), "runs_by_trigger"),
        (RunFilter(kind={Kind.JOB}, status={Status.RUNNING}), "runs_open"),
        (RunFilter(kind={Kind.JOB}, end_reason={EndReason.LOST}), "runs_by_end"),
        (RunFilter(kind={Kind.JOB}, name="build"), "runs_by_name"),
        (RunFilter(status={Status.ENDED}), "sqlite_autoindex_runs_1"),
    ],
)
async def test_a_list_is_read_from_the_index_that_narrows_it_most(store, wanted, index):
    query = _query(wanted, 100, None, store._drift)
    text = query.compile(dialect=store._readers._engine.dialect, compile_kwargs={"literal_binds": True})

    (step,) = await store._readers.ask(
        lambda connection: [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    )

    assert index in step.split()


async def test_failures_are_found_in_an_index_without_a_look_at_the_others(store):
    for wanted, index in (
        (RunFilter(is_failure=True), "runs_by_end"),
        (RunFilter(is_failure=True, task_name="a"), "runs_by_task_and_end"),
    ):
        query = _query(wanted, 100, None, store._drift)
        text = query.compile(dialect=store._readers._engine.dialect, compile_kwargs={"literal_binds": True})

        plan = await store._readers.ask(
            lambda connection, text=text: [
                row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")
            ]
        )

        found = [step for step in plan if step.startswith(("SCAN runs", "SEARCH runs")) and index in step]
        assert len(found) == len(EndReason) - 1
        assert all("USING COVERING INDEX" in step for step in found), plan


async def test_tagged_runs_are_read_from_the_tags_own_index(store):
    query = _query(RunFilter(kind={Kind.JOB}, tags={"red"}), 100, None, store._drift)
    text = query.compile(dialect=store._readers._engine.dialect, compile_kwargs={"literal_binds": True})

    plan = await store._readers.ask(
        lambda connection: [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    )

    assert any(step.startswith("SEARCH tags USING PRIMARY KEY (tag=?)") for step in plan), plan


async def test_runs_are_found_by_how_their_ids_end(store):
    ending = RUNS[7].id[-4:]

    assert await store.ending_with(ending, within=1000, limit=20) == [RUNS[7]]
    assert await store.ending_with(ending, within=100, limit=20) == []
    assert len(await store.ending_with("0", within=1000, limit=5)) == 5


async def test_a_run_that_is_deleted_is_no_longer_found_by_its_tags(tmp_path):
    store = Store.open(tmp_path)
    jobs = [ended(started(a_job(number, tags=("red", "blue")))) for number in (1, 2)]
    for job in jobs:
        await store.create(job)

    await store.delete([jobs[0].id])

    assert (await store.runs(RunFilter(tags={"red"}), limit=9)).items == [jobs[1]]
    count = "SELECT count(*) FROM tags"
    assert await store._readers.ask(lambda connection: connection.exec_driver_sql(count).scalar()) == 2
    await store.close()


async def test_the_last_runs_of_a_task_come_newest_first(store):
    mine = [run for run in reversed(RUNS) if run.task_name == "a"]

    assert await store.last_runs("a", 5) == mine[:5]
    assert await store.last_runs("nobody", 5) == []


async def test_the_latest_run_of_each_task_is_known(store, tmp_path):
    assert await store.latest_runs() == {run.task_name: run for run in RUNS if run.task_name is not None}

    empty = Store.open(tmp_path)
    assert await empty.latest_runs() == {}
    await empty.close()
