"""The ticks of a schedule, against a matcher that looks at each minute of the calendar by itself."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from rota.timing.schedule import parse_schedule

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE = timedelta(minutes=1)
# Changes by a whole hour, half of one, two; at midnight; for a month only; never.
ZONES = [
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Africa/Cairo",
    "America/Santiago",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "UTC",
]
CHANGING = ZONES[:-2]


@dataclass(frozen=True)
class Field:
    """One field, as text and as the values that it means."""

    text: str
    values: frozenset[int]


@st.composite
def fields(draw: st.DrawFn, low: int, high: int) -> Field:
    def item() -> Field:
        kind = draw(st.sampled_from(["one", "range", "stepped range"]))
        first = draw(st.integers(low, high))
        last = draw(st.integers(first, high))
        step = draw(st.integers(2, 7))
        if kind == "one":
            return Field(str(first), frozenset({first}))
        if kind == "range" or first == last:
            return Field(f"{first}-{last}", frozenset(range(first, last + 1)))
        return Field(f"{first}-{last}/{step}", frozenset(range(first, last + 1, step)))

    if draw(st.booleans()):
        step = draw(st.integers(1, 15))
        text = "*" if step == 1 else f"*/{step}"
        return Field(text, frozenset(range(low, high + 1, step)))
    items = [item() for _ in range(draw(st.integers(1, 3)))]
    return Field(",".join(i.text for i in items), frozenset().union(*(i.values for i in items)))


@dataclass(frozen=True)
class Expression:
    """Five fields, and the matcher that knows nothing of cronsim."""

    minute: Field
    hour: Field
    day: Field
    month: Field
    weekday: Field

    @property
    def text(self) -> str:
        return " ".join(f.text for f in (self.minute, self.hour, self.day, self.month, self.weekday))

    @property
    def fixed(self) -> bool:
        return not self.minute.text.startswith("*") and not self.hour.text.startswith("*")

    def shows(self, wall: datetime) -> bool:
        day = wall.day in self.day.values
        weekday = wall.isoweekday() in self.weekday.values or wall.isoweekday() % 7 in self.weekday.values
        both = self.day.text.startswith("*") or self.weekday.text.startswith("*")
        return (
            wall.minute in self.minute.values
            and wall.hour in self.hour.values
            and wall.month in self.month.values
            and (day and weekday if both else day or weekday)
        )

    def comes(self) -> bool:
        """Whether any month of it has such a day; a weekday that stands beside the day always comes."""
        days = {d for m in self.month.values for d in range(1, calendar.monthrange(2024, m)[1] + 1)}
        beside = not self.day.text.startswith("*") and not self.weekday.text.startswith("*")
        return beside or bool(days & self.day.values)


times = st.builds(
    Expression,
    minute=fields(0, 59),
    hour=fields(0, 23),
    day=st.just(Field("*", frozenset(range(1, 32)))),
    month=st.just(Field("*", frozenset(range(1, 13)))),
    weekday=st.just(Field("*", frozenset(range(7)))),
)
expressions = st.builds(
    Expression,
    minute=fields(0, 59),
    hour=fields(0, 23),
    day=fields(1, 31),
    month=fields(1, 12),
    weekday=fields(0, 7),
).filter(Expression.comes)
instants = st.integers(0, 14 * 366 * 86_400).map(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@cache
def changes(zone: str) -> list[datetime]:
    """The hours at which the zone's clock is changed, of four years."""
    hours = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(4 * 366 * 48)]
    offsets = [hour.astimezone(ZoneInfo(zone)).utcoffset() for hour in hours]
    return [
        hour for hour, (before, after) in zip(hours[1:], pairwise(offsets), strict=True) if before != after
    ]


@st.composite
def near_a_change(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone, and an instant within some hours of a change of its clock."""
    zone = draw(st.sampled_from(CHANGING))
    return zone, draw(st.sampled_from(changes(zone))) + timedelta(minutes=draw(st.integers(-300, 200)))


def expected(expression: Expression, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The ticks of the next twelve hours, found by looking at each minute."""
    moment = after.replace(second=0, microsecond=0)
    while moment < after + timedelta(hours=12):
        moment += MINUTE
        wall = moment.astimezone(zone)
        if not expression.fixed:
            if expression.shows(wall):
                yield moment
            continue
        # A fixed time: the minutes that the clock has jumped over count now, those of a second pass do not.
        before = (moment - MINUTE).astimezone(zone).replace(tzinfo=None)
        jumped = [
            before + n * MINUTE for n in range(1, 1 + int((wall.replace(tzinfo=None) - before) / MINUTE))
        ]
        if wall.fold == 0 and any(expression.shows(skipped) for skipped in jumped):
            yield moment


@given(expressions, st.sampled_from(ZONES), instants)
def test_ticks_grow_strictly(expression: Expression, zone: str, after: datetime) -> None:
    schedule = parse_schedule(expression.text, zone)

    instant = after
    for _ in range(20):
        tick = schedule.next_after(instant)
        assert tick is not None
        assert tick > instant
        assert tick.microsecond == 0
        assert schedule.next_after(tick - timedelta(microseconds=1)) == tick
        instant = tick


@given(expressions, st.sampled_from(ZONES), instants)
def test_ticks_are_those_that_the_calendar_shows(expression: Expression, zone: str, after: datetime) -> None:
    agree(expression, zone, after)


@settings(max_examples=300)
@given(times, near_a_change())
def test_ticks_are_those_that_the_calendar_shows_while_clocks_are_changed(
    expression: Expression, night: tuple[str, datetime]
) -> None:
    agree(expression, *night)


def agree(expression: Expression, zone: str, after: datetime) -> None:
    schedule = parse_schedule(expression.text, zone)

    wanted = list(islice(expected(expression, ZoneInfo(zone), after), 200))

    instant = after
    for tick in wanted:
        assert schedule.next_after(instant) == tick
        instant = tick
    following = schedule.next_after(instant)
    assert following is None or len(wanted) == 200 or following > after + timedelta(hours=12)
