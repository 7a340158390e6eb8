"""What is asked for: why there is to be a run, and what it is to be given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rota.model.run import Kind, TriggeredBy

if TYPE_CHECKING:
    from datetime import datetime

    from rota.engine.effective_params import Effective
    from rota.model.job import Job
    from rota.model.run import Actor, RunId


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Why there is to be a run."""

    triggered_by: TriggeredBy
    effective: Effective | None = None  #: what it is given; None is what the task says itself
    actor: Actor | None = None
    job: Job | None = None
    sealed: str | None = None  #: the secrets that it is given
    scheduled_at: datetime | None = None
    due_at: datetime | None = None  #: when it may start, if that is another moment
    rerun_of: RunId | None = None  #: which run it is again
    instance_index: int | None = None  #: of the service's instance whose life it is

    @property
    def kind(self) -> Kind:
        """What it is to be a run of."""
        if self.job is not None:
            return Kind.JOB
        return Kind.TASK if self.instance_index is None else Kind.SERVICE

    @property
    def due(self) -> datetime | None:
        """When it may start."""
        return self.due_at if self.due_at is not None else self.scheduled_at
