"""`[defaults]`: what holds for every task and service that does not say otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from rota.config.kinds.time import Duration, Zone
from rota.config.tables.program import ProgramTable
from rota.config.tables.retry import RetryTable
from rota.config.tables.table import optional
from rota.model.task import Overlap


class DefaultsTable(ProgramTable):
    """What holds for every task, and for every service, that does not say otherwise."""

    timezone: Zone | None = optional(
        "The time zone of the schedule, by its IANA name. Left out: the server's.", "America/New_York"
    )
    timeout: Duration | None = optional(
        "How long a run may take before it is stopped and ends as `timeout`. "
        "Left out, or 0: as long as it likes.",
        "1h30m",
        90,
    )
    retry: RetryTable = optional(
        "Another attempt for a run that fails. A task's keys are added to those of the defaults, and win "
        "over them.",
        {"attempts": 3, "delay": "1m", "backoff": "exponential"},
        default=RetryTable(),
        json_schema_extra={"default": {}},
    )
    keep_children: bool = optional(
        "Leave alone what a run has started and what outlives it, rather than stop it.", True, default=False
    )
    enabled: bool = optional(
        "Whether it starts by itself, by its schedule or `run_on_start`; by hand it starts all the same.",
        False,
        default=True,
    )
    manual_trigger: bool = optional("Whether anything but the schedule may start it.", False, default=True)
    max_concurrent: int = optional(
        "How many of its runs may be running at once.", 4, default=1, ge=1, le=1024
    )
    max_queued: int = optional(
        "How many of its runs may wait for their turn; 0 lets none wait.", 0, default=100, ge=0, le=10_000
    )
    on_overlap: Annotated[Overlap, Field(strict=False)] = optional(
        "What a tick or trigger does while `max_concurrent` runs are running: `queue` waits for its turn, "
        "`skip` lets it go by, `replace` stops the oldest run and starts after its end.",
        "skip",
        default=Overlap.QUEUE,
    )
    catch_up: int = optional(
        "How many of the ticks that a gap has missed are run after it, the newest. A gap is a time in which "
        "Rota was not running or the machine was suspended. More than 1 needs the overlap `queue`. 0: none.",
        0,
        24,
        default=1,
        ge=0,
        le=1000,
    )
    start_deadline: Duration | None = optional(
        "How long after its tick a run may still start; then it ends as `missed`, out of the queue too. "
        "Left out, or 0: however late.",
        "10m",
    )
    jitter: Duration = optional(
        "By how much at most a run is due later than its tick: each by its own part, the same at each try.",
        "5m",
        default=timedelta(),
    )
