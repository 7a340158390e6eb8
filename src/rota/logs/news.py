"""What a follower of a log is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from rota.logs.line import Ansi, Line
    from rota.logs.page import OpenLine

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """Lines, and what is still being written; one value for all who are told the same."""

    lines: Mapping[Ansi, Sequence[Line]]  #: of all streams
    open: Mapping[Ansi, Sequence[OpenLine]] | None = None  #: None: not told this time
    next: int  #: the line that follows
    size: int = 0  #: characters, about
    memo: dict[Hashable, bytes] = field(
        default_factory=dict
    )  #: how it reads on a wire, by what was asked for

    def since(self, n: int) -> News:
        """The same without lines before `n`."""
        if all(not lines or lines[0].n >= n for lines in self.lines.values()):
            return self
        left = {ansi: [line for line in lines if line.n >= n] for ansi, lines in self.lines.items()}
        return News(lines=left, open=self.open, next=self.next, size=self.size)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropped:
    """Lines that are not told: they went to keep a cap, or the follower was too slow for them."""

    first: int
    last: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Over(Generic[T]):
    """Everything was told."""

    total_lines: int
    outcome: T | None  #: how the run ended; None when it goes on, and nobody is told any more
