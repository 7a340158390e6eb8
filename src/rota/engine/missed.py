"""Missed ticks: the run that tells of a gap, those that make it good, and the gap of a failing store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rota.model.run import FAILURES, Ending, EndReason, Run, TriggeredBy
from rota.model.task import Overlap
from rota.storage.grown import Grown
from rota.timing.gap import Gap, GapCause

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from rota.engine.clock import Ids
    from rota.model.pause import Pause
    from rota.model.run import RunId
    from rota.model.task import Task
    from rota.timing.planner import Tick

_WHY = {
    GapCause.DOWN: "Rota was not running",
    GapCause.ASLEEP: "the machine was suspended, or Rota was",
    GapCause.CLOCK: "the machine's clock was set ahead",
    GapCause.STORE: "the database could not be written",
}


def owed_ticks(
    gap: Gap, task: Task, now: datetime, *, room: int, due: Callable[[datetime], datetime]
) -> Sequence[datetime]:
    """The ticks of a gap that are to be run: what it owes, but for those whose `start_deadline` is over.

    `room` is how many more may run or wait: there is none for the oldest. `due` says when a tick is due.
    """
    owed = gap.owed
    if task.start_deadline is not None:
        owed = tuple(tick for tick in owed if now < due(tick) + task.start_deadline)
    return owed[max(0, len(owed) - room) :] if task.on_overlap is Overlap.QUEUE else owed


def missed_run(
    gap: Gap,
    *,
    run_id: RunId,
    now: datetime,
    caught_up: int = 0,
    failures: frozenset[EndReason] = FAILURES,
) -> Run:
    """A run that never ran, and says how many ticks of its task went by; it stands at the newest of them."""
    if gap.count == 1 and gap.exact:
        count = "1 tick went by"
    else:
        span = f"between {gap.first:%Y-%m-%d %H:%M:%S} and {gap.newest:%Y-%m-%d %H:%M:%S} UTC"
        count = f"{'' if gap.exact else 'more than '}{gap.count} ticks went by {span}"
    made_good = ""
    if caught_up:
        which = (
            "it is" if gap.count == 1 else f"the newest {caught_up} are" if caught_up > 1 else "the newest is"
        )
        made_good = f"; {which} run now"
    run = Run(
        id=run_id,
        task_name=gap.task_name,
        triggered_by=TriggeredBy.CRON,
        created_at=now,
        scheduled_at=gap.newest,
        missed_ticks=gap.count,
        missed_since=gap.first,
    )
    message = f"{count}: {_WHY[gap.cause]}{made_good}"
    return run.ended(EndReason.MISSED, Ending(end_at=now, message=message), failures=failures)


class PausedTicks:
    """Of each task the run that tells of the ticks that its pause has let go by: one, which grows.

    A new server begins another, and so does whoever deletes it; `why` tells of both as one.
    """

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}

    def told(
        self, gone_by: Iterable[tuple[Gap, Pause]], *, rules: Mapping[str, Task], ids: Ids, now: datetime
    ) -> tuple[list[Run], list[Grown]]:
        """New runs that tell of these ticks, and those that are there and tell of them too."""
        gaps: dict[tuple[str, str], Gap] = {}
        for gap, pause in gone_by:
            more = "" if gap.exact else "; there were more ticks than these"
            key = gap.task_name, pause.told + more
            gaps[key] = _joined(gaps[key], gap) if key in gaps else gap
        new, grown = [], []
        for (name, message), gap in gaps.items():
            run = missed_run(gap, run_id=ids.run(), now=now, failures=rules[name].failures)
            run = replace(run, message=message)
            known = self._runs.get(name)
            if known is None or known.message != message:
                new.append(run)
            else:
                grown.append(Grown(run=_tells_of(known, gap, now), anew=run))
        return new, grown

    def keep(self, runs: Iterable[Run]) -> None:
        """These are written down."""
        self._runs.update({run.task_name: run for run in runs if run.task_name is not None})


def _tells_of(known: Run, gap: Gap, now: datetime) -> Run:
    """The same run, which tells of these ticks too."""
    return replace(
        known,
        scheduled_at=max(known.scheduled_at or gap.newest, gap.newest),
        missed_ticks=(known.missed_ticks or 0) + gap.count,
        missed_since=min(known.missed_since or gap.first, gap.first),
        end_at=now,
    )


def _joined(known: Gap, gap: Gap) -> Gap:
    """Both as one."""
    return replace(
        gap,
        count=known.count + gap.count,
        exact=known.exact and gap.exact,
        first=min(known.first, gap.first),
        newest=max(known.newest, gap.newest),
        owed=(*known.owed, *gap.owed),
    )


class Unrecorded:
    """Ticks that passed while the store could not write; nothing could be started without a row."""

    def __init__(self) -> None:
        self._gaps: dict[str, Gap] = {}

    def __bool__(self) -> bool:
        return bool(self._gaps)

    def add(self, ticks: Iterable[Tick], gaps: Iterable[Gap]) -> None:
        """Remember these, one gap a task."""
        for tick in ticks:
            gap = Gap(task_name=tick.task_name, count=1, first=tick.at, newest=tick.at, cause=GapCause.STORE)
            self._join(gap)
        for gap in gaps:
            self._join(gap)

    def keep(self, task_names: Collection[str]) -> None:
        """Forget those of other tasks than these."""
        self._gaps = {name: gap for name, gap in self._gaps.items() if name in task_names}

    def take(self) -> list[Gap]:
        """All that is remembered, and forgotten with that."""
        gaps, self._gaps = self._gaps, {}
        return list(gaps.values())

    def _join(self, gap: Gap) -> None:
        known = self._gaps.get(gap.task_name)
        self._gaps[gap.task_name] = gap if known is None else _joined(known, gap)
