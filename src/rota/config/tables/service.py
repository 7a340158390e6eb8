"""`[services.NAME]`: what is kept alive."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from rota.config.kinds.name import ServiceNames
from rota.config.kinds.process import AnySignal, Command
from rota.config.kinds.text import Label, Text
from rota.config.kinds.time import Duration
from rota.config.tables.health import HealthTable
from rota.config.tables.program import ProgramTable
from rota.config.tables.table import optional
from rota.model.backoff import Backoff
from rota.model.service import KEEP_RUNS, MOST_INSTANCES, Restart


class ServiceTable(ProgramTable):
    """A service: what to keep alive, in how many instances, and when to give up on it."""

    run: Command = Field(
        description="What each instance runs, in the foreground: text for the shell, or a list of a program "
        "and its arguments, without a shell.",
        examples=["exec gunicorn --bind 127.0.0.1:$PORT shop:app", ["/usr/bin/redis-server", "redis.conf"]],
    )
    instances: int = optional(
        "How many of it there are. Each has ROTA_INSTANCE_INDEX, from 0.",
        4,
        default=1,
        ge=1,
        le=MOST_INSTANCES,
    )
    restart: Annotated[Restart, Field(strict=False)] = optional(
        "When an instance that has ended is started again: `always`, `on_failure` (after an end that is "
        "among its `failures`, but not when somebody stopped its run), or `never`.",
        "on_failure",
        default=Restart.ALWAYS,
    )
    restart_delay: Duration = optional(
        "How long from the end of one life to the beginning of the next.", "5s", default=timedelta(seconds=1)
    )
    restart_backoff: Annotated[Backoff, Field(strict=False)] = optional(
        "How `restart_delay` grows with the lives in a row that ended before they were healthy, to a minute "
        "at most: `constant`, `linear` or `exponential`.",
        "constant",
        default=Backoff.EXPONENTIAL,
    )
    restart_attempts: int = optional(
        "How many lives in a row may end before they are healthy; then the instance has `failed`. "
        "0: it is tried for ever.",
        3,
        default=10,
        ge=0,
        le=1_000_000,
    )
    healthy_after: Duration = optional(
        "How long an instance has to live before it is healthy, whatever its check says.",
        "10s",
        default=timedelta(seconds=1),
    )
    health: HealthTable | None = optional(
        "How it is found out whether an instance is well. Left out: whatever lives is.",
        {"http": "http://127.0.0.1:{port}/health", "interval": "5s"},
    )
    port: int | None = optional(
        "The port of instance 0; the others have the next ones. Each finds its own in PORT.",
        8000,
        ge=1,
        le=65535,
    )
    autostart: bool = optional(
        "Whether it is started by itself, when the machine has booted and after `rota shutdown`.",
        False,
        default=True,
    )
    depends_on: ServiceNames = optional(
        "Services that have to be healthy before an instance of this one begins: one, or a list. They are "
        "started along with it.",
        "database",
        ["database", "queue"],
        default=[],
    )
    reload_signal: AnySignal | None = optional(
        "The signal that has it read its configuration again: what `rota signal` sends.", "SIGHUP"
    )
    description: Text | None = optional("What it is for, in a sentence for people.", "The shop's pages")
    group: Label | None = optional("A label to show services together by.", "shop")
    tags: list[Label] = optional("Labels to find services by.", ["web", "public"], default=[])
    keep_runs: int | None = optional(
        "How many of its ended lives are kept, the newest, with their logs.",
        100,
        default=KEEP_RUNS,
        ge=1,
        le=1_000_000,
    )
