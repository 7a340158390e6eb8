"""How far the time inside a run's id and its `created_at` part, so that ids can be searched by time.

A UUIDv7 begins with the millisecond of its making. Ids and `created_at` come from two readings of a clock
that can be set back, so they agree nearly, not exactly. The widest difference ever stored is kept with the
runs: within it a range of times is a range of ids, which needs no index of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rota.model.run import Run

_LEAST = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LATEST = (1 << 48) - 1


class Drift:
    """The widest difference between an id's time and `created_at` among the runs of a store."""

    def __init__(self, saved: timedelta | None) -> None:
        self._widest = saved or _LEAST
        self._saved = self._widest

    def take_in(self, runs: Iterable[Run]) -> timedelta | None:
        """Make room for these runs; what comes back has to be saved with them, and None need not be.

        Reads are widened at once, so that none of them misses a run that is being written.
        """
        for run in runs:
            apart = abs(run.created_at - _made_at(run.id))
            while self._widest < apart:
                self._widest *= 2  # in leaps, so that it is seldom saved
        return self._widest if self._widest != self._saved else None

    def saved(self, widest: timedelta | None) -> None:
        """What `take_in` returned was committed."""
        if widest is not None:
            self._saved = max(self._saved, widest)

    def first_id(self, created_after: datetime) -> str:
        """No run that was created at this time or later has an id below this one."""
        return _prefix(created_after - _EPOCH - self._widest - _MILLISECOND)

    def last_id(self, created_before: datetime) -> str:
        """No run that was created at this time or earlier has an id above this one."""
        return _prefix(created_before - _EPOCH + self._widest + _MILLISECOND)


def _made_at(run_id: str) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=int(run_id[:8] + run_id[9:13], 16))
    except (ValueError, OverflowError):
        raise ValueError(f"{run_id!r} is not a UUIDv7 as 36 lower-case characters") from None


def _prefix(since_epoch: timedelta) -> str:
    milliseconds = min(max(since_epoch // _MILLISECOND, 0), _LATEST)
    digits = f"{milliseconds:012x}"
    return f"{digits[:8]}-{digits[8:]}"
