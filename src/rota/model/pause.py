"""A pause: of a task, a group's tasks or everything; what would start by itself does not, meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from rota.model.run import TriggeredBy

if TYPE_CHECKING:
    from rota.model.run import Actor

LONGEST_REASON = 500
"""Characters."""


class PauseKind(StrEnum):
    """How much is paused."""

    TASK = "task"  #: one task
    GROUP = "group"  #: the tasks with this `group`, be there a table for it or not
    ALL = "all"  #: every task, and the jobs that wait; never a service


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What is paused."""

    kind: PauseKind
    name: str | None = None  #: the task's or group's; None is everything

    def __str__(self) -> str:
        return "everything" if self.name is None else f"{self.kind} {self.name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """One pause, from the moment on at which it was asked for."""

    scope: Scope
    reason: str | None = None
    actor: Actor | None = None  #: who asked for it; None when nobody knows
    via: TriggeredBy  #: by which way
    since: datetime
    resumed_at: datetime | None = None  #: None while it lasts

    @property
    def by(self) -> str:
        """Who asked for it, as text."""
        return str(self.via) if self.actor is None else f"{self.actor.kind} {self.actor.name}"

    @property
    def told(self) -> str:
        """What was paused, as a task sees it, by whom, since when and why."""
        match self.scope.kind:
            case PauseKind.TASK:
                what = "the task"
            case PauseKind.GROUP:
                what = f"its group {self.scope.name}"
            case PauseKind.ALL:
                what = "everything"
        return f"{what} was paused {self.circumstances}"

    @property
    def circumstances(self) -> str:
        """`by user olaf since 2026-11-25 13:00:00 UTC (deploying)`."""
        reason = "" if self.reason is None else f" ({self.reason})"
        return f"by {self.by} since {self.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC{reason}"

    def holds(self, it: Wanting, created_at: datetime) -> bool:
        """Whether what wants to start has to wait for its end, or go by.

        Who asks for a run at once after it has begun wants that all the same, and is told of the pause.
        """
        return it.triggered_by not in ASKED_FOR or it.scheduled_at is not None or created_at < self.since

    def was_in_force(self, at: datetime) -> bool:
        """Whether it lasted at that moment."""
        return self.since <= at and (self.resumed_at is None or at < self.resumed_at)


ASKED_FOR = frozenset(
    {
        TriggeredBy.API,
        TriggeredBy.UI,
        TriggeredBy.CLI,
        TriggeredBy.TUI,
        TriggeredBy.MCP,
        TriggeredBy.WEBHOOK,
    }
)
"""What does not start by itself. Services are no matter of pauses."""


class Wanting(Protocol):
    """What may want to start: a run, or the wish for one."""

    @property
    def triggered_by(self) -> TriggeredBy:
        """Who or what starts it."""

    @property
    def scheduled_at(self) -> datetime | None:
        """The tick, or for when it was asked for."""
