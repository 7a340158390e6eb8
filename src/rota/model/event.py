"""An event: one change of state, told after it was committed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rota.model.run import Run, RunId
    from rota.model.service import InstanceState


class EventKind(StrEnum):
    """What changed."""

    RUN_CREATED = "run.created"  #: a run was written down, pending or already ended
    RUN_STARTED = "run.started"  #: its process lives
    RUN_ENDED = "run.ended"  #: it is over; also told of a run that was created ended
    RUN_GREW = "run.grew"  #: one that tells of the ticks that a pause lets go by tells of more of them
    RUN_DELETED = "run.deleted"  #: somebody deleted it; or it was kept as long as it was to be, and is gone
    RUN_RESTORED = "run.restored"  #: it was deleted, and is there again
    PAUSE_BEGAN = "pause.began"  #: a task, a group or everything is paused, or the reason is another one
    PAUSE_ENDED = "pause.ended"  #: it is not any more
    CONFIG_LOADED = "config.loaded"  #: the configuration was loaded anew, and holds
    CONFIG_REFUSED = "config.refused"  #: it has faults, and the one before it holds
    STORE_FAILED = "store.failed"  #: the database cannot be written
    STORE_HEALED = "store.healed"  #: it can again
    KEEPER_LOST = "keeper.lost"  #: the keeper has died; its runs end as lost
    KEEPER_READY = "keeper.ready"  #: a keeper is connected and reconciled
    SERVICE_STARTING = "service.starting"  #: an instance of a service begins; these go by `InstanceState`
    SERVICE_HEALTHY = "service.healthy"  #: it lives, and is well
    SERVICE_UNHEALTHY = "service.unhealthy"  #: it lives, and its check fails
    SERVICE_BACKING_OFF = "service.backing_off"  #: it ended, and is started again after a pause
    SERVICE_FAILED = "service.failed"  #: it ended too often, and is started no more
    SERVICE_STOPPING = "service.stopping"  #: it was asked to end
    SERVICE_STOPPED = "service.stopped"  #: it does not live, and is not to


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceChange:
    """An instance of a service stands otherwise than before."""

    service: str
    index: int
    state: InstanceState
    was: InstanceState
    run_id: RunId | None  #: the life that it has, or had last


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One change of state. `id` grows by the order of commits, over restarts too."""

    id: int
    kind: EventKind
    at: datetime
    run: Run | None = None
    instance: InstanceChange | None = None
    message: str | None = None
