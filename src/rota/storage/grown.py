"""A run that has grown: the one ended row that changes, as a pause lets more ticks go by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rota.model.run import Run


@dataclass(frozen=True, kw_only=True, slots=True)
class Grown:
    """It tells of more missed ticks than before. Should it be gone, `anew` is another that tells of those."""

    run: Run
    anew: Run
