"""What the server is, and for what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from rota.model.pause import Pause
    from rota.operations.rota import Rota


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerInfo:
    """One running server."""

    version: str
    pid: int
    started_at: datetime
    url: str
    data: Path
    config: Path | None
    timezone: str
    store_id: str
    tasks: int
    warnings: Sequence[str]
    pauses: Sequence[Pause]  #: all that last, the oldest first


def info(rota: Rota) -> ServerInfo:
    """The server's own facts."""
    return ServerInfo(
        version=rota.version,
        pid=rota.pid,
        started_at=rota.started_at,
        url=rota.url,
        data=rota.data,
        config=rota.config.path,
        timezone=rota.config.server.timezone,
        store_id=rota.store.store_id,
        tasks=len(rota.engine.tasks),
        warnings=[str(warning) for warning in rota.config.warnings],
        pauses=rota.engine.pausing.in_force(),
    )
