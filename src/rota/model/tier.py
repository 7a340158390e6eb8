"""A tier: how much of Rota an agent may use."""

from __future__ import annotations

from enum import StrEnum


class Tier(StrEnum):
    """Each allows what those before it do."""

    READ = "read"  #: look at tasks, runs and logs
    OPERATE = "operate"  #: also start and stop what is defined
    ADMIN = "admin"  #: also run commands of one's own

    def covers(self, other: Tier) -> bool:
        """Whether what the other allows is allowed."""
        return _ORDER.index(self) >= _ORDER.index(other)

    def within(self, other: Tier) -> Tier:
        """The lesser of the two."""
        return self if other.covers(self) else other


_ORDER = tuple(Tier)
