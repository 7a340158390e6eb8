"""What is decided about a service: which instances begin and end, when, and how all of it stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rota.engine.services.ending import after_end, asked_for, delay
from rota.engine.services.instance import Instance, Leaving, Life, Verdict, next_turn, state, verdict
from rota.engine.services.order import dependents, with_dependencies
from rota.engine.services.plan import Around, Plan, is_ready, plan
from rota.engine.services.standing import state_of_all
from rota.model.backoff import Backoff
from rota.model.run import FAILURES, EndReason, Kind, Run, RunId, Status, TriggeredBy
from rota.model.service import HealthCheck, InstanceState, Rest, Restart, Service, Wanted
from rota.model.task import Task

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = 1000.0
ALONE = Around()


def service(name: str = "web", **fields: object) -> Service:
    return Service(life=Task(name=name, run="true"), **fields)  # type: ignore[arg-type]


def instance(
    index: int = 0, *, since: float | None = 100.0, life: dict[str, object] | None = None
) -> Instance:
    """One that has lived so many seconds, and was healthy; `since` None: without a life."""
    if since is None:
        return Instance(index=index)
    about: dict[str, object] = {"began": NOW - since, "watched": NOW - since, "was_healthy": since > 1}
    run_id = RunId(f"run-{index}")
    return Instance(
        index=index,
        life=Life(run_id=run_id, **about | (life or {})),
        last_run_id=run_id,  # type: ignore[arg-type]
    )


def ended(reason: EndReason, exit_code: int | None = None, failures: frozenset[EndReason] = FAILURES) -> Run:
    return Run(
        id=RunId("run-0"),
        kind=Kind.SERVICE,
        task_name="web",
        triggered_by=TriggeredBy.SERVICE,
        created_at=NOON,
        status=Status.ENDED,
        end_reason=reason,
        is_failure=reason in failures,
        exit_code=exit_code,
        end_at=NOON,
    )


def steps(
    it: Service, wanted: Wanted, *instances: Instance, around: Around = ALONE, now: float = NOW
) -> Plan:
    return plan(it, wanted, instances, around, now)


RUNNING = Wanted(running=True)


# --- who begins and who ends


def test_what_is_wanted_and_has_no_life_begins() -> None:
    done = steps(service(instances=3), RUNNING, instance(0), instance(1, since=None), instance(2, since=None))

    assert done.start == (1, 2)
    assert done.stop == ()


def test_what_is_not_wanted_ends_once() -> None:
    leaving = instance(1, life={"leaving": Leaving.UNWANTED})

    done = steps(service(instances=2), Wanted(running=False), instance(0), leaving)

    assert done.stop == ((0, Leaving.UNWANTED),)
    assert done.start == ()


def test_a_smaller_scale_ends_those_behind_it_and_a_larger_one_begins_more() -> None:
    smaller = steps(service(instances=3), Wanted(running=True, scale=1), *map(instance, range(3)))
    larger = steps(
        service(),
        Wanted(running=True, scale=3),
        instance(0),
        instance(1, since=None),
        instance(2, since=None),
    )

    assert smaller.stop == ((1, Leaving.UNWANTED), (2, Leaving.UNWANTED))
    assert larger.start == (1, 2)


def test_what_waits_for_its_pause_begins_when_that_is_over() -> None:
    waiting = replace(instance(0, since=None), ready_at=NOW + 5)

    assert (steps(service(), RUNNING, waiting).start, steps(service(), RUNNING, waiting).wake) == (
        (),
        NOW + 5,
    )
    assert steps(service(), RUNNING, waiting, now=NOW + 5).start == (0,)


@pytest.mark.parametrize("rest", Rest)
def test_what_is_at_rest_does_not_begin(rest: Rest) -> None:
    assert steps(service(), RUNNING, replace(instance(0, since=None), at_rest=rest)).start == ()


def test_nothing_begins_while_it_waits_for_another_service() -> None:
    assert steps(service(), RUNNING, instance(0, since=None), around=Around(waits_for="db")).start == ()


def test_nothing_ends_before_what_depends_on_it() -> None:
    assert steps(service(), Wanted(running=False), instance(0), around=Around(held_by="shop")).stop == ()


# --- health


def test_without_a_check_what_has_lived_long_enough_is_healthy() -> None:
    it = service(healthy_after=timedelta(seconds=2))

    assert verdict(it, Life(run_id=RunId("r"), began=NOW - 1), NOW) is Verdict.UNKNOWN
    assert verdict(it, Life(run_id=RunId("r"), began=NOW - 2), NOW) is Verdict.WELL
    assert next_turn(it, Life(run_id=RunId("r"), began=NOW - 1), NOW) == NOW + 1
    assert verdict(it, Life(run_id=RunId("r")), NOW) is Verdict.UNKNOWN


CHECKED = service(health=HealthCheck(tcp="127.0.0.1:1", interval=timedelta(seconds=10), retries=3))


def test_with_a_check_it_is_healthy_once_that_has_passed_and_it_has_lived_long_enough() -> None:
    young = Life(run_id=RunId("r"), began=NOW - 0.5, passed=True)

    assert verdict(CHECKED, young, NOW) is Verdict.UNKNOWN
    assert verdict(CHECKED, young, NOW + 0.5) is Verdict.WELL
    assert verdict(CHECKED, replace(young, passed=False), NOW + 0.5) is Verdict.UNKNOWN


def test_what_never_passes_is_ill_after_its_start_period_and_all_retries() -> None:
    it = service(health=replace(CHECKED.health, start_period=timedelta(seconds=60)))  # type: ignore[type-var]
    life = Life(run_id=RunId("r"), began=NOW, watched=NOW)

    assert verdict(it, life, NOW + 89) is Verdict.UNKNOWN
    assert verdict(it, life, NOW + 90) is Verdict.ILL
    assert next_turn(it, life, NOW + 2) == NOW + 90


def test_what_a_server_takes_up_gets_its_time_anew() -> None:
    life = Life(run_id=RunId("r"), began=NOW - 5000, watched=NOW)

    assert verdict(CHECKED, life, NOW + 29) is Verdict.UNKNOWN
    assert verdict(CHECKED, life, NOW + 30) is Verdict.ILL


def test_it_takes_all_retries_in_a_row_to_be_ill() -> None:
    life = Life(run_id=RunId("r"), began=NOW - 100, passed=True, was_healthy=True)

    assert verdict(CHECKED, replace(life, misses=2), NOW) is Verdict.WELL
    assert verdict(CHECKED, replace(life, misses=3), NOW) is Verdict.ILL


def test_what_once_sent_a_sign_of_life_has_to_go_on() -> None:
    it = service(health=HealthCheck(notify=True, interval=timedelta(seconds=2), retries=2))
    life = Life(run_id=RunId("r"), began=NOW - 100, passed=True, was_healthy=True)

    assert verdict(it, life, NOW + 1000) is Verdict.WELL
    assert verdict(it, replace(life, pinged=NOW), NOW + 3) is Verdict.WELL
    assert verdict(it, replace(life, pinged=NOW), NOW + 4) is Verdict.ILL
    assert next_turn(it, replace(life, pinged=NOW), NOW) == NOW + 4


def test_what_is_ill_is_ended_unless_it_is_only_told() -> None:
    ill = instance(0, life={"passed": True, "misses": 3})
    told_only = service(health=replace(CHECKED.health, restart=False))  # type: ignore[type-var]

    assert steps(CHECKED, RUNNING, ill).stop == ((0, Leaving.UNHEALTHY),)
    assert steps(told_only, RUNNING, ill).stop == ()
    assert state(told_only, ill, wanted=True, now=NOW) is InstanceState.UNHEALTHY


def test_a_check_is_made_when_it_is_due_and_none_is_under_way() -> None:
    due = instance(0, life={"next_check": NOW})
    later = instance(1, life={"next_check": NOW + 3})
    under_way = instance(2, life={"next_check": NOW, "checking": True})
    leaving = instance(3, life={"next_check": NOW, "leaving": Leaving.REPLACED})

    done = steps(replace(CHECKED, instances=4), RUNNING, due, later, under_way, leaving)

    assert done.check == (0,)
    assert done.wake == NOW + 3


# --- restarts


def stale(*indexes: int) -> frozenset[RunId]:
    return frozenset(RunId(f"run-{index}") for index in indexes)


def test_a_restart_ends_every_life_at_once() -> None:
    wanted = Wanted(running=True, stale=stale(0, 1))

    done = steps(service(instances=2), wanted, instance(0), instance(1))

    assert done.stop == ((0, Leaving.REPLACED), (1, Leaving.REPLACED))


ROLLING = Wanted(running=True, stale=stale(0, 1, 2), rolling=True)


def test_a_rolling_restart_ends_one_life_while_all_others_are_healthy() -> None:
    three = service(instances=3)

    assert steps(three, ROLLING, *map(instance, range(3))).stop == ((0, Leaving.REPLACED),)
    on_its_way = instance(0, life={"leaving": Leaving.REPLACED})
    assert steps(three, ROLLING, on_its_way, instance(1), instance(2)).stop == ()
    gone = instance(0, since=None)
    assert steps(three, ROLLING, gone, instance(1), instance(2)).stop == ()
    young = replace(instance(0, since=0.5), life=Life(run_id=RunId("new"), began=NOW - 0.5))
    assert steps(three, ROLLING, young, instance(1), instance(2)).stop == ()
    grown = replace(young, life=Life(run_id=RunId("new"), began=NOW - 2, was_healthy=True))
    assert steps(three, ROLLING, grown, instance(1), instance(2)).stop == ((1, Leaving.REPLACED),)


def test_a_rolling_restart_begins_with_what_is_not_healthy_anyway() -> None:
    young = instance(2, since=0.2)

    assert steps(service(instances=3), ROLLING, instance(0), instance(1), young).stop == (
        (2, Leaving.REPLACED),
    )


def test_a_rolling_restart_stands_still_when_a_new_life_has_failed() -> None:
    failed = replace(instance(0, since=None), at_rest=Rest.GAVE_UP)

    assert steps(service(instances=3), ROLLING, failed, instance(1), instance(2)).stop == ()


def test_a_restart_is_over_when_none_of_its_lives_is_left() -> None:
    new = [replace(each, life=Life(run_id=RunId(f"new-{each.index}"))) for each in map(instance, range(3))]

    assert steps(service(instances=3), ROLLING, *new).is_replaced
    assert not steps(service(instances=3), ROLLING, *new[:2], instance(2)).is_replaced
    assert not steps(service(instances=3), RUNNING, *new).is_replaced


# --- ends


@pytest.mark.parametrize(
    ("restart", "reason", "exit_code", "rest"),
    [
        (Restart.ALWAYS, EndReason.SUCCESS, 0, None),
        (Restart.ALWAYS, EndReason.FAILED, 1, None),
        (Restart.ALWAYS, EndReason.STOPPED, None, None),
        (Restart.ALWAYS, EndReason.LOST, None, None),
        (Restart.ON_FAILURE, EndReason.SUCCESS, 0, Rest.DONE),
        (Restart.ON_FAILURE, EndReason.STOPPED, None, Rest.DONE),
        (Restart.ON_FAILURE, EndReason.FAILED, 1, None),
        (Restart.ON_FAILURE, EndReason.LOST, None, None),
        (Restart.ON_FAILURE, EndReason.START_FAILED, None, None),
        (Restart.NEVER, EndReason.SUCCESS, 0, Rest.DONE),
        (Restart.NEVER, EndReason.FAILED, 1, Rest.GAVE_UP),
    ],
)
def test_restart_says_after_which_ends_there_is_another_life(
    restart: Restart, reason: EndReason, exit_code: int | None, rest: Rest | None
) -> None:
    after = after_end(service(restart=restart), instance(0), ended(reason, exit_code), NOW)

    assert after.life is None
    assert after.at_rest is rest
    assert (after.restarts == 1) is (rest is None)
    assert (after.ready_at == NOW + 1) is (rest is None)


def test_lives_that_end_before_they_are_healthy_are_counted_and_pauses_grow_until_it_is_given_up() -> None:
    it, one = service(restart_attempts=4), instance(0, since=0.3)
    pauses = []

    for _ in range(4):
        after = after_end(it, one, ended(EndReason.FAILED, 1), NOW)
        pauses.append(after.ready_at - NOW if after.at_rest is None else None)
        one = replace(after, life=instance(0, since=0.3).life)

    assert pauses == [1, 2, 4, None]
    assert after.at_rest is Rest.GAVE_UP
    assert state(it, after, wanted=True, now=NOW) is InstanceState.FAILED


def test_with_0_attempts_it_is_never_given_up() -> None:
    one = replace(instance(0, since=0.3), failures=5000)

    after = after_end(service(restart_attempts=0), one, ended(EndReason.FAILED, 1), NOW)

    assert after.at_rest is None
    assert after.ready_at == NOW + 60


def test_a_life_that_was_healthy_ends_the_row() -> None:
    after = after_end(service(), replace(instance(0), failures=7), ended(EndReason.FAILED, 1), NOW)

    assert (after.failures, after.ready_at) == (0, NOW + 1)


def test_what_was_asked_to_end_is_no_failure() -> None:
    replaced = instance(0, since=0.2, life={"leaving": Leaving.REPLACED})

    after = after_end(service(restart=Restart.NEVER), replaced, ended(EndReason.STOPPED), NOW)

    assert (after.failures, after.at_rest, after.ready_at) == (0, None, NOW)


@pytest.mark.parametrize(
    ("restart", "reason", "failures", "rest"),
    [
        (Restart.ON_FAILURE, EndReason.OUT_OF_MEMORY, {EndReason.FAILED}, Rest.DONE),
        (Restart.ON_FAILURE, EndReason.OUT_OF_MEMORY, {EndReason.OUT_OF_MEMORY}, None),
        (Restart.ON_FAILURE, EndReason.STOPPED, {EndReason.STOPPED}, Rest.DONE),  # somebody wanted that
        (Restart.NEVER, EndReason.FAILED, set(), Rest.DONE),
        (Restart.ALWAYS, EndReason.FAILED, set(), None),
    ],
)
def test_what_a_failure_is_is_for_its_failures_to_say(
    restart: Restart, reason: EndReason, failures: set[EndReason], rest: Rest | None
) -> None:
    run = ended(reason, failures=frozenset(failures))

    assert after_end(service(restart=restart), instance(0), run, NOW).at_rest is rest


def test_what_was_ended_for_its_health_is_one() -> None:
    ill = instance(0, life={"leaving": Leaving.UNHEALTHY, "was_healthy": False})

    after = after_end(service(restart=Restart.ON_FAILURE), ill, ended(EndReason.STOPPED), NOW)

    assert (after.failures, after.at_rest) == (1, None)


def test_who_asks_for_it_has_it_tried_anew() -> None:
    tired = replace(instance(0, since=None), at_rest=Rest.GAVE_UP, failures=10, restarts=9, ready_at=NOW + 60)

    again = asked_for(tired, NOW)

    assert (again.at_rest, again.failures, again.restarts, again.ready_at) == (None, 0, 0, NOW)


@pytest.mark.parametrize(
    ("backoff", "seconds"),
    [
        (Backoff.CONSTANT, [2, 2, 2, 2, 2, 2]),
        (Backoff.LINEAR, [2, 4, 6, 8, 10, 12]),
        (Backoff.EXPONENTIAL, [2, 4, 8, 16, 32, 60]),
    ],
)
def test_pauses_grow_as_they_are_told_to_a_minute_at_most(backoff: Backoff, seconds: list[int]) -> None:
    it = service(restart_delay=timedelta(seconds=2), restart_backoff=backoff)

    assert [delay(it, failures).total_seconds() for failures in range(1, 7)] == seconds
    assert delay(it, 10**9) <= timedelta(seconds=60) or backoff is Backoff.CONSTANT


def test_a_pause_that_is_longer_from_the_first_does_not_grow() -> None:
    assert delay(service(restart_delay=timedelta(minutes=5)), 3) == timedelta(minutes=5)


# --- how it stands


@pytest.mark.parametrize(
    ("it", "wanted", "expected"),
    [
        (instance(0, since=None), False, InstanceState.STOPPED),
        (instance(0, since=None), True, InstanceState.STARTING),
        (replace(instance(0, since=None), ready_at=NOW + 1), True, InstanceState.BACKING_OFF),
        (replace(instance(0, since=None), at_rest=Rest.DONE), True, InstanceState.STOPPED),
        (replace(instance(0, since=None), at_rest=Rest.GAVE_UP), True, InstanceState.FAILED),
        (replace(instance(0, since=None), at_rest=Rest.GAVE_UP), False, InstanceState.STOPPED),
        (instance(0, since=0.1), True, InstanceState.STARTING),
        (instance(0), True, InstanceState.HEALTHY),
        (instance(0, life={"leaving": Leaving.REPLACED}), True, InstanceState.STOPPING),
        (instance(0, life={"departs_at": NOW}), True, InstanceState.STOPPING),
    ],
)
def test_each_state_has_its_sign(it: Instance, wanted: bool, expected: InstanceState) -> None:
    assert state(service(), it, wanted=wanted, now=NOW) is expected


def test_a_service_stands_as_its_worst_instance() -> None:
    assert state_of_all([InstanceState.HEALTHY, InstanceState.FAILED]) is InstanceState.FAILED
    assert state_of_all([InstanceState.HEALTHY, InstanceState.STOPPED]) is InstanceState.HEALTHY
    assert state_of_all([InstanceState.STOPPED]) is InstanceState.STOPPED
    assert {state_of_all([each]) for each in InstanceState} == set(InstanceState)


def test_others_may_begin_when_all_of_it_is_healthy_that_has_not_given_up() -> None:
    two = service(instances=2)
    failed = replace(instance(1, since=None), at_rest=Rest.GAVE_UP)

    assert is_ready(two, RUNNING, [instance(0), instance(1)], NOW)
    assert is_ready(two, RUNNING, [instance(0), failed], NOW)
    assert not is_ready(two, RUNNING, [instance(0), instance(1, since=0.1)], NOW)
    assert not is_ready(two, RUNNING, [replace(failed, index=0), failed], NOW)
    assert not is_ready(two, Wanted(running=False), [instance(0), instance(1)], NOW)


def test_what_is_depended_on_comes_first() -> None:
    services = {
        "shop": service("shop", depends_on=("web", "queue")),
        "web": service("web", depends_on=("db",)),
        "queue": service("queue"),
        "db": service("db"),
        "alone": service("alone"),
    }

    assert with_dependencies(services, ["shop"]) == ["db", "web", "queue", "shop"]
    assert dependents(services) == {
        "shop": (), "web": ("shop",), "queue": ("shop",), "db": ("web",), "alone": (),
    }  # fmt: skip
