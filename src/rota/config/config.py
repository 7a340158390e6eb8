"""A configuration: what its file says, ready to be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from rota.config.watched import Watched
from rota.model.job import MAX_CONCURRENT
from rota.model.task import LOG_MAX_SIZE
from rota.model.tier import Tier

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rota.config.fault import ConfigFault
    from rota.model.service import Service
    from rota.model.task import Task
    from rota.timing.calendar import Calendar

HOST = "127.0.0.1"
PORT = 9477
MIN_FREE_SPACE = 64_000_000
"""Bytes; enough for the database to go on when output has filled the disk."""


KEEP_DELETED = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """Where Rota listens, and the time by which its tasks are due."""

    host: str = HOST  #: a loopback address or name
    port: int = PORT  #: 0 takes any free one
    timezone: str = "UTC"  #: IANA name, of the tasks that say none; a file that says none has the machine's
    max_concurrent: int | None = None  #: runs of tasks at once, of all together; None is no limit
    watch: bool = False  #: load the configuration anew when a file of it changes
    managed_file: str | None = None  #: absolute; where agents may write tasks; None: they may not


@dataclass(frozen=True, kw_only=True, slots=True)
class Storage:
    """How much of the disk Rota may use, in bytes."""

    max_size: int = 0  #: of all logs together; 0 is no limit
    keep_deleted: timedelta = KEEP_DELETED  #: so long a deleted run can be restored
    min_free_space: int = MIN_FREE_SPACE  #: that output leaves to others; 0 is all of it


@dataclass(frozen=True, kw_only=True, slots=True)
class Jobs:
    """Who may start jobs, which, and what holds for all of them."""

    enabled: bool | None = None  #: None: for those who are known to be the owner, and nobody else
    max_concurrent: int = MAX_CONCURRENT
    max_queued: int = 100
    timeout: timedelta | None = None  #: the longest that a job may ask for, and of one that asks for none
    shell: str = "/bin/sh"
    user: str | None = None  #: `user` or `user:group`; None is the server's own
    allow: tuple[str, ...] | None = None  #: programs; None is any
    deny: tuple[str, ...] = ()  #: programs; it wins over `allow`
    cwd_roots: tuple[str, ...] | None = None  #: absolute folders; None is any
    memory_max: int | None = None  #: bytes that each may use; None is no limit, as of the next two
    cpu_max: float | None = None  #: processors that each may use
    tasks_max: int | None = None  #: processes and threads that each may have at once
    log_max_size: int | None = LOG_MAX_SIZE  #: bytes; None is no limit
    keep_runs: int | None = None  #: so many ended jobs, the newest; None keeps all
    keep_for: timedelta | None = None  #: since their end; None is for ever

    @property
    def is_bounded(self) -> bool:
        """Whether not every program may be started in every folder."""
        return self.allow is not None or bool(self.deny) or self.cwd_roots is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """What holds for the tasks of a group together."""

    max_concurrent: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Mcp:
    """What agents may do."""

    tier: Tier = Tier.ADMIN  #: a bridge may ask for less, never for more


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """Everything that a file says. Without a file there are no tasks."""

    path: Path | None = None
    server: Server = field(default_factory=Server)
    storage: Storage = field(default_factory=Storage)
    jobs: Jobs = field(default_factory=Jobs)
    mcp: Mcp = field(default_factory=Mcp)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    warnings: tuple[ConfigFault, ...] = ()  #: what is allowed, and probably not meant
    watched: Watched = field(default_factory=Watched)  #: what it was read from
