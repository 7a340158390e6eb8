"""The definitions that a task has had."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rota.api.shapes.shape import Shape
from rota.api.wire import moment

if TYPE_CHECKING:
    from rota.model import definition as model


class Revision(Shape):
    """One of the definitions that a task has had."""

    task_name: str
    revision: int = Field(ge=1)
    since: datetime = Field(description="When it was first loaded.")
    definition: dict[str, Any] = Field(
        description="By the names of `Task`; what is left out has its default, and of secrets there are the "
        "names."
    )

    @staticmethod
    def as_json(it: model.Revision) -> dict[str, Any]:
        return {
            "task_name": it.name,
            "revision": it.number,
            "since": moment(it.since),
            "definition": dict(it.definition),
        }


class Revisions(Shape):
    """The definitions that a task has had, the newest first."""

    items: list[Revision]
