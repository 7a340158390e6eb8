"""What starts next by itself, of all tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rota.engine.timetable import Coming
    from rota.operations.rota import Rota


def next_ticks(rota: Rota, *, limit: int) -> Sequence[Coming]:
    """The next ticks, and the pending runs that are not due yet, in the order in which they are due."""
    return rota.engine.ticks.coming(limit)
