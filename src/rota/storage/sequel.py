"""The sequel of an end: the runs that are written down in one transaction with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rota.model.run import Run


@dataclass(frozen=True, kw_only=True, slots=True)
class Chained:
    """A run of a task that comes after the one whose run has ended."""

    run: Run
    upstream_name: str  #: the task whose run has ended
    others: frozenset[str] = frozenset()  #: tasks that are to have ended well as well, before its turn comes


@dataclass(frozen=True, kw_only=True, slots=True)
class Sequel:
    """What follows from the end of a run."""

    retry: Run | None = None  #: its next attempt
    chained: tuple[Chained, ...] = ()  #: those whose turn it may be

    @property
    def runs(self) -> tuple[Run, ...]:
        """Those that may be written down."""
        return (*(() if self.retry is None else (self.retry,)), *(each.run for each in self.chained))


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """A move that was made."""

    follow: Sequence[Run] = ()  #: what was written down with it


NOTHING, MOVED = Sequel(), Moved()
