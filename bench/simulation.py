"""A simulation: what the planner hands out, tick for tick, against calendars that know nothing of ours.

`make simulate` takes 1,000 random tasks in five zones, 2,000 ticks of each from a random instant on, and the
48 hours around every change of its clock in ten years. Times on the wall come from `oncalendar`, and, outside
of the nights in which clocks are changed, from `croniter` too; which instants they are comes from `zoneinfo`.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from heapq import heappop, heappush, merge
from itertools import groupby
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from croniter import croniter
from oncalendar import BaseIterator

from rota.timing.planner import Planner
from rota.timing.schedule import parse_schedule

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Changes by an hour in both halves of the year, by half of one, at midnight, and by two hours.
ZONES = ("Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Antarctica/Troll")

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
YEARS = 10
END = FIRST + (YEARS * 366 + 5) * timedelta(days=1)  #: the changes of clocks are known up to here
LAST = datetime(2199, 12, 1, tzinfo=UTC)  #: the calendars of `oncalendar` end with this year
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
LONGEST = timedelta(hours=3)  #: no clock of these zones is set by as much

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_RANGES = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "day": (1, 31),
    "month": (1, 12),
    "weekday": (0, 6),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """A random schedule, in the words of cron and in those of a calendar that is not ours."""

    number: int
    zone: str
    cron: str
    start: datetime
    period: timedelta | None = None  #: of an `@every`
    calendars: tuple[str, ...] = ()  #: of `oncalendar`; a wall time of any of them counts
    fixed: bool = False  #: times of day, each of which comes once on every day
    for_croniter: bool = True


@dataclass(slots=True)
class Outcome:
    """What was compared."""

    ticks: int = 0
    nights: int = 0
    by_croniter: int = 0
    faults: list[str] = field(default_factory=list)


def random_task(number: int, seed: int) -> Task:
    """The task of this number, always the same."""
    chance = random.Random(f"{seed} {number}")
    zone = ZONES[number % len(ZONES)]
    start = FIRST + timedelta(seconds=chance.randrange(int(YEARS * 365 * DAY / SECOND)))
    if chance.random() < 0.08:
        period = timedelta(
            seconds=chance.choice([1, 7, 60, 90, 900, 3600, 86_400, chance.randrange(1, 100_000)])
        )
        return Task(number=number, zone=zone, cron=f"@every {period // SECOND}s", start=start, period=period)
    return _cron_task(number, zone, start, chance)


def _cron_task(number: int, zone: str, start: datetime, chance: random.Random) -> Task:
    texts: dict[str, str] = {}
    values: dict[str, frozenset[int]] = {}
    stars = {"second": 0.02, "minute": 0.3, "hour": 0.5, "day": 0.75, "month": 0.85, "weekday": 0.7}
    for name, (low, high) in _RANGES.items():
        texts[name], values[name] = _field(chance, low, high, every=stars[name])
    if texts["hour"][0] != "*" and chance.random() < 0.6:  # in the hours in which clocks are changed
        first, last = sorted(chance.choices(range(5), k=2))
        texts["hour"] = f"{first}-{last}" if first < last else str(first)  # croniter takes 1-1 for *
        values["hour"] = frozenset(range(first, last + 1))
    if (len(values["second"]) > 3 and chance.random() < 0.9) or chance.random() < 0.7:
        # A night of schedules that are due each second takes minutes to compare.
        texts["second"], values["second"] = "0", frozenset({0})
    day = "-" + _listed(values["day"], 1, 31)
    weekdays = ",".join(_WEEKDAYS[number] for number in sorted(values["weekday"]))
    extra = chance.random()
    if extra < 0.06:
        texts["day"], day = "L", "~01"
        texts["month"], values["month"] = "*", frozenset(range(1, 13))
    elif extra < 0.12:
        which, week = chance.randrange(7), chance.randrange(1, 5)
        texts["weekday"], weekdays = f"{which}#{week}", _WEEKDAYS[which]
        texts["day"], day = "*", f"-{7 * week - 6}..{7 * week}"
    elif "*" not in texts["day"][:1] and "*" not in texts["weekday"][:1]:
        texts["month"], values["month"] = "*", frozenset(range(1, 13))  # else many would never come
    elif not _comes(values["day"], values["month"]):
        texts["month"], values["month"] = "*", frozenset(range(1, 13))
    clock = ":".join(_listed(values[name], *_RANGES[name]) for name in ("hour", "minute", "second"))
    date = f"*-{_listed(values['month'], 1, 12)}{day} {clock}"
    any_weekday = len(values["weekday"]) == 7 and "#" not in texts["weekday"]
    either = not texts["day"].startswith("*") and not texts["weekday"].startswith("*")
    any_day = f"*-{_listed(values['month'], 1, 12)}-* {clock}"
    if either:
        calendars: tuple[str, ...] = (date, f"{weekdays} {any_day}")
    else:
        calendars = (date if any_weekday else f"{weekdays} {date}",)
    fields = [texts[name] for name in _RANGES]
    return Task(
        number=number,
        zone=zone,
        cron=" ".join(fields[1:] if fields[0] == "0" and chance.random() < 0.8 else fields),
        start=start,
        calendars=calendars,
        fixed=not any(texts[name].startswith("*") for name in ("second", "minute", "hour")),
        # croniter has the day *or* the weekday also where one of them is a step over all.
        for_croniter=not any(texts[name].startswith("*/") for name in ("day", "weekday")),
    )


def _field(chance: random.Random, low: int, high: int, *, every: float) -> tuple[str, frozenset[int]]:
    if chance.random() < every:
        step = chance.choice([1] * 8 + [2, 3, 5, 7, 10, 15])
        text = "*" if step == 1 else f"*/{step}"
        return text, frozenset(range(low, high + 1, step))
    texts: list[str] = []
    values: set[int] = set()
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        first = chance.randint(low, high)
        last = chance.randint(first, high)
        step = chance.choice([1, 1, 2, 3])
        if chance.random() < 0.6 or first == last:
            texts.append(str(first))
            values.add(first)
        else:
            texts.append(f"{first}-{last}" if step == 1 else f"{first}-{last}/{step}")
            values |= set(range(first, last + 1, step))
    return ",".join(texts), frozenset(values)


def _listed(values: frozenset[int], low: int, high: int) -> str:
    return "*" if len(values) == high - low + 1 else ",".join(str(value) for value in sorted(values))


def _comes(days: frozenset[int], months: frozenset[int]) -> bool:
    longest = {2: 28, 4: 30, 6: 30, 9: 30, 11: 30}
    return any(min(days) <= longest.get(month, 31) for month in months)


def ours(
    task: Task, after: datetime, *, most: int | None = None, until: datetime | None = None
) -> list[datetime]:
    """The ticks that the planner hands out as time goes on: so many, or all up to an instant."""
    name = str(task.number)
    planner = Planner(
        {name: (parse_schedule(task.cron, task.zone),)}, {name: after}, horizon=after, now=after
    )
    found: list[datetime] = []
    while most is None or len(found) < most:
        now = planner.next_at()
        if now is None or (until is not None and now > until):
            break
        due = planner.due(now, passed=timedelta())
        if due.gaps:
            raise AssertionError(f"{task}: a gap where time went on from tick to tick")
        found += [tick.at for tick in due.ticks]
    return found


def theirs(task: Task, after: datetime) -> Iterator[datetime]:
    """The instants after one at which the task is due, by calendars and clocks that are not ours."""
    if task.period is not None:
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        number = (after - epoch) // task.period
        while True:
            number += 1
            yield epoch + number * task.period
    zone = ZoneInfo(task.zone)
    wall = after.astimezone(zone).replace(tzinfo=None) - LONGEST
    # Wall times come in their order, and instants nearly so: some hours later each is certain to be the next.
    held: list[datetime] = []
    last = after
    for at in _walls(task, wall):
        edge = (at - LONGEST).replace(tzinfo=zone).astimezone(UTC)
        while held and held[0] <= edge:
            instant = heappop(held)
            if instant > last:  # several wall times of a night may mean one
                yield instant
                last = instant
        for instant in _instants(at, zone, fixed=task.fixed):
            heappush(held, instant)
    yield from sorted(set(held))


def _walls(task: Task, after: datetime) -> Iterator[datetime]:
    iterators = [BaseIterator(calendar, after) for calendar in task.calendars]
    return (wall for wall, _ in groupby(merge(*iterators)))


def _instants(wall: datetime, zone: ZoneInfo, *, fixed: bool) -> list[datetime]:
    """When a clock of this zone shows a time. A fixed one comes once: at first, or when it was leapt over."""
    both = [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    shown = [at for at in both if at.astimezone(zone).replace(tzinfo=None) == wall]
    if not fixed:
        return sorted(set(shown))
    return [min(shown)] if shown else [_change_between(min(both), max(both), zone)]


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    offset = before.astimezone(zone).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        same = datetime.fromtimestamp(middle, UTC).astimezone(zone).utcoffset() == offset
        low, high = (middle, high) if same else (low, middle)
    return datetime.fromtimestamp(high, UTC)


@cache
def changes(zone_name: str) -> tuple[datetime, ...]:
    """Every change of a zone's clock in the ten years, and in some days more."""
    zone = ZoneInfo(zone_name)
    found = []
    day = FIRST
    while day < END:
        if day.astimezone(zone).utcoffset() != (day + DAY).astimezone(zone).utcoffset():
            found.append(_change_between(day, day + DAY, zone))
        day += DAY
    return tuple(found)


def compare(task: Task, *, ticks: int, nights: int | None, around: timedelta) -> Outcome:
    """One task: so many ticks, and so long around so many changes (None: all) of its clock."""
    outcome = Outcome()
    try:
        _compare_ticks(task, ticks, outcome)
        for change in changes(task.zone)[:nights]:
            _compare_night(task, change, around, outcome)
    except Exception as error:  # told with its task, and the others go on
        outcome.faults.append(f"{_told(task)}: {error!r}")
    return outcome


def _compare_ticks(task: Task, ticks: int, outcome: Outcome) -> None:
    found = ours(task, task.start, most=ticks, until=LAST)
    wanted = theirs(task, task.start)
    for number, at in enumerate(found):
        reference = next(wanted)
        outcome.ticks += 1
        if at != reference:
            outcome.faults.append(f"{_told(task)}: tick {number} is {at}, not {reference}")
            return
    if task.period is None and task.for_croniter and found:
        _compare_with_croniter(task, found, outcome)


def _compare_with_croniter(task: Task, found: list[datetime], outcome: Outcome) -> None:
    zone = ZoneInfo(task.zone)
    begin = task.start.astimezone(zone).replace(tzinfo=None)
    walls = [at.astimezone(zone).replace(tzinfo=None) for at in found if at < END]
    expected = croniter(task.cron, begin, ret_type=datetime, second_at_beginning=True)
    nights = [change.astimezone(zone).replace(tzinfo=None) for change in changes(task.zone)]
    ordinary = [wall for wall in walls if not _near(wall, nights)]
    for wall in ordinary:
        reference = expected.get_next()
        while _near(reference, nights) and not _near(wall, nights):
            reference = expected.get_next()
        outcome.by_croniter += 1
        if wall != reference:
            outcome.faults.append(f"{_told(task)}: {wall} on the wall, and croniter has {reference}")
            return


def _near(wall: datetime, nights: list[datetime]) -> bool:
    return any(abs(wall - night) < DAY for night in nights)


def _compare_night(task: Task, change: datetime, around: timedelta, outcome: Outcome) -> None:
    after, until = change - around, change + around
    found = ours(task, after, until=until)
    wanted = []
    for at in theirs(task, after):
        if at > until:
            break
        wanted.append(at)
    outcome.nights += 1
    outcome.ticks += len(found)
    if found != wanted:
        wrong = sorted(set(found) ^ set(wanted))
        outcome.faults.append(f"{_told(task)}: around {change} {wrong[:3]} are not in both")


def _told(task: Task) -> str:
    return f'task {task.number}, "{task.cron}" in {task.zone} from {task.start}'


def _of_number(number: int, *, seed: int, ticks: int, nights: int | None, around: timedelta) -> Outcome:
    return compare(random_task(number, seed), ticks=ticks, nights=nights, around=around)


def simulate(
    *, tasks: int, ticks: int, nights: int | None, seed: int, workers: int, around: timedelta = DAY
) -> Outcome:
    """All of them together."""
    whole = Outcome()
    work = partial(_of_number, seed=seed, ticks=ticks, nights=nights, around=around)
    if workers == 1:
        parts: Iterator[Outcome] = map(work, range(tasks))
        return _sum(whole, parts)
    with ProcessPoolExecutor(workers) as pool:
        return _sum(whole, pool.map(work, range(tasks), chunksize=5))


def _sum(whole: Outcome, parts: Iterator[Outcome]) -> Outcome:
    for part in parts:
        whole.ticks += part.ticks
        whole.nights += part.nights
        whole.by_croniter += part.by_croniter
        whole.faults += part.faults
    return whole


def main() -> int:
    """Simulate, and print what was compared."""
    parser = argparse.ArgumentParser(prog="python -m bench.simulation", description=__doc__)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--ticks", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    begun = time.monotonic()
    outcome = simulate(
        tasks=asked.tasks, ticks=asked.ticks, nights=None, seed=asked.seed, workers=asked.workers
    )
    for fault in outcome.faults:
        print(fault)
    print(
        f"{asked.tasks} tasks in {len(ZONES)} zones, seed {asked.seed}: {outcome.ticks:,} ticks compared,"
        f" {outcome.by_croniter:,} of them with croniter too; {outcome.nights:,} nights of changed clocks;"
        f" {len(outcome.faults)} tasks differ; {time.monotonic() - begun:.0f} s"
    )
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
