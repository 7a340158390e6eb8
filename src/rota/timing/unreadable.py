"""Unreadable: a value that does not mean what its place asks for, such as a duration or a schedule."""

from __future__ import annotations


class Unreadable(ValueError):
    """What is wrong with a value, what is allowed in its place, and the nearest that is, if it was a slip."""

    def __init__(self, wrong: str, allowed: str, nearest: str | None = None) -> None:
        hint = f"; did you mean {nearest}?" if nearest else ""
        super().__init__(f"{wrong}; write {allowed}{hint}")
        self.wrong = wrong
        self.allowed = allowed
        self.nearest = nearest
