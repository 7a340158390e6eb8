"""Whether Rota can do its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rota.engine.health import Health
    from rota.operations.rota import Rota


def health(rota: Rota) -> Health:
    """All is well, or each thing that is not, as a sentence."""
    return rota.engine.healthy
