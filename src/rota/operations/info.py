"""What the server is, and for what."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from rota.model.pause import Pause
    from rota.operations.loading import Refusal
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
    loaded_at: datetime  #: when the configuration was
    refusal: Refusal | None  #: of a newer configuration, when it has faults
    changed: bool  #: its files are others than when they were last read


async def info(rota: Rota) -> ServerInfo:
    """The server's own facts."""
    changed = await asyncio.to_thread(rota.loading.look) != rota.loading.seen
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
        loaded_at=rota.loading.loaded_at,
        refusal=rota.loading.refusal,
        changed=changed,
    )
