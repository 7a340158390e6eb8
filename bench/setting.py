"""The setting of a bench: where it may write, which peer it has, and how long it may take."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.rota import Rota
from bench.runwisp import RunWisp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What every measurement is handed."""

    folder: Path  #: empty, on a local disk, removed afterwards
    runwisp: Path | None  #: its binary; None measures Rota alone
    quick: bool = False  #: shorter and rougher
    runs: int = 20_000  #: after how many runs the keeper's memory is looked at again

    def say(self, text: str) -> None:
        """Tell what is going on, beside the table and not in it."""
        print(text, file=sys.stderr, flush=True)

    def rota(self, name: str, config: str) -> Rota:
        """A Rota that is not started yet."""
        return Rota(self.folder / name / "rota", config)

    def peer(self, name: str, config: str) -> RunWisp | None:
        """A RunWisp that is not started yet, if there is one."""
        if self.runwisp is None:
            return None
        return RunWisp(self.folder / name / "runwisp", config, binary=self.runwisp)

    @contextmanager
    def both(self, name: str, rota: str, runwisp: str | None = None) -> Iterator[tuple[Rota, RunWisp | None]]:
        """Both servers, started; one configuration does for the two unless a second one is given."""
        with ExitStack() as stack:
            server = stack.enter_context(self.rota(name, rota))
            peer = self.peer(name, rota if runwisp is None else runwisp)
            if peer is not None:
                stack.enter_context(peer)
            yield server, peer
