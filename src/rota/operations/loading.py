"""Loading: how the server reads its configuration, when it did so last, and what was refused since."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from rota.config.watched import Watched, marks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from rota.config.config import Config
    from rota.config.fault import ConfigFault
    from rota.config.watched import Mark


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A configuration that was not taken; the one before it holds."""

    at: datetime
    by: str  #: who wanted it loaded
    faults: Sequence[ConfigFault]


class Read(Protocol):
    """Reads the configuration. It takes its time, and is called in a thread."""

    def __call__(self, instead: Mapping[str, str] = ...) -> Config:
        """The configuration, in which some files have the text that `instead` says. Raises ConfigInvalid."""


@dataclass(kw_only=True, slots=True)
class Loading:
    """What a reload needs, and leaves behind."""

    read: Read
    loaded_at: datetime
    watched: Watched = field(default_factory=Watched)  #: what the newest attempt has read
    seen: Mapping[str, Mark | None] = field(default_factory=dict)  #: as what it was then
    refusal: Refusal | None = None  #: of the newest attempt, when that was refused
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)  #: else an older file could come last

    def look(self) -> Mapping[str, Mark | None]:
        """How the files are now; where it is not `seen`, they have changed since. Called in a thread."""
        return marks(self.watched)

    def note(self, watched: Watched, before: Mapping[str, Mark | None]) -> None:
        """An attempt has read these, which it began when those that were known were as in `before`.

        What was written since it began differs from that, and is seen by the next look. In a thread.
        """
        now = marks(watched)
        self.watched = watched
        self.seen = {path: before.get(path, mark) for path, mark in now.items()}
