"""How a log is shown: its bytes, each stream to its own, or line by line."""

from __future__ import annotations

import json
import sys
from collections import deque
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rota.cli.complaint import say
from rota.logs.entries import EVERY
from rota.logs.index import STDERR, STREAMS, SYSTEM
from rota.logs.line import PIECE, Ansi, Line, Readable, moment
from rota.logs.lines import lines_before, lines_from
from rota.logs.log import Log
from rota.logs.page import position_of_time
from rota.logs.place import SYSTEM as SYSTEM_FILE
from rota.logs.place import path
from rota.logs.reader import LogFollower
from rota.logs.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from rota.logs.line import Written
    from rota.logs.pattern import Pattern


class Show(Protocol):
    """Shows a log as it grows."""

    def __call__(self, *, ended: bool) -> None:
        """Show what is new; once the run has `ended`, all that is left."""


class Bytes:
    """The program's bytes, unchanged, each stream to its own of ours; Rota's words are marked as such."""

    def __init__(
        self,
        data: Path,
        run_id: str,
        *,
        streams: Collection[int] = EVERY,
        together: bool = False,
        last: int | None = None,
        unsaid: tuple[str, ...] = (),
    ) -> None:
        """`together`: both streams to standard output, and none of Rota's words; `last`: of what is there
        already, about so many lines; `unsaid`: how those of Rota's words begin that are no news here.
        """
        self._log = LogFollower(data, run_id)
        if last is not None:
            self._log.skip_to_last(last)
        self._streams = {STREAMS[stream] for stream in streams}
        self._together = together
        self._unsaid = unsaid

    def __call__(self, *, ended: bool) -> None:
        touched = set()
        for stream, piece in self._log.read(finalized=ended):
            if stream not in self._streams:
                continue
            if stream == "system":
                if not self._together:
                    say_words(piece, self._unsaid)
                continue
            target = sys.stderr if stream == "stderr" and not self._together else sys.stdout
            target.buffer.write(piece)
            touched.add(target)
        for target in touched:
            target.flush()


def tells_why(data: Path, run: Mapping[str, Any]) -> bool:
    """Whether the log itself says why the run could not be started: so it does where the keeper tried to."""
    return run["end_reason"] == "start_failed" and Path(path(str(data), run["id"], SYSTEM_FILE)).exists()


class Nothing:
    """The output stays where it is."""

    def __call__(self, *, ended: bool) -> None:
        """Show nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LinesWanted:
    """Which lines, and what stands before each."""

    streams: Collection[int] = EVERY
    tail: int | None = None  #: the last so many of them
    since: int | None = None  #: that came at this time (microseconds since the epoch) or later
    pattern: Pattern | None = None
    timestamps: bool = False
    json: bool = False


class Lines:
    """Line by line, once each is complete: settled, and as text."""

    def __init__(self, data: Path, run_id: str, wanted: LinesWanted) -> None:
        self._log = Log(data, run_id, finalized=False)
        self._wanted = wanted
        self._next = 0  # the line that is shown next; 0 before the first look
        self._target = sys.stdout

    def __call__(self, *, ended: bool) -> None:
        log = self._log
        log.refresh(finalized=ended)
        if not self._next:
            chosen = self._first()
        else:
            self._tell_dropped(self._next)
            chosen = self._from(self._next)
        for line in chosen:
            if log.follow_beginning():
                self._tell_dropped(line.n)
            if line.n >= log.first_available:
                self._show(line)
        self._next = log.total_lines + 1
        self._target.flush()

    def _first(self) -> Iterator[Written]:
        """The lines that are there at the first look."""
        log, wanted = self._log, self._wanted
        start = 1
        if wanted.since is not None:
            start = position_of_time(log, wanted.since).n
        elif wanted.tail is None:
            self._tell_dropped(1)
        if wanted.tail is None:
            return self._from(start)
        if wanted.pattern is not None:
            return iter(deque(self._from(start), maxlen=wanted.tail))
        last = islice(lines_before(log, log.total_lines + 1, wanted.streams), wanted.tail)
        return reversed([line for line in last if line.n >= start])

    def _from(self, start: int) -> Iterator[Written]:
        log, wanted = self._log, self._wanted
        if wanted.pattern is None:
            yield from lines_from(log, start, wanted.streams)
            return
        scan = Scan(log, wanted.pattern, start=start, streams=wanted.streams)
        while (lines := scan.step()) is not None:
            yield from lines

    def _tell_dropped(self, start: int) -> None:
        first = self._log.first_available
        if first > start:
            say(f"lines {start} to {first - 1} were dropped")

    def _show(self, line: Written) -> None:
        at = moment(line.at)
        first = True
        for piece in Readable(self._log, line, Ansi.KEEP).pieces(0, PIECE):
            shown = Line(n=line.n, at=at, stream=line.stream, text=piece.text, continued=piece.continued)
            if self._wanted.json:
                print(_as_json(shown))
            else:
                self._print(shown, first)
            first = False

    def _print(self, line: Line, is_first: bool) -> None:
        target = sys.stdout if line.stream not in (STDERR, SYSTEM) else sys.stderr
        if target is not self._target:
            self._target.flush()  # on one terminal, lines stand in their order
            self._target = target
        before = f"{_at(line)} " if self._wanted.timestamps and is_first else ""
        if line.stream == SYSTEM and is_first:
            before += "rota: "
        target.buffer.write((before + line.text + ("" if line.continued else "\n")).encode())


def say_words(piece: bytes, unsaid: tuple[str, ...] = ()) -> None:
    """Some of Rota's own words; what it adds to a line that it has begun comes after a semicolon."""
    for line in piece.decode("utf-8", "replace").splitlines():
        if (words := line.removeprefix("; ")) and not words.startswith(unsaid):
            say(words)


def _at(line: Line) -> str:
    return line.at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _as_json(line: Line) -> str:
    body = {
        "n": line.n,
        "at": _at(line),
        "stream": STREAMS[line.stream],
        "text": line.text,
        "continued": line.continued,
    }
    return json.dumps(body, ensure_ascii=False)
