"""Rota as the operations see it: its parts, and what the server knows of itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rota.logs.live import LiveLogs
from rota.logs.searchers import Searchers

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from rota.config.config import Config
    from rota.engine.engine import Engine
    from rota.events.bus import Bus
    from rota.model.run import Run
    from rota.operations.loading import Loading
    from rota.storage.store import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class Rota:
    """One running Rota."""

    engine: Engine
    store: Store
    bus: Bus
    loading: Loading
    data: Path
    version: str
    pid: int
    started_at: datetime
    url: str
    live_logs: LiveLogs[Run] = field(default_factory=LiveLogs)
    searchers: Searchers = field(default_factory=Searchers)
    shutdown_asked: asyncio.Event = field(
        default_factory=asyncio.Event
    )  #: everything is to end, runs included

    @property
    def config(self) -> Config:
        """What everything goes by now."""
        return self.engine.config
