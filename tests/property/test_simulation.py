"""A slice of `make simulate`: the planner's ticks are those of other people's calendars, tick for tick."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bench import simulation
from rota.timing.schedule import CronSchedule, parse_schedule

if TYPE_CHECKING:
    import pytest

    from rota.timing.schedule import Schedule

HOURS = timedelta(hours=4)


def test_random_tasks_are_due_when_other_calendars_say() -> None:
    outcome = simulation.simulate(tasks=40, ticks=100, nights=2, seed=7, workers=1, around=HOURS)

    assert outcome.faults == []
    assert outcome.ticks > 5_000
    assert outcome.by_croniter > 1_000
    assert outcome.nights == 80


def test_each_zone_changes_its_clock_twenty_times_in_ten_years() -> None:
    assert [len(simulation.changes(zone)) for zone in simulation.ZONES] == [20] * 5


def test_the_simulation_finds_a_schedule_that_does_not_know_what_a_time_of_day_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forgetful(cron: str, zone: str) -> Schedule:
        schedule = parse_schedule(cron, zone)
        return replace(schedule, fixed=False) if isinstance(schedule, CronSchedule) else schedule

    monkeypatch.setattr(simulation, "parse_schedule", forgetful)

    outcome = simulation.simulate(tasks=40, ticks=1, nights=2, seed=7, workers=1, around=HOURS)

    assert outcome.faults
