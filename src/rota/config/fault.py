"""A fault of a configuration file: where it is, what is wrong, what is allowed."""

from __future__ import annotations

from dataclasses import dataclass

from rota.config.watched import Watched
from rota.model.error import RotaError


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigFault:
    """One thing wrong, or doubtful, in a file. Lines and columns count characters from 1."""

    file: str
    line: int | None = None  #: None when the file itself is the fault
    column: int | None = None
    key: str | None = None  #: dotted, such as `tasks.backup.cron`
    message: str  #: what is wrong
    allowed: str | None = None  #: what may stand in its place
    nearest: str | None = None  #: the key or value that was probably meant

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}"

    @property
    def place(self) -> str:
        """The file, and where it is known the line and column, as editors take them."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)

    @property
    def sentence(self) -> str:
        """What is wrong with which key, and what is allowed."""
        key = f"{self.key}: " if self.key else ""
        meant = f"; did you mean {self.nearest}?" if self.nearest else ""
        allowed = f"{'' if meant else ';'} allowed: {self.allowed}" if self.allowed else ""
        return f"{key}{self.message}{meant}{allowed}"


class ConfigInvalid(RotaError):
    """A configuration file cannot be used; `faults` names everything that is wrong with it."""

    def __init__(self, faults: list[ConfigFault], watched: Watched | None = None) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults
        self.watched = watched or Watched()  #: what was read, and what was looked for
