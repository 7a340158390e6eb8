"""A secret: text that is used and shown nowhere."""

from __future__ import annotations

from typing import NoReturn, Self

#: Characters of the shortest secret: anything shorter stands in every log, and hiding it would hide the log.
SHORTEST = 4

REDACTED = "[redacted]"
"""What stands in a secret's place wherever it would be shown."""


class Secret:
    """A text that has to be asked for: whoever prints it, logs it or makes JSON of it gets nothing of it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, for the program that needs it."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return REDACTED

    def __deepcopy__(self, _: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written down")
