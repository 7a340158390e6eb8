"""Pauses, and what is paused."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rota.api.shapes.run import Actor
from rota.api.shapes.shape import Inner, Shape
from rota.api.wire import moment
from rota.model.pause import PauseKind
from rota.model.run import TriggeredBy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rota.model import pause as model


class Pause(Inner):
    """A pause that lasts: what would start by itself does not."""

    kind: PauseKind = Field(description="A task, a group's tasks, or everything.")
    name: str | None = Field(description="Of the task or group; null for everything.")
    reason: str | None
    actor: Actor | None = Field(description="Who asked for it; null when nobody knows.")
    via: TriggeredBy = Field(description="By which way it was asked for.")
    since: datetime

    @staticmethod
    def as_json(it: model.Pause) -> dict[str, Any]:
        return {
            "kind": it.scope.kind.value,
            "name": it.scope.name,
            "reason": it.reason,
            "actor": None if it.actor is None else Actor.as_json(it.actor),
            "via": it.via.value,
            "since": moment(it.since),
        }


class PauseState(Shape):
    """Whether a task, a group or everything is paused."""

    kind: PauseKind
    name: str | None = Field(description="Of the task or group; null for everything.")
    pauses: list[Pause] = Field(description="Those that hold it now, the narrowest first; none: it goes on.")

    @staticmethod
    def as_json(scope: model.Scope, pauses: Sequence[model.Pause]) -> dict[str, Any]:
        return {
            "kind": scope.kind.value,
            "name": scope.name,
            "pauses": [Pause.as_json(each) for each in pauses],
        }
