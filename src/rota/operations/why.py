"""Why: what became of a task's last ticks, and which come next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rota.engine.why import no_ticks
from rota.operations.get_task import not_found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rota.engine.timetable import Coming
    from rota.engine.why import TickFate
    from rota.model.pause import Pause
    from rota.operations.rota import Rota

NEXT_TICKS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Why:
    """The schedule of one task, looked at from now: back and ahead."""

    task_name: str
    last: Sequence[TickFate]  #: the oldest first
    next: Sequence[Coming]
    note: str | None  #: why nothing comes next, or why that will be missed
    pauses: Sequence[Pause]  #: that hold it, the narrowest first


async def why(rota: Rota, task_name: str, *, ticks: int) -> Why:
    """What became of so many ticks, and what the next ones will be. Raises TaskNotFound."""
    task = rota.engine.tasks.get(task_name)
    if task is None:
        raise not_found(rota, task_name)
    last = await rota.engine.ticks.why(task_name, ticks)
    following = rota.engine.ticks.next(task_name, NEXT_TICKS)
    pauses = rota.engine.pausing.of(task_name)
    note = None if following else no_ticks(task)
    if pauses and following:
        note = f"{pauses[0].told}: ticks that come before it is resumed are missed"
    return Why(task_name=task_name, last=last, next=following, note=note, pauses=pauses)
