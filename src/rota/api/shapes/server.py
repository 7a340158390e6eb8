"""The server: what it is, whether it is well, and its end."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rota.api.shapes.pause import Pause
from rota.api.shapes.shape import Inner, Shape
from rota.api.wire import moment

if TYPE_CHECKING:
    from rota.operations.info import ServerInfo
    from rota.operations.loading import Refusal


class Health(Shape):
    """Whether Rota can do its work; when it cannot, the answer is a `Problem` with status 503."""

    ok: bool
    problems: list[str]


class ConfigRefused(Inner):
    """A configuration that was not taken."""

    at: datetime
    by: str = Field(description="Who wanted it loaded: `api`, `cli`, `mcp`, `SIGHUP`, `watch`.")
    faults: list[str] = Field(description="Each with its file, line and column.")

    @staticmethod
    def as_json(it: Refusal) -> dict[str, Any]:
        return {"at": moment(it.at), "by": it.by, "faults": [str(fault) for fault in it.faults]}


class Info(Shape):
    """The server that answers."""

    version: str
    pid: int
    started_at: datetime
    url: str
    data: str = Field(description="The data folder.")
    config: str | None = Field(description="The configuration file.")
    timezone: str = Field(description="The zone of schedules that name none.")
    store_id: str = Field(description="Made with the database; another one means another history.")
    tasks: int = Field(ge=0)
    warnings: list[str] = Field(description="What the configuration would better say otherwise.")
    pauses: list[Pause] = Field(description="All that last, the oldest first.")
    config_changed: bool = Field(
        description="Whether a file of the configuration has changed since it was last read."
    )
    config_loaded_at: datetime
    config_refused: ConfigRefused | None = Field(
        description="Why the configuration as it is now does not hold; null after the last load went well."
    )

    @staticmethod
    def as_json(it: ServerInfo) -> dict[str, Any]:
        return {
            "version": it.version,
            "pid": it.pid,
            "started_at": moment(it.started_at),
            "url": it.url,
            "data": str(it.data),
            "config": None if it.config is None else str(it.config),
            "timezone": it.timezone,
            "store_id": it.store_id,
            "tasks": it.tasks,
            "warnings": list(it.warnings),
            "pauses": [Pause.as_json(each) for each in it.pauses],
            "config_changed": it.changed,
            "config_loaded_at": moment(it.loaded_at),
            "config_refused": None if it.refusal is None else ConfigRefused.as_json(it.refusal),
        }


class Shutdown(Shape):
    """Everything is being ended: the runs, the keeper, the server."""

    pid: int
    running: int = Field(ge=0)
    pending: int = Field(ge=0)
