"""What a schedule means, and when it is due next; nothing comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from rota.engine.timetable import upcoming
from rota.model.error import Fault, Invalid
from rota.timing.schedule import parse_schedule
from rota.timing.unreadable import Unreadable
from rota.timing.zone import find_zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rota.operations.rota import Rota


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """A schedule as people understand it."""

    meaning: str
    timezone: str
    ticks: Sequence[datetime]


def preview_schedule(
    rota: Rota, cron: str, timezone: str | None, *, count: int, after: datetime | None = None
) -> Preview:
    """Its next ticks, from now on or from `after`. Raises Invalid."""
    zone = timezone or rota.config.server.timezone
    try:
        find_zone(zone)
    except Unreadable as error:
        raise Invalid([Fault(location="query.timezone", message=str(error), value=timezone)]) from error
    try:
        schedule = parse_schedule(cron, zone)
    except Unreadable as error:
        raise Invalid([Fault(location="query.cron", message=str(error), value=cron)]) from error
    ticks = list(islice(upcoming([schedule], after or datetime.now(UTC)), count))
    return Preview(meaning=schedule.explain(), timezone=zone, ticks=ticks)
