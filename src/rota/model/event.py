"""An event: one change of state, told after it was committed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rota.model.run import Run


class EventKind(StrEnum):
    """What changed."""

    RUN_CREATED = "run.created"  #: a run was written down, pending or already ended
    RUN_STARTED = "run.started"  #: its process lives
    RUN_ENDED = "run.ended"  #: it is over; also told of a run that was created ended
    RUN_DELETED = "run.deleted"  #: somebody deleted it; or it was kept as long as it was to be, and is gone
    RUN_RESTORED = "run.restored"  #: it was deleted, and is there again
    PAUSE_BEGAN = "pause.began"  #: a task, a group or everything is paused, or the reason is another one
    PAUSE_ENDED = "pause.ended"  #: it is not any more
    STORE_FAILED = "store.failed"  #: the database cannot be written
    STORE_HEALED = "store.healed"  #: it can again
    KEEPER_LOST = "keeper.lost"  #: the keeper has died; its runs end as lost
    KEEPER_READY = "keeper.ready"  #: a keeper is connected and reconciled


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One change of state. `id` grows by the order of commits, over restarts too."""

    id: int
    kind: EventKind
    at: datetime
    run: Run | None = None
    message: str | None = None
