"""`retry`: another attempt for runs that fail."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from rota.config.kinds.end import RetriedOn
from rota.config.kinds.time import Duration
from rota.config.tables.table import Table, optional
from rota.model.backoff import Backoff
from rota.model.retry import MOST_ATTEMPTS


class RetryTable(Table):
    """What becomes of a run that fails: whether it gets another attempt, and when."""

    attempts: int = optional(
        "How many attempts a run has, the first included; 1 is no retry.",
        3,
        default=1,
        ge=1,
        le=MOST_ATTEMPTS,
    )
    delay: Duration = optional(
        "How long after the end of the first attempt the second is due.",
        "30s",
        default=timedelta(seconds=10),
    )
    backoff: Annotated[Backoff, Field(strict=False)] = optional(
        "How the delay goes on: `constant` is the same each time, `linear` once, twice, three times `delay`, "
        "`exponential` once, twice, four times.",
        "exponential",
        default=Backoff.CONSTANT,
    )
    max_delay: Duration | None = optional(
        "No delay is longer, however it grows. Left out: an hour, or `delay` if that is more.", "10m"
    )
    jitter: Duration = optional(
        "By how much at most an attempt is due later than that: each by its own part.",
        "5s",
        default=timedelta(),
    )
    on: list[RetriedOn] | None = optional(
        "The failures that are retried, as end reasons and exit codes. Left out: all.",
        ["timeout", "lost"],
        [75, "start_failed"],
        min_length=1,
    )
