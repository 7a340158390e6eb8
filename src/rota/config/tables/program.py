"""What holds for whatever is run, task or service."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from rota.config.kinds.end import ExitCode, Failure
from rota.config.kinds.name import EnvName
from rota.config.kinds.process import Folder, Shell, Signal, Umask, User
from rota.config.kinds.size import LogSize, Memory, Processors
from rota.config.kinds.text import Files, SecretText, Text
from rota.config.kinds.time import Duration
from rota.config.tables.table import Table, optional
from rota.model.run import FAILURES
from rota.model.task import LOG_MAX_SIZE, EnvBase, LogOnFull


class ProgramTable(Table):
    """What holds for whatever is run: how it begins, what it finds, how it ends, what is kept of it."""

    env_base: Annotated[EnvBase, Field(strict=False)] = optional(
        "What the environment begins with: `inherit` is the server's own, without what is Rota's; `clean` "
        "is PATH, LANG, HOME, USER, LOGNAME and SHELL alone.",
        "clean",
        default=EnvBase.INHERIT,
    )
    env_file: Files = optional(
        "Files of environment variables, a `NAME=value` a line; one path or several, of which a later one "
        "wins. Read when the configuration is.",
        ".env",
        ["common.env", "/etc/shop.env"],
        default=[],
    )
    env: dict[EnvName, Text] = optional(
        "Environment variables; they win over those of `env_file`. A task's are added to those of the "
        "defaults, and win over them. Names that begin with ROTA_ are Rota's.",
        {"LANG": "C.UTF-8", "PGHOST": "db.internal"},
        default={},
    )
    secrets_file: Files = optional(
        "Files of environment variables as `env_file`, whose values are secrets.",
        "secrets.env",
        ["~/.config/shop/keys.env", "/run/secrets/shop.env"],
        default=[],
    )
    secrets: dict[EnvName, SecretText] = optional(
        "Environment variables whose values are shown nowhere, and hidden in logs. They win over those of "
        "`secrets_file`. A task's are added to those of the defaults, and win over them.",
        {"PGPASSWORD": "${PGPASSWORD}", "API_KEY": "${file:/run/secrets/api-key}"},
        default={},
    )
    working_dir: Folder | None = optional(
        "The folder to run in: absolute, below `~`, or relative to the folder of this file. "
        "Left out: that folder itself.",
        "/srv/app",
        "~/backups",
    )
    shell: Shell = optional(
        "The program that runs a `run` given as text, by absolute path or by name.",
        "/bin/bash",
        default="/bin/sh",
    )
    stop_signal: Signal = optional("The signal that asks a run to stop.", "SIGINT", default="SIGTERM")
    grace: Duration = optional(
        "How long a run may take to stop when asked; then it is killed.", "30s", default=timedelta(seconds=5)
    )
    exit_codes: list[ExitCode] = optional(
        "The exit codes that are a success.", [0, 3], default=[0], min_length=1
    )
    failures: list[Failure] = optional(
        "The end reasons that are a failure (`is_failure`); the others are not. It is what retries, "
        "`after_failure`, `restart` and news go by. A success never is one.",
        ["failed", "timeout"],
        default=tuple(sorted(FAILURES)),
    )
    merge_stderr: bool = optional(
        "One pipe for standard output and standard error: "
        "their order is exact, and they cannot be told apart.",
        True,
        default=False,
    )
    stdin: bool = optional(
        "Keep standard input open, for input that is sent to the run. Otherwise it is empty.",
        True,
        default=False,
    )
    pty: bool = optional(
        "Run in a terminal: what is sent to the run is typed into it, and what the run writes, on either "
        "stream, is standard output.",
        True,
        default=False,
    )
    user: User | None = optional(
        "The user that it runs as, `name` or `name:group`; another than Rota's own takes root. "
        "Left out: Rota's own.",
        "backup",
        "www-data:adm",
    )
    umask: Umask | None = optional(
        "Which rights the files that it makes do not give: an octal number in quotes. Left out: Rota's own.",
        "027",
    )
    nice: int | None = optional(
        "How far it stands back for other programs: from -20, the most urgent, to 19. Below 0 takes root. "
        "Left out: Rota's own.",
        10,
        ge=-20,
        le=19,
    )
    memory_max: Memory | None = optional(
        "How much memory a run's processes may use together, at least 4mib; a run that wants more is killed, "
        "and ends as `out_of_memory`. Left out, or 0: as much as there is.",
        "512mb",
    )
    cpu_max: Processors | None = optional(
        "How many processors a run's processes may keep busy together: a number, or a share of one. "
        "Left out, or 0: all of them.",
        0.5,
        "150%",
    )
    tasks_max: int | None = optional(
        "How many processes and threads a run may have at once. Left out, or 0: as many as it likes.",
        64,
        ge=0,
        le=4_194_304,
    )
    log_max_size: LogSize = optional(
        "How large a run's log may become on the disk, with its index; at least 128kib. 0: no limit.",
        "1gb",
        5_000_000,
        default=LOG_MAX_SIZE,
        json_schema_extra={"default": "100mb"},
    )
    log_on_full: Annotated[LogOnFull, Field(strict=False)] = optional(
        "What becomes of the output of a run whose log has reached `log_max_size`: `drop_old` keeps the "
        "newest, `drop_new` the oldest, `kill` stops the run, which ends as `log_overflow`.",
        "drop_new",
        default=LogOnFull.DROP_OLD,
    )
    keep_runs: int | None = optional(
        "How many of its ended runs are kept, the newest, with their logs. Left out: all.",
        100,
        ge=1,
        le=1_000_000,
    )
    keep_for: Duration | None = optional(
        "How long its runs are kept after their end, with their logs. Left out, or 0: for ever.", "30d"
    )
