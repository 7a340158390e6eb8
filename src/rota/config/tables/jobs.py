"""`[jobs]`: ad-hoc commands, which stand in no file."""

from __future__ import annotations

from rota.config.kinds.process import Folder, Program, Shell, User
from rota.config.kinds.size import LogSize, Memory, Processors
from rota.config.kinds.time import Duration
from rota.config.tables.table import Table, optional
from rota.model.job import MAX_CONCURRENT
from rota.model.task import LOG_MAX_SIZE


class JobsTable(Table):
    """Ad-hoc commands, which stand in no file: who may start them, which, and what holds for all of them."""

    enabled: bool | None = optional(
        "Whether jobs may be started. True: also by whoever reaches the port of a server that asks for no "
        "token (`ROTA_AUTH=off`). False: by nobody. Left out: by the data folder's owner, through the Unix "
        "socket or with the token.",
        False,
    )
    max_concurrent: int = optional(
        "How many jobs may run at once; more of them wait.", 4, default=MAX_CONCURRENT, ge=1, le=1024
    )
    max_queued: int = optional(
        "How many jobs may wait for their turn; 0 lets none wait.", 0, default=100, ge=0, le=10_000
    )
    timeout: Duration | None = optional(
        "How long a job may take. One may ask for less, and not for more. Left out, or 0: as long as it "
        "likes.",
        "2h",
    )
    shell: Shell = optional(
        "The program that runs a command given as text, by absolute path or by name.",
        "/bin/bash",
        default="/bin/sh",
    )
    user: User | None = optional(
        "Whose the jobs are, as `user` or `user:group`; it takes a server that runs as root. Left out: the "
        "server's own user.",
        "agent",
        "agent:agents",
    )
    allow: list[Program] | None = optional(
        "The programs that jobs may start; text for the shell counts as its shell. By name, as a login finds "
        "it, or by absolute path; `*` and `?` stand for any. Left out: all.",
        ["git", "/usr/bin/python3*", "/opt/tools/*"],
    )
    deny: list[Program] = optional(
        "The programs that jobs may not start, even when `allow` has them. It guards against slips, and is "
        "no wall: what is started can start others.",
        ["rm", "/usr/sbin/*"],
        default=[],
    )
    cwd_roots: list[Folder] | None = optional(
        "The folders within which jobs may run: absolute, below `~`, or relative to the folder of this file. "
        "Left out: any.",
        ["~/src", "/srv"],
    )
    memory_max: Memory | None = optional(
        "How much memory a job's processes may use together, at least 4mib; a job that wants more is killed, "
        "and ends as `out_of_memory`. Left out, or 0: as much as there is.",
        "512mb",
    )
    cpu_max: Processors | None = optional(
        "How many processors a job's processes may keep busy together: a number, or a share of one. "
        "Left out, or 0: all of them.",
        0.5,
        "150%",
    )
    tasks_max: int | None = optional(
        "How many processes and threads a job may have at once. Left out, or 0: as many as it likes.",
        64,
        ge=0,
        le=4_194_304,
    )
    log_max_size: LogSize = optional(
        "How large a job's log may become on the disk, with its index; at least 128kib. What is too much "
        "goes from its beginning. 0: no limit.",
        "1gb",
        default=LOG_MAX_SIZE,
        json_schema_extra={"default": "100mb"},
    )
    keep_runs: int | None = optional(
        "How many ended jobs are kept, the newest, with their logs. Left out: all.", 1000, ge=1, le=1_000_000
    )
    keep_for: Duration | None = optional(
        "How long jobs are kept after their end, with their logs. Left out, or 0: for ever.", "7d"
    )
