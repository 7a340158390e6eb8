"""Patterns: what is looked for within a line, as it stands or as a regular expression, in linear time.

A pattern looks through many lines at once, and never across the end of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from rota.logs.settle import MOVES, as_read, strip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: No pattern is longer.
LONGEST_PATTERN = 1000

#: A byte that is more of a text than one in so many is common in it, as its first so many bytes show.
_COMMON = 16
_SAMPLE = 1024

#: `bytes.rfind` takes so many times as long at worst as it is long; a longer needle is for `bytes.find`.
_SHORT = 5

#: What keeps a line from being read as it was written.
_CONTROLS = (b"\x1b", b"\r", b"\b")


class PatternInvalid(ValueError):
    """The text is not a pattern; it says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is looked for."""

    text: str
    regex: bool = False  #: the text is a regular expression (RE2's syntax)
    case: bool = True  #: upper and lower case differ


class Pattern(Protocol):
    """Finds its next place."""

    literal: bool  #: it is looked for as it stands, so that bytes which are no text cannot hide it

    def may_be_in(self, text: bytes, start: int, stop: int) -> bool:
        """Whether a look is worth while; it costs next to nothing."""

    def find(self, text: bytes, start: int, stop: int) -> int:
        """Where it is found first between two offsets; -1 when it is not."""


def compiled(wanted: Wanted) -> Pattern:
    """The pattern. Raises PatternInvalid."""
    text = wanted.text
    if not text or len(text) > LONGEST_PATTERN:
        raise PatternInvalid(f"it has 1 to {LONGEST_PATTERN} characters")
    if "\n" in text:
        raise PatternInvalid("it is looked for within a line, so it has no newline")
    if wanted.regex or not wanted.case:
        return _Expression(wanted)
    return _Literal(text)


class _Literal:
    literal = True

    def __init__(self, text: str) -> None:
        self._needle = text.encode("utf-8", "surrogatepass")
        self._bytes = [bytes((byte,)) for byte in dict.fromkeys(self._needle)]
        self._search = _searching(Wanted(text=text)) if len(self._needle) > 1 else None

    def may_be_in(self, text: bytes, start: int, stop: int) -> bool:
        # One byte is looked for many times faster than several, which can look alike for long (`yes`).
        if not all(text.find(byte, start, stop) >= 0 for byte in self._bytes):
            return False
        if len(self._needle) > _SHORT or not self._begins_often(text, start, stop):
            return True
        return text.rfind(self._needle, start, stop) >= 0  # twice as fast as from the beginning

    def find(self, text: bytes, start: int, stop: int) -> int:
        # The expression's engine looks for the first byte: faster than all others, but where that is common.
        if self._search is None or self._begins_often(text, start, stop):
            return text.find(self._needle, start, stop)
        found = self._search(text, start, stop)
        return -1 if found is None else int(found.start())

    def _begins_often(self, text: bytes, start: int, stop: int) -> bool:
        stop = min(stop, start + _SAMPLE)
        return text.count(self._bytes[0], start, stop) * _COMMON > stop - start


class _Expression:
    literal = False

    def __init__(self, wanted: Wanted) -> None:
        self._search = _searching(wanted)

    def may_be_in(self, _text: bytes, _start: int, _stop: int) -> bool:
        return True

    def find(self, text: bytes, start: int, stop: int) -> int:
        found = self._search(text, start, stop)
        return -1 if found is None else int(found.start())


def _searching(wanted: Wanted) -> Callable[[bytes, int, int], Any]:
    import re2  # type: ignore[import-untyped]  # here: most who read logs never need it

    options = re2.Options()
    options.never_nl = True
    options.never_capture = True
    options.log_errors = False
    options.case_sensitive = wanted.case
    text = _by_line(wanted.text) if wanted.regex else re2.escape(wanted.text)
    try:
        re2.compile(text, options)  # by itself first: its error must not speak of what is put around it
        search: Callable[[bytes, int, int], Any] = re2.compile(f"(?m:{text})", options).search
    except (re2.error, UnicodeEncodeError) as error:
        what = "it is no regular expression (RE2): " if wanted.regex else ""
        raise PatternInvalid(f"{what}{_reason(error)}") from error
    return search


def _by_line(text: str) -> str:
    """The expression, with a text's beginning and end being a line's."""
    pieces = iter(text)
    return "".join(
        {r"\A": "^", r"\z": "$"}.get(pair := each + next(pieces, ""), pair) if each == "\\" else each
        for each in pieces
    )


def _reason(error: Exception) -> str:
    said = error.args[0] if error.args else error
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def found_in(pattern: Pattern, text: bytes) -> bool:
    """Whether a line, settled already, has it."""
    readable = strip(text)
    if not pattern.literal:
        readable = readable.decode("utf-8", "replace").encode()
    return pattern.find(readable, 0, len(readable)) >= 0


def found_lines(pattern: Pattern, text: bytes, start: int, stop: int) -> Iterator[int]:
    """Where the lines end, between two offsets, that have it. `stop` is behind a newline."""
    read, begin, end = text, start, stop
    if any(text.find(control, start, stop) >= 0 for control in _CONTROLS):
        read = readable_lines(text[start:stop])
        begin, end = 0, len(read)
    if not pattern.literal and not read.isascii():
        read = read[begin:end].decode("utf-8", "replace").encode()
        begin, end = 0, len(read)
    if not pattern.may_be_in(read, begin, end):
        return
    last, place = end - 1, start
    while begin <= last and (found := pattern.find(read, begin, last)) >= 0:
        ends = read.find(b"\n", found, end)
        if read is text:
            yield ends
        else:
            for _ in range(read.count(b"\n", begin, ends) + 1):
                place = text.find(b"\n", place, stop) + 1
            yield place - 1
        begin = ends + 1


def readable_lines(text: bytes) -> bytes:
    """Whole lines as readers see them, as many as they were."""
    text = text.replace(b"\r\n", b"\n")
    if MOVES.search(text) is not None:
        text = b"".join(_settled(text))
    return strip(text)


def _settled(text: bytes) -> Iterator[bytes]:
    done = 0
    while (found := MOVES.search(text, done)) is not None:
        begins = text.rfind(b"\n", done, found.start()) + 1 or done
        ends = text.find(b"\n", found.start())
        ends = len(text) if ends < 0 else ends
        yield text[done:begins]
        yield as_read(text[begins:ends])
        done = ends
    yield text[done:]
