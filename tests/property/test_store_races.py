"""Whatever is created and moved, in any order and by many at once, the store agrees with a dictionary."""

import asyncio
import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from rota.model.run import (
    MOVES,
    Ending,
    EndReason,
    HandOver,
    Run,
    RunId,
    Status,
    TriggeredBy,
)
from rota.storage.conflict import KeyTaken, TickTaken
from rota.storage.page import RunFilter
from rota.storage.requests import Request
from rota.storage.store import Store

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@cache
def empty_database():
    """A migrated database to be copied: migrating one for each example would take most of the time."""
    data = Path(tempfile.mkdtemp(prefix="rota-empty-"))
    asyncio.run(Store.open(data).close())
    content = (data / "rota.db").read_bytes()
    shutil.rmtree(data)
    return content


def moves_of(run, attempt):
    """Every value that the model's methods make of a run."""
    if run.status is Status.ENDED:
        return []
    ends = [
        run.ended(EndReason.SUCCESS, Ending(exit_code=0, end_at=NOW, duration=timedelta(seconds=1))),
        run.ended(EndReason.STOPPED, Ending(signal="SIGTERM", end_at=NOW - timedelta(days=1))),
        run.ended(EndReason.LOST, Ending(end_at=NOW, message="nobody knows")),
    ]
    if run.status is Status.RUNNING:
        return ends
    to = HandOver(attempt=attempt, keeper_id="k", boot_id="b")
    return [*ends, run.handed_over(to), run.taken_back(), run.handed_over(to).started(at=NOW, pid=2)]


def as_compared(run):
    return run.id, run.status, run.hand_over and run.hand_over.attempt, run.node


class StoreAgainstADictionary(RuleBasedStateMachine):
    """The dictionary is moved by the rules of compare-and-set alone."""

    snapshots = Bundle("snapshots")

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.data = Path(tempfile.mkdtemp(prefix="rota-races-"))
        self.runs: dict[str, Run] = {}
        self.keys: dict[str, Request] = {}
        self.count = 0

    @initialize()
    def open(self):
        (self.data / "rota.db").write_bytes(empty_database())
        self.store = Store.open(self.data, now=lambda: NOW)

    def wait_for(self, *asked):
        async def together():
            return await asyncio.gather(*(ask() for ask in asked), return_exceptions=True)

        return self.loop.run_until_complete(together())

    def new_run(self, task_name, tick):
        self.count += 1
        return Run(
            id=RunId(f"019ca5a8-a800-7000-8000-{self.count:012x}"),
            task_name=task_name,
            triggered_by=TriggeredBy.API if tick is None else TriggeredBy.CRON,
            created_at=datetime.fromtimestamp(0x019CA5A8A800 / 1000, UTC),
            scheduled_at=None if tick is None else NOW + timedelta(seconds=tick),
        )

    def tick_is_taken(self, run):
        return run.scheduled_at is not None and any(
            (other.task_name, other.scheduled_at) == (run.task_name, run.scheduled_at)
            for other in self.runs.values()
        )

    @rule(
        target=snapshots,
        wanted=st.lists(
            st.tuples(
                st.sampled_from("ab"), st.none() | st.integers(0, 2), st.none() | st.sampled_from("xy")
            ),
            min_size=1,
            max_size=4,
        ),
        synced=st.booleans(),
    )
    def create(self, wanted, synced):
        runs = [self.new_run(task_name, tick) for task_name, tick, _ in wanted]
        requests = [
            key
            and Request(
                key=key, method="POST", path="/", body_hash=run.id, run_id=run.id, status_code=201, at=NOW
            )
            for run, (_, _, key) in zip(runs, wanted, strict=True)
        ]

        outcomes = self.wait_for(
            *(
                partial(self.store.create, run, request=request, synced=synced)
                for run, request in zip(runs, requests, strict=True)
            )
        )

        for run, request, outcome in zip(runs, requests, outcomes, strict=True):
            if request and request.key in self.keys:
                assert isinstance(outcome, KeyTaken)
                assert outcome.request == self.keys[request.key]
            elif self.tick_is_taken(run):
                assert isinstance(outcome, TickTaken)
            else:
                assert outcome is None
                self.runs[run.id] = run
                if request:
                    self.keys[request.key] = request
        return multiple(*(run for run in runs if run.id in self.runs))

    @rule(target=snapshots, ticks=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4)), max_size=6))
    def create_many(self, ticks):
        runs = [self.new_run(task_name, tick) for task_name, tick in ticks]

        (inserted,) = self.wait_for(partial(self.store.create_many, runs))

        expected = []
        for run in runs:
            if not self.tick_is_taken(run):
                self.runs[run.id] = run
                expected.append(run)
        assert inserted == expected
        return multiple(*expected)

    @rule(
        target=snapshots,
        rivals=st.lists(
            st.tuples(snapshots, st.integers(0, 5), st.sampled_from(["t1", "t2"]), st.booleans()),
            min_size=1,
            max_size=4,
        ),
        elsewhere=st.booleans(),
    )
    def move(self, rivals, elsewhere):
        """Each rival moves from a run as it was at some time, all at once."""
        tried = []
        for before, choice, attempt, synced in rivals:
            seen = replace(before, node="elsewhere") if elsewhere and choice == 5 else before
            possible = moves_of(seen, attempt)
            if possible:
                tried.append((seen, possible[choice % len(possible)], synced))

        outcomes = self.wait_for(
            *(partial(self.store.move, before, after, synced=synced) for before, after, synced in tried)
        )

        won = []
        for (before, after, _), outcome in zip(tried, outcomes, strict=True):
            now = self.runs[before.id]
            assert (outcome is not None) is (as_compared(now) == as_compared(before))
            if outcome is not None:
                assert after.status is now.status or after.status in MOVES[now.status]
                self.runs[after.id] = after
                won.append(after)
        return multiple(*won)

    @rule()
    def restart(self):
        self.wait_for(self.store.close)
        self.store = Store.open(self.data, now=lambda: NOW)

    @invariant()
    def agrees(self):
        newest_first = sorted(self.runs.values(), key=lambda run: run.id, reverse=True)
        page, still_open, latest, *requests = self.wait_for(
            partial(self.store.runs, RunFilter(), limit=1000),
            self.store.open_runs,
            self.store.latest_runs,
            *(partial(self.store.request, key) for key in "xy"),
        )

        assert page.items == newest_first
        assert still_open == [run for run in reversed(newest_first) if run.status is not Status.ENDED]
        assert latest == {run.task_name: run for run in reversed(newest_first)}
        assert requests == [self.keys.get(key) for key in "xy"]

    def teardown(self):
        self.wait_for(self.store.close)
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        shutil.rmtree(self.data)


StoreAgainstADictionary.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=15,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestStoreAgainstADictionary = StoreAgainstADictionary.TestCase
