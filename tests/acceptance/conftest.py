"""Servers that are gone after their test, or after its module, whatever happened in it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from installed import Installed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[[str], Installed]]:
    """Makes a server of a configuration, not yet started."""
    with _all_ended() as made:

        def make(config: str) -> Installed:
            made.append(_installed(tmp_path, len(made), config))
            return made[-1]

        yield make


@pytest.fixture(scope="module")
def _servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Installed]]:
    folder = tmp_path_factory.mktemp("lent")
    known: dict[str, Installed] = {}
    with _all_ended() as made:

        def find(config: str) -> Installed:
            if config not in known:
                made.append(_installed(folder, len(made), config))
                known[config] = made[-1].start()
            return known[config]

        yield find


@pytest.fixture
def lend(_servers: Callable[[str], Installed]) -> Iterator[Callable[[str], Installed]]:
    """Lends a server that serves this configuration, without a run: other tests of the module had it before.

    For tests that ask for nothing else of it, and leave what it remembers beside runs as they found it.
    """
    lent: list[Installed] = []

    def get(config: str) -> Installed:
        lent.append(_servers(config))
        return lent[-1]

    yield get
    for rota in lent:
        rota.begin_anew()


@contextmanager
def _all_ended() -> Iterator[list[Installed]]:
    made: list[Installed] = []
    yield made
    for rota in made:
        rota.end()


def _installed(parent: Path, number: int, config: str) -> Installed:
    folder = parent / f"rota-{number}"
    folder.mkdir()
    return Installed(folder, config)
