"""What a line looks like once it stands still: carriage returns and cursor moves carried out, in one row.

A progress bar writes its line over and over; the bytes are kept as they came, and this is how readers see
them. Moves up and down are not carried out: a line stays the line that it is.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: What moves the cursor or takes back what was written. A line without it is settled as it is.
MOVES = re.compile(rb"[\r\b]|\x1b\[[0-9;?]*[@-HJKPXf]")

#: A longer line is not settled as a whole: no terminal shows so much in one row.
LONG = 64 * 1024

#: Escape sequences: colours, moves, titles, links. Each alternative takes linear time.
_ESCAPE = (
    r"\x1b(?:"
    r"\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\][^\x07\x1b\n]*(?:\x07|\x1b\\)"  # OSC
    r"|[PX^_][^\x1b\n]*\x1b\\"  # DCS and its like
    r"|[ -/]*[0-~]"  # all others
    r")"
)
ESCAPE = re.compile(_ESCAPE.encode())
_TOKEN = re.compile(rf"{_ESCAPE}|[\x00-\x1f\x7f]|[^\x00-\x1f\x7f]+")
_CSI = re.compile(r"\x1b\[([0-9;]*)([@-~])")

#: No terminal is wider; a move beyond it stops there.
_WIDEST = 1000
_TAB = 8
#: No character carries more marks than this.
_MARKS = 16

#: What a number of an SGR sequence sets, and to which it goes back: each attribute has one value at a time.
_ATTRIBUTES = {
    **dict.fromkeys([*range(30, 38), *range(90, 98)], "foreground"),
    **dict.fromkeys([*range(40, 48), *range(100, 108)], "background"),
    1: "bold", 2: "faint", 3: "italic", 4: "underline", 5: "blink", 7: "inverse", 8: "hidden", 9: "struck",
}  # fmt: skip
_OFF = {
    39: ("foreground",), 49: ("background",), 22: ("bold", "faint"), 23: ("italic",), 24: ("underline",),
    25: ("blink",), 27: ("inverse",), 28: ("hidden",), 29: ("struck",),
}  # fmt: skip
_EXTENDED = {38: "foreground", 48: "background"}


def as_read(line: bytes) -> bytes:
    """The line, without its newline, as readers get it: of a long one that draws itself anew, the end."""
    if len(line) <= LONG:
        return settle(line)
    return settle(line[-LONG:]) if draws_anew(line[-LONG:]) else line.rstrip(b"\r")


def draws_anew(end: bytes) -> bool:
    """Whether the end of a line does not stand as it was written."""
    return MOVES.search(end.rstrip(b"\r")) is not None


def settle(line: bytes) -> bytes:
    """The line, without its newline, as it stands at its end."""
    line = line.rstrip(b"\r")
    if MOVES.search(line) is None:
        return line
    if line.isascii() and not any(control in line for control in (b"\x1b", b"\b", b"\t")):
        return _overlaid(line)
    row = _Row()
    for token in _TOKEN.findall(line.decode("utf-8", "replace")):
        row.take(token)
    return row.text().encode()


def strip(text: bytes) -> bytes:
    """The text without escape sequences."""
    return ESCAPE.sub(b"", text) if b"\x1b" in text else text


def _overlaid(line: bytes) -> bytes:
    # From the last frame back: an earlier one shows only where it was longer than all that followed.
    settled = bytearray()
    for frame in reversed(line.split(b"\r")):
        settled += frame[len(settled) :]
    return bytes(settled).rstrip(b" ")


#: Where the cursor goes, from its column and a sequence's numbers. Rows are none of ours.
_TO: dict[str, Callable[[int, list[int]], int]] = {
    "C": lambda column, numbers: column + max(1, numbers[0]),
    "D": lambda column, numbers: column - max(1, numbers[0]),
    "G": lambda _, numbers: max(1, numbers[0]) - 1,
    "H": lambda _, numbers: max(1, numbers[1]) - 1 if len(numbers) > 1 else 0,
    "f": lambda _, numbers: max(1, numbers[1]) - 1 if len(numbers) > 1 else 0,
    "E": lambda *_: 0,
    "F": lambda *_: 0,
}


class _Row:
    """One row of a terminal: a character and its colours in each column."""

    def __init__(self) -> None:
        self._cells: list[tuple[str, str]] = []
        self._column = 0
        self._attributes: dict[str, str] = {}
        self._style = ""

    def take(self, it: str) -> None:
        """Text, a control character or an escape sequence."""
        if it >= " " and it != "\x7f":
            for character in it:
                self._write(character)
        elif it == "\r":
            self._column = 0
        elif it == "\b":
            self._column = max(0, self._column - 1)
        elif it == "\t":
            self._move((self._column // _TAB + 1) * _TAB)
        elif (found := _CSI.fullmatch(it)) is not None:
            numbers = [int(number[:9] or 0) for number in found[1].split(";")]
            if found[2] == "m":
                self._colour(numbers)
            elif found[2] in _TO:
                self._move(_TO[found[2]](self._column, numbers))
            else:
                self._erase(found[2], numbers[0])

    def text(self) -> str:
        """The row as text; at its end nobody can tell a space from nothing."""
        pieces, style = [], ""
        for character, its in self._cells:
            if its != style:
                pieces.append(("\x1b[0m" if style else "") + (f"\x1b[{its}m" if its else ""))
                style = its
            pieces.append(character)
        return "".join(pieces).rstrip(" ") + ("\x1b[0m" if style else "")

    def _write(self, character: str) -> None:
        width = _width(character)
        if not width:
            if 0 < self._column <= len(self._cells):
                before, style = self._cells[self._column - 1]
                self._cells[self._column - 1] = ((before + character)[:_MARKS], style)
            return
        self._fill(self._column + width)
        self._split_wide(self._column)
        self._split_wide(self._column + width)
        self._cells[self._column] = (character, self._style)
        if width > 1:
            self._cells[self._column + 1] = ("", self._style)
        self._column += width

    def _fill(self, columns: int) -> None:
        if columns > len(self._cells):
            self._cells += [(" ", "")] * (columns - len(self._cells))

    def _split_wide(self, column: int) -> None:
        """Half of a wide character is overwritten: nothing is left of the other half."""
        if 0 < column < len(self._cells) and not self._cells[column][0]:
            self._cells[column - 1] = self._cells[column] = (" ", "")

    def _erase(self, verb: str, number: int) -> None:
        cells = self._cells
        here, there = self._column, self._column + min(max(1, number), _WIDEST)
        narrow = len(cells) <= _WIDEST  # what shifts or blanks a whole row is not done to endless ones
        if verb in "KJ" and number == 0:
            del cells[here:]
        elif verb in "KJ" and number != 1:
            cells.clear()
        elif verb in "KJ" and narrow:
            cells[: here + 1] = [(" ", "")] * min(here + 1, len(cells))
        elif verb == "X":
            cells[here:there] = [(" ", "")] * max(0, min(there, len(cells)) - here)
        elif verb == "P" and narrow:
            del cells[here:there]
        elif verb == "@" and narrow and here < len(cells):
            cells[here:here] = [(" ", "")] * (there - here)
            del cells[_WIDEST:]

    def _move(self, column: int) -> None:
        self._column = max(0, min(column, max(_WIDEST, len(self._cells))))

    def _colour(self, numbers: list[int]) -> None:
        rest = iter(numbers)
        for number in rest:
            if number == 0:
                self._attributes.clear()
            elif number in _EXTENDED:
                kind = next(rest, 0)
                values = [kind, *(next(rest, 0) for _ in range({5: 1, 2: 3}.get(kind, 0)))]
                self._attributes[_EXTENDED[number]] = ";".join(map(str, [number, *values]))
            elif number in _ATTRIBUTES:
                self._attributes[_ATTRIBUTES[number]] = str(number)
            for name in _OFF.get(number, ()):
                self._attributes.pop(name, None)
        self._style = ";".join(self._attributes.values())


def _width(character: str) -> int:
    if character < "\u0300":
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
