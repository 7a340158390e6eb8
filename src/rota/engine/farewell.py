"""The word that a shutdown leaves when no server lives to hear it: what waits is not to start any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

WORD = "shutdown"


def leave_word(data: Path) -> None:
    """Have the next server cancel the runs that wait, as a living one would have done now."""
    (data / WORD).touch(mode=0o600)


def word_was_left(data: Path) -> bool:
    """Whether the last server was dead when a shutdown was asked for."""
    return (data / WORD).exists()


def take_word(data: Path) -> None:
    """It has been done."""
    (data / WORD).unlink(missing_ok=True)
