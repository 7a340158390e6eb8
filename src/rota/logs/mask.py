"""Masks: hide secrets in one stream of a program's output, wherever the reads fall. Standard library only.

A mask gives out what cannot be the beginning of a secret any more, and holds back the rest until more comes
or the stream ends. Where secrets overlap, one mark stands for all of them, so that no end of one is left.
What is given out does not depend on how the stream was cut into reads.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

#: Characters of the shortest text that is looked for; a line of a secret may have fewer.
SHORTEST = 4
MARK = b"[redacted]"


class Mask:
    """What becomes of one stream."""

    __slots__ = ("_covered", "_held", "_secrets")

    def __init__(self, secrets: list[bytes]) -> None:
        self._secrets = secrets
        self._held = b""  # taken in, and not yet given out
        self._covered = 0  # so much of it belongs to a secret whose mark was given out

    def feed(self, data: bytes) -> bytes:
        """Take in more, and give out what is certain."""
        if self._held:
            data = self._held + data
        return self._give(data, self._uncertain(data))

    def end(self) -> bytes:
        """No more comes: give out the rest."""
        return self._give(self._held, len(self._held))

    def state(self) -> list[Any]:
        """What a successor has to know."""
        return [self._held.decode("latin-1"), self._covered]

    def restore(self, state: list[Any]) -> None:
        """Go on from there."""
        self._held, self._covered = state[0].encode("latin-1"), state[1]

    def _uncertain(self, data: bytes) -> int:
        """Where the first secret may begin that is not complete yet."""
        found = len(data)
        for secret in self._secrets:
            place = data.find(secret[:1], max(0, len(data) - len(secret) + 1), found)
            while place >= 0:
                if secret.startswith(data[place:]):
                    found = place
                    break
                place = data.find(secret[:1], place + 1, found)
        return found

    def _give(self, data: bytes, stop: int) -> bytes:
        """What stands before `stop`, with its secrets hidden; the rest is held."""
        pieces: list[bytes] = []
        done = self._covered
        for start, end in self._places(data):
            if start >= stop:
                break
            if start >= done:
                pieces += (data[done:start], MARK)
            done = max(done, end)
        pieces.append(data[done:stop])
        self._held = data[stop:]
        self._covered = max(0, done - stop)
        return b"".join(pieces)

    def _places(self, data: bytes) -> list[tuple[int, int]]:
        places = []
        for secret in self._secrets:
            start = data.find(secret)
            while start >= 0:
                places.append((start, start + len(secret)))
                start = data.find(secret, start + 1)
        places.sort()
        return places


def sought(values: Iterable[str]) -> list[bytes]:
    """What is to be hidden of these values: each as it stands, and each line of one that has several.

    A program may show one line alone, and a terminal ends lines in its own way.
    """
    texts = set()
    for value in values:
        texts.add(value)
        lines = [line.strip() for line in value.splitlines()]
        texts.update(line for line in lines if len(line) >= SHORTEST)
    return sorted(text.encode("utf-8", "surrogateescape") for text in texts)


def hidden(data: bytes, values: Iterable[str]) -> bytes:
    """The same bytes, all of them at once, without these values."""
    mask = Mask(sought(values))
    return mask.feed(data) + mask.end()


def masks(values: Iterable[str]) -> tuple[Mask | None, Mask | None]:
    """One for each stream of a program's output; none where there is nothing to hide."""
    secrets = sought(values)
    return (Mask(secrets), Mask(secrets)) if secrets else (None, None)
