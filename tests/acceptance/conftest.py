"""Servers that are gone after their test, whatever happened in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from installed import Installed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[[str], Installed]]:
    """Makes a server of a configuration, not yet started."""
    made: list[Installed] = []

    def make(config: str) -> Installed:
        folder = tmp_path / f"rota-{len(made)}"
        folder.mkdir()
        made.append(Installed(folder, config))
        return made[-1]

    yield make
    for rota in made:
        rota.end()
