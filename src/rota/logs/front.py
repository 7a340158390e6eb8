"""The front of a log: how much of its beginning was dropped, so that the newest stays within a cap.

It moves in steps, an eighth of the cap each, so that it costs the pump next to nothing. How readers learn of
it, and why the order below never shows them a hole, stands in `rota.logs.index`. Standard library only.
"""

from __future__ import annotations

import os

from rota.logs import place
from rota.logs.files import PAGE
from rota.logs.index import CUT, ENTRY, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rota.logs.files import LogFiles

#: The part of the cap that each step leaves free.
STEP = 8


class Front:
    """Where what is left of a log begins."""

    __slots__ = ("_entries", "_punched", "_written", "first", "lines", "offset")

    def __init__(self) -> None:
        self.offset = 0  #: in the log file: what is below is gone
        self.first = 0  #: entry of the index: those below are gone
        self.lines = 0  #: complete before that entry
        self._punched = [0, PAGE]  # up to where there are holes, in log and index (whose first page stays)
        self._written = 0  # the log's length and the index's, during a step
        self._entries = 0

    def advance(
        self, files: LogFiles, cap: int, *, written: int, entries: int, lines: int, needed: int, at: int
    ) -> bool:
        """Drop the oldest, until log and index with `needed` more bytes leave an eighth of the cap free.

        False, and nothing was dropped, when the file system cannot give back a file's beginning.
        """
        behind = (written + PAGE) & -PAGE  # the log's end, where there is nothing to lose
        if not self.first and not files.punch(place.LOG, behind, behind + PAGE):
            return False
        self._written, self._entries = written, entries
        try:
            index = files.get(place.INDEX)
            first = self._smallest(index, cap - cap // STEP - needed)
            offset = self._offset(index, first)
            if first < entries:
                lines = _entry(index, first)[3]
        except OSError:
            return False
        if first == self.first:
            return True
        cut = ENTRY.pack(offset, first, at, lines, 0, 0, SYSTEM, CUT)
        if files.write(place.INDEX, cut, 0) < ENTRY.size:
            return False
        self.offset, self.first, self.lines = offset, first, lines
        # Only now: who reads meanwhile finds the new beginning when it looks again.
        return self._punch(files, place.LOG, 0, offset) and self._punch(
            files, place.INDEX, 1, first * ENTRY.size
        )

    def state(self) -> list[int]:
        """What a keeper which re-executes itself hands to its successor."""
        return [self.offset, self.first, self.lines, *self._punched]

    def restore(self, state: list[int]) -> None:
        """Be the front that `state` was taken from."""
        self.offset, self.first, self.lines = state[:3]
        self._punched = list(state[3:])

    def _smallest(self, index: int, kept: int) -> int:
        """The first entry from which on log and index are no larger than `kept`; by halving."""
        low, high = self.first, self._entries
        while low < high:
            middle = (low + high) // 2
            left = self._written - self._offset(index, middle) + (self._entries - middle) * ENTRY.size
            if left > kept:
                low = middle + 1
            else:
                high = middle
        return low

    def _offset(self, index: int, number: int) -> int:
        """Where in the log file an entry begins; Rota's words stand in another, so the next one's counts."""
        while number < self._entries:
            entry = _entry(index, number)
            if entry[6] != SYSTEM:
                return entry[0]
            number += 1
        return self._written

    def _punch(self, files: LogFiles, suffix: str, which: int, end: int) -> bool:
        start, end = self._punched[which], end & -PAGE
        if end > start:
            if not files.punch(suffix, start, end):
                return False
            self._punched[which] = end
        return True


def _entry(index: int, number: int) -> tuple[int, ...]:
    packed = os.pread(index, ENTRY.size, number * ENTRY.size)
    if len(packed) < ENTRY.size:
        raise OSError("the index was shortened by somebody else")
    return ENTRY.unpack(packed)
