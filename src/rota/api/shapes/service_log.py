"""The log of a service, across its instances and their lives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from rota.api.shapes.log import LogLine
from rota.api.shapes.shape import Inner, RunIdText, Shape
from rota.model.run import EndReason, Status

if TYPE_CHECKING:
    from rota.model.run import Run
    from rota.operations.read_service_log import ServiceLine, ServiceLines


class ServiceLogLine(Inner):
    """A line of a service's log, and whose it is."""

    run_id: RunIdText
    instance_index: int = Field(ge=0)
    line: LogLine

    @staticmethod
    def as_json(it: ServiceLine) -> dict[str, Any]:
        return {
            "run_id": it.run.id,
            "instance_index": it.run.instance_index,
            "line": LogLine.as_json(it.line),
        }


class ServiceLogPage(Shape):
    """Some lines of a service's log, in the order of their arrival."""

    lines: list[ServiceLogLine]
    more: bool = Field(description="There are more already.")
    next_cursor: str = Field(description="Give it as `since` for what follows; a service's log has no end.")

    @staticmethod
    def as_json(it: ServiceLines) -> dict[str, Any]:
        return {
            "lines": [ServiceLogLine.as_json(each) for each in it.lines],
            "more": it.more,
            "next_cursor": it.place.write(),
        }


class ServiceLife(Shape):
    """A life of an instance has begun or ended."""

    run_id: RunIdText
    instance_index: int = Field(ge=0)
    status: Status
    end_reason: EndReason | None

    @staticmethod
    def as_json(it: Run) -> dict[str, Any]:
        return {
            "run_id": it.id,
            "instance_index": it.instance_index,
            "status": it.status,
            "end_reason": it.end_reason,
        }
