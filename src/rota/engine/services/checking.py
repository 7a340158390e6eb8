"""What a check means for the life that it is about, and when the next one is due. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rota.engine.services.instance import Life
    from rota.model.service import HealthCheck

UNTIL_HEALTHY = 1.0
"""Seconds from one check to the next of an instance that was never healthy, where `interval` is longer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What a check has found out."""

    passed: bool | None  #: None: it could not be made just now, which says nothing of the instance
    message: str | None = None  #: why it did not pass, as the rest of a sentence


def after_check(check: HealthCheck, life: Life, finding: Finding, now: float) -> Life:
    """The life after it was looked at."""
    interval = check.interval.total_seconds()
    pause = interval if life.was_healthy else min(interval, UNTIL_HEALTHY)
    looked_at = replace(life, checking=False, next_check=now + pause)
    match finding.passed:
        case None:
            return looked_at
        case True:
            return replace(looked_at, passed=True, misses=0)
        case False:
            return replace(looked_at, misses=life.misses + 1)


def filled(text: str, *, index: int, port: int | None) -> str:
    """A text of a check with what it names of its instance; nothing else in braces is touched."""
    return text.replace("{index}", str(index)).replace("{port}", str(port))
