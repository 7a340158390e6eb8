"""Changes of state, as they happen."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rota.api.shapes.run import Run
from rota.api.shapes.shape import Inner, RunIdText, Shape
from rota.api.wire import moment
from rota.model.event import EventKind
from rota.model.service import InstanceState

if TYPE_CHECKING:
    from rota.model import event as model


class InstanceChange(Inner):
    """An instance of a service stands otherwise than before."""

    service: str
    index: int = Field(ge=0)
    state: InstanceState
    was: InstanceState
    run_id: RunIdText | None = Field(description="Its life, or its last one.")

    @staticmethod
    def as_json(it: model.InstanceChange) -> dict[str, Any]:
        return {
            "service": it.service,
            "index": it.index,
            "state": it.state,
            "was": it.was,
            "run_id": it.run_id,
        }


class Event(Shape):
    """One change of state; `id` grows by the order of commits, over restarts too."""

    id: int = Field(ge=1)
    kind: EventKind
    at: datetime
    run: Run | None
    instance: InstanceChange | None = Field(description="With the kinds that begin with `service.`.")
    message: str | None

    @staticmethod
    def as_json(it: model.Event) -> dict[str, Any]:
        return {
            "id": it.id,
            "kind": it.kind,
            "at": moment(it.at),
            "run": None if it.run is None else Run.as_json(it.run),
            "instance": None if it.instance is None else InstanceChange.as_json(it.instance),
            "message": it.message,
        }


class Gap(Shape):
    """Events were missed: those before `first_available` can no longer be told. Look at the runs anew."""

    first_available: int = Field(ge=0)
