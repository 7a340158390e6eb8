"""Figures: percentiles of samples, the bar that a figure must meet, and a line of the table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Unit(StrEnum):
    """What a figure counts."""

    RATE = "/s"
    MS = "ms"
    SECONDS = "s"
    MB = "MB"  #: 1,000,000 bytes
    MB_RATE = "MB/s"
    CORE = "% of a core"
    COUNT = ""


class Better(StrEnum):
    """Which way is better; it decides how a bar is compared."""

    MORE = "more"
    LESS = "less"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """What a figure must reach: a fixed value, or a share of RunWisp's figure or of the floor's."""

    value: float
    better: Better
    of_runwisp: bool = False
    of_floor: bool = False
    strict: bool = False  #: the value itself is not enough ("under 3 s")

    def __str__(self) -> str:
        strict = {Better.MORE: ">", Better.LESS: "<"}
        inclusive = {Better.MORE: "≥", Better.LESS: "≤"}
        sign = (strict if self.strict else inclusive)[self.better]
        of = " x RunWisp" if self.of_runwisp else " x floor" if self.of_floor else ""
        return f"{sign} {self.value:g}{of}"

    def judged(self, line: Line) -> float | None:
        """The figure that the bar is for; None when it is not known."""
        if self.of_runwisp:
            return line.ratio
        if self.of_floor:
            return None if line.rota is None or not line.floor else line.rota / line.floor
        return line.rota


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of the table. A figure that was not measured is None."""

    name: str
    unit: Unit
    rota: float | None
    runwisp: float | None = None
    floor: float | None = None
    bar: Bar | None = None

    @property
    def ratio(self) -> float | None:
        """Rota's figure as a multiple of RunWisp's."""
        if self.rota is None or not self.runwisp:
            return None
        return self.rota / self.runwisp

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None without a bar, or without the figures to judge it."""
        if self.bar is None:
            return None
        figure = self.bar.judged(self)
        if figure is None:
            return None
        if figure == self.bar.value:
            return not self.bar.strict
        return (figure > self.bar.value) == (self.bar.better is Better.MORE)


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least `share` (0 to 1) of all samples do not exceed."""
    if not samples:
        raise ValueError("there are no samples")
    if not 0 <= share <= 1:
        raise ValueError(f"a share lies between 0 and 1, not {share}")
    ordered = sorted(samples)
    # Rounded first: 0.99 * 200 is 198.00000000000003 in floats, and its ceiling would be off by one.
    rank = math.ceil(round(share * len(ordered), 9))
    return ordered[max(rank, 1) - 1]


def median(samples: Sequence[float]) -> float:
    """The middle sample, or the mean of the two in the middle."""
    if not samples:
        raise ValueError("there are no samples")
    ordered = sorted(samples)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
