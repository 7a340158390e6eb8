"""Retries: which ends get another attempt, and how long after. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from rota.model.backoff import Backoff, pause
from rota.model.run import EndReason

if TYPE_CHECKING:
    from rota.model.run import Run


#: What another attempt may mend: the run was to be, and nobody asked for its end.
RETRIED = frozenset({
    EndReason.FAILED,
    EndReason.TIMEOUT,
    EndReason.START_FAILED,
    EndReason.LOG_OVERFLOW,
    EndReason.OUT_OF_MEMORY,
    EndReason.LOST,
})  # fmt: skip

MOST_ATTEMPTS = 1000

MAX_DELAY = timedelta(hours=1)
"""As long as a delay becomes, unless it is told otherwise, or begins with more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """What a task says of the runs that fail."""

    attempts: int = 1  #: of one run, the first included
    delay: timedelta = timedelta(seconds=10)  #: from the first end to the second attempt
    backoff: Backoff = Backoff.CONSTANT
    max_delay: timedelta | None = None  #: None is `MAX_DELAY`, or `delay` where that is more
    jitter: timedelta = timedelta()  #: so much at most is added to a delay
    on: frozenset[EndReason | int] | None = None  #: ends and exit codes; None is every failure

    def wants(self, ended: Run) -> bool:
        """Whether a run that ended so is to get another attempt."""
        if (
            not ended.is_failure
            or ended.end_reason not in RETRIED
            or ended.retry_attempt + 1 >= self.attempts
        ):
            return False
        return self.on is None or ended.end_reason in self.on or ended.exit_code in self.on

    def delay_after(self, failed: int) -> timedelta:
        """How long to wait when so many attempts have failed, without jitter."""
        return pause(self.backoff, first=self.delay, failures=failed, longest=self.longest)

    @property
    def longest(self) -> timedelta:
        """No delay becomes longer than this, but for its jitter."""
        return max(self.delay, MAX_DELAY) if self.max_delay is None else self.max_delay


ONCE = Retry()
"""No retry."""
