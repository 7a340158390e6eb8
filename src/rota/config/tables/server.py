"""`[server]`, `[storage]` and `[mcp]`: the server, its disk, and its agents."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rota.config.config import HOST, KEEP_DELETED, MIN_FREE_SPACE, PORT
from rota.config.kinds.address import Host
from rota.config.kinds.process import ManagedFile
from rota.config.kinds.size import Size
from rota.config.kinds.time import Duration, Zone
from rota.config.tables.table import Table, optional
from rota.model.tier import Tier


class ServerTable(Table):
    """Where Rota listens, and by which clock its tasks are due."""

    host: Host = optional(
        "The address to listen on; a loopback one, until Rota has accounts.", "::1", default=HOST
    )
    port: int = optional("The port to listen on; 0 takes any free one.", 9477, default=PORT, ge=0, le=65535)
    timezone: Zone | None = optional(
        "The time zone of every schedule that names none, by its IANA name. Left out: the machine's own.",
        "Europe/Paris",
    )
    max_concurrent: int | None = optional(
        "How many runs of tasks may be running at once, of all tasks together; services and jobs, which have "
        "limits of their own, do not count. Left out: no limit.",
        8,
        ge=1,
        le=10_000,
    )

    watch: bool = optional(
        "Load the configuration anew when a file of it changes. What is refused then is told by "
        "`rota status`.",
        True,
        default=False,
    )
    managed_file: ManagedFile | None = optional(
        "A file that agents may write tasks into (`save_task`); it is a part of the configuration as if it "
        "were included. Left out: they may not.",
        "agents.toml",
    )


class StorageTable(Table):
    """How much of the disk Rota may use."""

    max_size: Size = optional(
        "How much the logs of all runs may take together. Beyond it the logs of runs that have ended are "
        "removed, the oldest first; the runs themselves stay. 0: no limit.",
        "20gb",
        default=0,
    )
    keep_deleted: Duration = optional(
        "How long a run that was deleted can be restored; its log stays on the disk so long. 0: not at all.",
        "1d",
        default=KEEP_DELETED,
        json_schema_extra={"default": "1h"},
    )
    min_free_space: Size = optional(
        "How much of the disk output leaves free. While there is less, what programs write is dropped and "
        "counted, and they go on. 0: only a full disk stops it.",
        "1gb",
        default=MIN_FREE_SPACE,
        json_schema_extra={"default": "64mb"},
    )


class McpTable(Table):
    """What agents may do, through MCP."""

    tier: Annotated[Tier, Field(strict=False)] = optional(
        "Which tools agents get: `read` looks at tasks, runs and logs; `operate` also starts and stops what "
        "is defined; `admin` also runs commands of its own. `rota mcp --tier` may ask for less.",
        "operate",
        default=Tier.ADMIN,
    )
