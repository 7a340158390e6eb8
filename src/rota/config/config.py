"""A configuration: what its file says, ready to be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rota.config.fault import ConfigFault
    from rota.model.task import Task

HOST = "127.0.0.1"
PORT = 9477
MIN_FREE_SPACE = 64_000_000
"""Bytes; enough for the database to go on when output has filled the disk."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """Where Rota listens, and the time by which its tasks are due."""

    host: str = HOST  #: a loopback address or name
    port: int = PORT  #: 0 takes any free one
    timezone: str = "UTC"  #: IANA name, of the tasks that say none; a file that says none has the machine's


@dataclass(frozen=True, kw_only=True, slots=True)
class Storage:
    """How much of the disk Rota may use, in bytes."""

    max_size: int = 0  #: of all logs together; 0 is no limit
    min_free_space: int = MIN_FREE_SPACE  #: that output leaves to others; 0 is all of it


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """Everything that a file says. Without a file there are no tasks."""

    path: Path | None = None
    server: Server = field(default_factory=Server)
    storage: Storage = field(default_factory=Storage)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    warnings: tuple[ConfigFault, ...] = ()  #: what is allowed, and probably not meant
