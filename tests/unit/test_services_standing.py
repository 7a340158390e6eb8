"""How a service stands: whether it will go on by itself, and what it waits for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rota.engine.services.instance import Instance, Leaving, Life
from rota.engine.services.standing import ServiceNow, service_now
from rota.engine.services.supervised import Supervised
from rota.model.run import RunId
from rota.model.service import Rest, Service, Wanted
from rota.model.task import Task

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = 1000.0
RUNNING = Wanted(running=True)
STOPPED = Wanted(running=False)
ROLLING = replace(RUNNING, rolling=True, stale=frozenset({RunId("run-0"), RunId("run-1")}))


def lives(index: int = 0, *, since: float = 100.0, run_id: str | None = None, **about: object) -> Instance:
    """It has lived for so many seconds, without a check."""
    life = Life(run_id=RunId(run_id or f"run-{index}"), began=NOW - since, **about)  # type: ignore[arg-type]
    return Instance(index=index, life=life)


def rests(index: int = 0, *, at_rest: Rest | None = None, ready_at: float = 0.0) -> Instance:
    return Instance(index=index, at_rest=at_rest, ready_at=ready_at)


def standing(wanted: Wanted, *instances: Instance, needs: ServiceNow | None = None) -> ServiceNow:
    service = Service(life=Task(name="web", run="true"), instances=len(instances))
    it = Supervised(service, wanted, list(instances))
    return service_now(it, now=NOW, at=NOON, needs=needs)


@pytest.mark.parametrize(
    ("wanted", "instances", "settled"),
    [
        (RUNNING, [lives()], True),
        (RUNNING, [rests(at_rest=Rest.GAVE_UP)], True),
        (RUNNING, [rests(at_rest=Rest.DONE)], True),
        (STOPPED, [rests()], True),
        (RUNNING, [lives(since=0.5)], False),
        (RUNNING, [rests()], False),
        (RUNNING, [rests(ready_at=NOW + 1)], False),
        (RUNNING, [lives(leaving=Leaving.REPLACED)], False),
        (STOPPED, [lives()], False),  # it waits for the end of what depends on it
        (ROLLING, [lives(0), lives(1)], False),
        (ROLLING, [lives(0, run_id="new"), lives(1)], False),
        (ROLLING, [rests(0, at_rest=Rest.DONE), lives(1)], False),
        (ROLLING, [rests(0, at_rest=Rest.GAVE_UP), lives(1)], True),
        (replace(ROLLING, rolling=False), [lives(0, leaving=Leaving.REPLACED)], False),
    ],
)
def test_it_has_settled_when_nothing_of_it_will_change_by_itself(
    wanted: Wanted, instances: list[Instance], settled: bool
) -> None:
    assert standing(wanted, *instances).settled is settled


def test_what_waits_for_another_has_settled_when_that_has() -> None:
    failed = standing(RUNNING, rests(at_rest=Rest.GAVE_UP))
    trying = standing(RUNNING, rests(ready_at=NOW + 1))

    in_vain = standing(RUNNING, rests(0), rests(1), needs=failed)
    hopeful = standing(RUNNING, rests(0), rests(1), needs=trying)

    assert (in_vain.waiting_for, in_vain.settled) == ("web", True)
    assert [each.message for each in in_vain.instances] == ["it waits for web, which is failed"] * 2
    assert (hopeful.waiting_for, hopeful.settled) == ("web", False)


def test_what_lives_waits_for_nothing_though_another_has_failed() -> None:
    failed = standing(RUNNING, rests(at_rest=Rest.GAVE_UP))

    now = standing(RUNNING, lives(0), lives(1, since=0.5), needs=failed)

    assert (now.waiting_for, now.settled) == (None, False)
    assert [each.message for each in now.instances] == [None, None]
