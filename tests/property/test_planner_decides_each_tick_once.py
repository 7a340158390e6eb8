"""Whatever the clock does between looks, no tick is due twice; going on, it hands out each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rota.timing.planner import LATE, Planner

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)


class Every:
    """A tick each so many seconds from an offset on."""

    def __init__(self, period: int, offset: int) -> None:
        self.period = period
        self.offset = offset

    def next_after(self, instant: datetime) -> datetime | None:
        elapsed = (instant - BEGIN).total_seconds() - self.offset
        return BEGIN + timedelta(seconds=self.offset + (elapsed // self.period + 1) * self.period)

    def between(self, after: datetime, until: datetime) -> int:
        return self._ordinal(until) - self._ordinal(after)

    def _ordinal(self, instant: datetime) -> int:
        return int(((instant - BEGIN).total_seconds() - self.offset) // self.period)


schedules = st.lists(st.builds(Every, st.integers(1, 4000), st.integers(0, 3600)), min_size=1, max_size=4)
# Seconds between looks: mostly forwards, at times back or far ahead; never so far back that the clock is
# found to have been wrong, which repeats by design.
ahead = st.one_of(st.floats(0, 90), st.floats(90, 20_000))
steps = st.lists(ahead, max_size=25) | st.lists(st.one_of(ahead, st.floats(-1000, 0)), max_size=25)


@given(schedules, steps)
def test_each_tick_is_decided_once(rows: list[Every], moves: list[float]) -> None:
    names = {f"job-{number}": (row,) for number, row in enumerate(rows)}
    plan = Planner(names, dict.fromkeys(names, BEGIN), horizon=BEGIN, now=BEGIN)
    now = seen = BEGIN
    runs: dict[str, list[datetime]] = {name: [] for name in names}
    missed: dict[str, int] = dict.fromkeys(names, 0)
    exact = True

    for move in moves:
        now = max(now + timedelta(seconds=move), seen - timedelta(hours=3))
        seen = max(seen, now)
        while True:
            due = plan.due(now)
            for tick in due.ticks:
                assert now - LATE <= tick.at <= now
                runs[tick.task_name].append(tick.at)
            for gap in due.gaps:
                assert gap.first <= gap.newest < now - LATE
                missed[gap.task_name] += gap.count
                exact = exact and gap.exact
            next_at = plan.next_at()
            if next_at is None or next_at > now:
                break

    for name, (row,) in names.items():
        assert len(runs[name]) == len(set(runs[name]))
        if all(move >= 0 for move in moves):
            decided = len(runs[name]) + missed[name]
            assert decided == row.between(BEGIN, seen) if exact else decided <= row.between(BEGIN, seen)


@given(schedules, st.floats(0, 500_000))
def test_the_newest_tick_of_a_gap_is_the_last_before_the_late_ones(rows: list[Every], away: float) -> None:
    names = {f"job-{number}": (row,) for number, row in enumerate(rows)}
    plan = Planner(names, dict.fromkeys(names, BEGIN), horizon=BEGIN, now=BEGIN)
    now = BEGIN + timedelta(seconds=away)

    while True:
        for gap in plan.due(now).gaps:
            (row,) = names[gap.task_name]
            following = row.next_after(gap.newest)
            assert following is not None
            assert gap.newest < now - LATE <= following
        next_at = plan.next_at()
        if next_at is None or next_at > now:
            break
