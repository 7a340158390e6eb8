"""Missed ticks: the one run that tells of a gap, and the gap that a store makes which cannot write."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rota.model.run import Ending, EndReason, Run, TriggeredBy
from rota.timing.gap import Gap

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from rota.model.run import RunId
    from rota.timing.planner import Tick


def missed_run(gap: Gap, *, run_id: RunId, now: datetime) -> Run:
    """A run that never ran, and says how many ticks of its task went by; it stands at the newest of them."""
    if gap.count == 1 and gap.exact:
        count = "1 tick went by"
    else:
        span = f"between {gap.first:%Y-%m-%d %H:%M:%S} and {gap.newest:%Y-%m-%d %H:%M:%S} UTC"
        count = f"{'' if gap.exact else 'more than '}{gap.count} ticks went by {span}"
    run = Run(
        id=run_id,
        task_name=gap.task_name,
        triggered_by=TriggeredBy.CRON,
        created_at=now,
        scheduled_at=gap.newest,
    )
    why = "Rota was not running or could not write, or the machine's clock stood still or jumped"
    return run.ended(EndReason.MISSED, Ending(end_at=now, message=f"{count}: {why}"))


class Unrecorded:
    """Ticks that passed while the store could not write; nothing could be started without a row."""

    def __init__(self) -> None:
        self._gaps: dict[str, Gap] = {}

    def __bool__(self) -> bool:
        return bool(self._gaps)

    def add(self, ticks: Iterable[Tick], gaps: Iterable[Gap]) -> None:
        """Remember these, one gap a task."""
        for tick in ticks:
            self._join(Gap(task_name=tick.task_name, count=1, first=tick.at, newest=tick.at))
        for gap in gaps:
            self._join(gap)

    def take(self) -> list[Gap]:
        """All that is remembered, and forgotten with that."""
        gaps, self._gaps = self._gaps, {}
        return list(gaps.values())

    def _join(self, gap: Gap) -> None:
        known = self._gaps.get(gap.task_name)
        self._gaps[gap.task_name] = (
            gap
            if known is None
            else replace(
                gap,
                count=known.count + gap.count,
                exact=known.exact and gap.exact,
                first=min(known.first, gap.first),
                newest=max(known.newest, gap.newest),
            )
        )
