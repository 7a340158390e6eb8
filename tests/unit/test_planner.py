"""The planner: what is due, what a gap owes, and what a clock that jumps does not do."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from rota.timing.gap import COUNTED, COUNTED_LEAST, Gap, GapCause
from rota.timing.planner import Due, Planner, Tick
from rota.timing.schedule import parse_schedule

NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)


def planner(
    *tasks: tuple[str, str], horizon: datetime | None = NOON, now: datetime = NOON, catch_up: int = 0
) -> Planner:
    return Planner(
        {name: (parse_schedule(expression, "UTC"),) for name, expression in tasks},
        {name: NOON - timedelta(days=400) for name, _ in tasks},
        horizon=horizon,
        now=now,
        catch_up={name: catch_up for name, _ in tasks},
    )


def look_until_quiet(
    plan: Planner, now: datetime, passed: timedelta | None = None
) -> tuple[list[Tick], list[Gap]]:
    """Everything that is due by now, as the scheduler's turns would get it."""
    ticks: list[Tick] = []
    gaps: list[Gap] = []
    while True:
        due = plan.due(now, passed=passed)
        passed = timedelta()
        ticks += due.ticks
        gaps += due.gaps
        next_at = plan.next_at()
        if next_at is None or next_at > now:
            return ticks, gaps


def at(**delta: float) -> datetime:
    return NOON + timedelta(**delta)


def test_nothing_is_due_before_its_tick() -> None:
    plan = planner(("job", "* * * * *"))

    assert plan.due(at(seconds=59.999)) == Due()
    assert plan.next_at() == at(minutes=1)


def test_a_tick_is_due_at_its_instant_and_once() -> None:
    plan = planner(("job", "* * * * *"))

    assert plan.due(at(minutes=1)).ticks == [Tick(task_name="job", at=at(minutes=1))]
    assert plan.next_at() == at(minutes=2)
    assert plan.due(at(minutes=1)) == Due()


def test_ticks_of_one_look_come_in_the_order_of_their_instants() -> None:
    plan = planner(("late", "2 12 * * *"), ("early", "1 12 * * *"))

    ticks, _ = look_until_quiet(plan, at(minutes=2))

    assert [tick.task_name for tick in ticks] == ["early", "late"]


@pytest.mark.parametrize(("late", "runs"), [(0, True), (60, True), (60.000001, False)])
def test_a_tick_that_is_up_to_a_minute_late_runs_and_an_older_one_is_missed(late: float, runs: bool) -> None:
    plan = planner(("job", "1 12 * * *"))

    ticks, gaps = look_until_quiet(plan, at(minutes=1, seconds=late))

    assert [tick.at for tick in ticks] == ([at(minutes=1)] if runs else [])
    assert [gap.newest for gap in gaps] == ([] if runs else [at(minutes=1)])


def test_a_gap_says_how_many_ticks_and_which_was_the_last() -> None:
    plan = planner(("job", "*/10 * * * *"))

    ticks, gaps = look_until_quiet(plan, at(hours=2, minutes=5))

    assert ticks == []
    assert gaps == [Gap(task_name="job", count=12, first=at(minutes=10), newest=at(hours=2))]


def test_a_gap_and_a_tick_that_is_only_late_are_told_apart() -> None:
    plan = planner(("job", "*/10 * * * *"))

    ticks, gaps = look_until_quiet(plan, at(hours=2, seconds=30))

    assert [tick.at for tick in ticks] == [at(hours=2)]
    assert [(gap.count, gap.newest) for gap in gaps] == [(11, at(hours=1, minutes=50))]


def test_what_was_not_late_at_the_first_look_is_no_gap_of_its_own_at_a_later_one() -> None:
    plan = planner(("job", "* * * * * *"))
    ticks: list[Tick] = []
    gaps: list[Gap] = []
    now = at(minutes=11, seconds=0.9)
    while (next_at := plan.next_at()) is not None and next_at <= now:
        due = plan.due(now)
        ticks += due.ticks
        gaps += due.gaps
        now += timedelta(seconds=0.05)

    assert [(gap.count, gap.newest) for gap in gaps] == [(600, at(minutes=10))]
    assert [tick.at for tick in ticks[:60]] == [at(minutes=10, seconds=second) for second in range(1, 61)]


def test_a_sleep_in_the_middle_of_catching_up_makes_a_gap_all_the_same() -> None:
    plan = planner(("job", "* * * * * *"))
    plan.due(at(minutes=1))
    plan.next_at()

    ticks, gaps = look_until_quiet(plan, at(minutes=10))

    assert (len(ticks), sum(gap.count for gap in gaps)) == (61, 10 * 60 - 62)


def test_a_year_of_seconds_is_counted_in_bounded_time() -> None:
    plan = planner(("job", "* * * * * *"))
    began = time.process_time()

    ticks, gaps = look_until_quiet(plan, at(days=365, seconds=0.5))

    assert time.process_time() - began < 2
    assert len(ticks) == 60
    assert gaps == [
        Gap(
            task_name="job",
            count=COUNTED,
            exact=False,
            first=at(seconds=1),
            newest=at(days=365, seconds=-60),
        )
    ]


def test_the_last_tick_of_a_long_gap_is_found_when_it_lies_far_back() -> None:
    plan = planner(("job", "* * 1-20 3 *"))

    _, gaps = look_until_quiet(plan, at(days=200))

    assert [(gap.exact, gap.newest) for gap in gaps] == [(False, datetime(2026, 3, 20, 23, 59, tzinfo=UTC))]


def test_a_thousand_ticks_and_no_more_are_counted_exactly() -> None:
    plan = planner(("job", "* * * * *"))

    _, gaps = look_until_quiet(plan, at(minutes=COUNTED, seconds=61))

    assert [(gap.count, gap.exact, gap.newest) for gap in gaps] == [(COUNTED, True, at(minutes=COUNTED))]


def test_many_tasks_share_the_counting_and_due_ticks_do_not_wait_for_it() -> None:
    plan = planner(*((f"job-{number}", "@every 1m") for number in range(6000)))
    now = at(days=2)

    assert plan.due(now).gaps == ()  # they are noted, and counted in later looks
    plan.next_at()
    first = plan.due(now)
    _, gaps = look_until_quiet(plan, now)

    assert len(first.ticks) == 6000
    assert len(gaps) == 6000
    assert {(gap.count, gap.exact, gap.newest) for gap in gaps} == {
        (COUNTED_LEAST, False, at(days=2, minutes=-2))
    }


def test_the_horizon_stays_until_all_up_to_it_is_handed_out() -> None:
    plan = planner(*((f"job-{number}", "@every 1m") for number in range(50)))
    now = at(days=1, seconds=5)

    plan.due(now)
    plan.next_at()
    assert plan.horizon == NOON
    look_until_quiet(plan, now)

    assert plan.horizon == now


def test_a_later_server_goes_on_from_the_horizon() -> None:
    plan = planner(("job", "* * * * *"), horizon=at(minutes=5), now=at(minutes=6, seconds=1))

    ticks, gaps = look_until_quiet(plan, at(minutes=6, seconds=1))

    assert [tick.at for tick in ticks] == [at(minutes=6)]
    assert gaps == []


def test_a_first_start_owes_nothing_before_its_tasks_were_known() -> None:
    plan = Planner(
        {"job": (parse_schedule("* * * * * *", "UTC"),)}, {"job": NOON}, horizon=None, now=at(seconds=2)
    )

    ticks, gaps = look_until_quiet(plan, at(seconds=2))

    assert [tick.at for tick in ticks] == [at(seconds=1), at(seconds=2)]
    assert gaps == []


def test_a_new_or_changed_schedule_owes_nothing_before_it_was_one() -> None:
    plan = Planner(
        {name: (parse_schedule("* * * * *", "UTC"),) for name in ("old", "new")},
        {"old": at(days=-1), "new": at(hours=1)},
        horizon=NOON,
        now=at(hours=1),
    )

    _, gaps = look_until_quiet(plan, at(hours=1))

    assert [gap.task_name for gap in gaps] == ["old"]


def test_a_jump_back_makes_nothing_due_again() -> None:
    plan = planner(("job", "* * * * *"))
    for minute in range(31):
        look_until_quiet(plan, at(minutes=minute))

    assert look_until_quiet(plan, at(minutes=10)) == ([], [])
    assert look_until_quiet(plan, at(minutes=30, seconds=59)) == ([], [])
    ticks, gaps = look_until_quiet(plan, at(minutes=31))

    assert [tick.at for tick in ticks] == [at(minutes=31)]
    assert gaps == []


def test_a_jump_ahead_that_is_taken_back_silences_nothing_and_repeats_nothing() -> None:
    plan = planner(("job", "*/10 * * * * *"))
    look_until_quiet(plan, NOON)
    ahead, gaps = look_until_quiet(plan, at(hours=2))
    assert (len(ahead), [gap.count for gap in gaps]) == (7, [713])

    back = [
        tick.at
        for second in range(1, 2 * 3600 + 31)
        for tick in look_until_quiet(plan, at(seconds=second))[0]
    ]

    assert len(back) == 713 + 3
    assert set(back).isdisjoint(tick.at for tick in ahead)
    assert back[-3:] == [at(hours=2, seconds=seconds) for seconds in (10, 20, 30)]


def test_ticks_that_were_due_together_come_also_when_the_clock_steps_back_between() -> None:
    plan = planner(("job", "*/10 * * * * *"))

    first = plan.due(at(seconds=30)).ticks
    plan.next_at()
    ticks, _ = look_until_quiet(plan, at(seconds=29))

    assert [tick.at for tick in (*first, *ticks)] == [at(seconds=10), at(seconds=20)]
    assert [tick.at for tick in look_until_quiet(plan, at(seconds=30))[0]] == [at(seconds=30)]


def test_a_clock_found_to_have_been_hours_ahead_is_forgotten() -> None:
    plan = planner(("job", "* * * * *"))
    look_until_quiet(plan, at(days=900))

    assert look_until_quiet(plan, at(minutes=1)) == ([], [])
    ticks, _ = look_until_quiet(plan, at(minutes=2))

    assert [tick.at for tick in ticks] == [at(minutes=2)]
    assert plan.horizon == at(minutes=2)


def test_a_horizon_that_a_wrong_clock_wrote_is_given_up() -> None:
    plan = planner(("job", "* * * * *"), horizon=at(days=900))

    ticks, _ = look_until_quiet(plan, at(minutes=1))

    assert [tick.at for tick in ticks] == [at(minutes=1)]


def test_a_horizon_a_little_ahead_is_believed() -> None:
    plan = planner(("job", "0 * * * *"), horizon=at(hours=2))

    assert look_until_quiet(plan, at(hours=1)) == ([], [])
    assert look_until_quiet(plan, at(hours=2)) == ([], [])
    assert [tick.at for tick in look_until_quiet(plan, at(hours=3))[0]] == [at(hours=3)]


def test_a_schedule_that_never_comes_costs_nothing() -> None:
    class Never:
        def next_after(self, _: datetime) -> None:
            return None

    plan = Planner({"never": (Never(),)}, {"never": NOON}, horizon=NOON, now=NOON)

    assert look_until_quiet(plan, at(days=1000)) == ([], [])
    assert plan.next_at() is None


def test_a_look_at_ten_thousand_quiet_tasks_takes_microseconds() -> None:
    plan = planner(*((f"job-{number}", "0 0 * * *") for number in range(10_000)))
    plan.next_at()
    began = time.process_time()

    for second in range(1000):
        plan.due(at(seconds=second))
        plan.next_at()

    assert (time.process_time() - began) / 1000 < 0.000_1


@pytest.mark.parametrize(
    ("catch_up", "owed"),
    [(0, []), (1, ["14:00"]), (2, ["13:50", "14:00"]), (5, ["13:20", "13:30", "13:40", "13:50", "14:00"])],
)
def test_a_gap_owes_the_newest_of_its_ticks(catch_up: int, owed: list[str]) -> None:
    _, (gap,) = look_until_quiet(planner(("job", "*/10 * * * *"), catch_up=catch_up), at(hours=2, minutes=5))

    assert [f"{tick:%H:%M}" for tick in gap.owed] == owed
    assert (gap.count, gap.cause) == (12, GapCause.DOWN)


def test_a_gap_owes_no_more_ticks_than_it_has() -> None:
    _, (gap,) = look_until_quiet(planner(("job", "0 * * * *"), catch_up=100), at(hours=2, minutes=5))

    assert gap.owed == (at(hours=1), at(hours=2))


@pytest.mark.parametrize(("catch_up", "owed"), [(1, 0), (2, 0), (3, 1), (10, 8)])
def test_ticks_that_run_since_they_are_hardly_late_are_the_first_to_be_caught_up(
    catch_up: int, owed: int
) -> None:
    plan = planner(("job", "* * * * *"), catch_up=catch_up)

    ticks, (gap,) = look_until_quiet(plan, at(minutes=30))

    assert [tick.at for tick in ticks] == [at(minutes=29), at(minutes=30)]
    assert gap.newest == at(minutes=28)
    assert gap.owed == tuple(at(minutes=28 - back) for back in reversed(range(owed)))


@pytest.mark.parametrize("catch_up", [1, 3, 30])
def test_the_newest_ticks_of_a_gap_too_long_to_count_are_found_all_the_same(catch_up: int) -> None:
    cron = "* 0-11 * * *"  # a burst, and half a day of nothing
    plan = planner(("job", cron), catch_up=catch_up)

    _, (gap,) = look_until_quiet(plan, at(days=30, hours=6))

    assert not gap.exact
    newest = at(days=30) - timedelta(minutes=1)
    assert gap.newest == newest
    assert gap.owed == tuple(newest - timedelta(minutes=back) for back in reversed(range(catch_up)))


def test_a_count_that_ends_just_before_the_newest_leaves_out_none_and_names_none_twice() -> None:
    plan = planner(("job", "* * * * *"), catch_up=10)

    _, (gap,) = look_until_quiet(plan, at(minutes=COUNTED + 4, seconds=59))

    assert (gap.count, gap.exact) == (COUNTED, False)
    wanted = [at(minutes=COUNTED + 3 - back) for back in reversed(range(9))]  # one more was hardly late
    assert list(gap.owed) == wanted


@pytest.mark.parametrize(
    ("passed", "cause", "owed"),
    [(0, GapCause.CLOCK, 0), (60, GapCause.CLOCK, 0), (3600, GapCause.ASLEEP, 1), (7500, GapCause.ASLEEP, 1)],
)
def test_a_clock_that_is_set_ahead_owes_nothing_and_a_sleep_does(
    passed: float, cause: GapCause, owed: int
) -> None:
    plan = planner(("job", "*/10 * * * *"), catch_up=1)
    plan.due(NOON)
    plan.next_at()

    _, (gap,) = look_until_quiet(plan, at(hours=2, minutes=5), timedelta(seconds=passed))

    assert (gap.cause, len(gap.owed)) == (cause, owed)


def test_the_next_ticks_of_all_tasks_come_in_their_order_and_change_nothing() -> None:
    plan = planner(("minutely", "* * * * *"), ("hourly", "2 * * * *"), ("yearly", "0 0 1 1 *"))
    plan.due(at(minutes=1))  # which takes a tick, and does not plan the next

    coming = list(islice(plan.coming(), 4))

    assert [tick.at for tick in coming] == [at(minutes=n) for n in (2, 2, 3, 4)]
    assert [tick.task_name for tick in coming].count("hourly") == 1
    assert plan.next_at() == at(minutes=2)
    assert list(islice(plan.coming(), 4)) == coming


def changed(plan: Planner, since: datetime, **crons: str) -> None:
    """Give the plan these schedules, some of them as before."""
    schedules = {
        name: plan._schedules[name] if cron == "as before" else (parse_schedule(cron, "UTC"),)
        for name, cron in crons.items()
    }
    plan.change(schedules, dict.fromkeys(schedules, since), catch_up=dict.fromkeys(schedules, 1))


def test_tasks_whose_schedules_stay_go_on_where_they_stood_when_others_change() -> None:
    plan = planner(("a", "* * * * *"), ("b", "*/2 * * * *"), ("c", "* * * * *"))
    assert look_until_quiet(plan, at(minutes=1))[0] == [
        Tick(task_name="a", at=at(minutes=1)), Tick(task_name="c", at=at(minutes=1)),
    ]  # fmt: skip

    changed(plan, at(minutes=1, seconds=30), d="* * * * *", c="as before", b="as before")
    ticks, gaps = look_until_quiet(plan, at(minutes=2))

    assert {(tick.task_name, tick.at) for tick in ticks} == {(name, at(minutes=2)) for name in "bcd"}
    assert gaps == []


def test_a_changed_schedule_owes_nothing_of_its_past() -> None:
    plan = planner(("job", "0 * * * *"), horizon=at(hours=-5))

    changed(plan, at(seconds=30), job="* * * * *")

    assert look_until_quiet(plan, at(seconds=59)) == ([], [])
    assert look_until_quiet(plan, at(minutes=1)) == ([Tick(task_name="job", at=at(minutes=1))], [])


def test_a_gap_that_is_being_counted_is_told_of_though_other_tasks_change_meanwhile() -> None:
    plan = planner(("a", "* * * * *"), ("b", "* * * * *"), horizon=at(hours=-2))
    plan.due(NOON)

    changed(plan, NOON, c="@yearly", b="as before")
    _, gaps = look_until_quiet(plan, NOON)

    assert [(gap.task_name, gap.count) for gap in gaps] == [("b", 118)]  # the newest is not late


def test_a_tick_that_is_due_while_schedules_change_is_handed_out_once() -> None:
    plan = planner(("a", "* * * * *"), ("b", "* * * * *"))

    found = plan.due(at(minutes=1)).ticks
    changed(plan, at(minutes=1), b="as before")
    ticks, _ = look_until_quiet(plan, at(minutes=1, seconds=1))

    assert len(found) == 2
    assert ticks == []
    assert plan.next_at() == at(minutes=2)


def test_without_any_schedule_left_nothing_is_due_any_more() -> None:
    plan = planner(("a", "* * * * *"))

    changed(plan, NOON)

    assert look_until_quiet(plan, at(hours=1)) == ([], [])
    assert plan.next_at() is None
    assert list(plan.coming()) == []
