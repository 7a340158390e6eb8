"""What a verb prints: tables and colours on a terminal, plain columns in a pipe, JSON when asked."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rota.cli import times

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: In the place of what is not known, so that the columns of a pipe stay countable.
NOTHING = "-"

#: Words that a terminal shows in colour.
_STYLES = {
    "success": "green", "healthy": "green", "running": "cyan", "pending": "yellow",
    "backing_off": "yellow", "starting": "yellow", "stopping": "yellow",
    "failed": "red", "timeout": "red", "lost": "red", "start_failed": "red", "log_overflow": "red",
    "out_of_memory": "red", "unhealthy": "red", "not running": "red", "stopped": "magenta",
    "missed": "yellow", "paused": "yellow", "skipped": "dim", "queue_full": "yellow", "off": "dim",
    NOTHING: "dim",
}  # fmt: skip


class Output:
    """Standard output, which is a person's terminal or a program's pipe."""

    def __init__(self, *, terminal: bool | None = None, now: datetime | None = None) -> None:
        self.terminal = sys.stdout.isatty() if terminal is None else terminal
        self._now = now or datetime.now(UTC)

    def json(self, value: object) -> None:
        """One JSON document."""
        print(json.dumps(value, indent=2, ensure_ascii=False))

    def moment(self, at: str | None) -> str:
        """A time of the API's: relative for a person, as it came (RFC 3339) for a program."""
        if at is None or not self.terminal:
            return at or NOTHING
        return times.relative(times.moment(at), self._now)

    def full_moment(self, at: str | None) -> str:
        """The same where there is room: on a person's clock too."""
        if at is None or not self.terminal:
            return at or NOTHING
        when = times.moment(at)
        return f"{times.local(when)} ({times.relative(when, self._now)})"

    def duration(self, seconds: float | None) -> str:
        """Seconds of the API's, rounded for a person."""
        if seconds is None:
            return NOTHING
        return times.rough(seconds) if self.terminal else f"{seconds:.6f}"

    def run_id(self, run_id: str) -> str:
        """A run's name: its last part, which `rota show` takes too, or all of it for a program."""
        return run_id.rpartition("-")[2] if self.terminal else run_id

    def table(self, titles: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
        """Rows under titles; where there are none, a sentence for a person and only titles in a pipe."""
        lines = [[_printable(cell) for cell in row] for row in rows]
        if not self.terminal:
            _print_columns([list(titles), *lines])
        elif lines:
            _print_rich([title.lower() for title in titles], lines, heads=True)
        else:
            print(empty)

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        """One thing, a line for each of its sides."""
        lines = [[name, _printable(value)] for name, value in pairs]
        if self.terminal:
            _print_rich(["", ""], lines, heads=False)
        else:
            _print_columns(lines)


def _printable(text: str) -> str:
    """Text that cannot move the cursor or leave its line."""
    text = text or NOTHING
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text).strip()


def _print_columns(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _print_rich(titles: Sequence[str], rows: Iterable[Sequence[str]], *, heads: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=heads, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for place, title in enumerate(titles):
        table.add_column(title, no_wrap=heads or place == 0, overflow="ellipsis" if heads else "fold")
    for row in rows:
        name, *cells = row
        table.add_row(Text(name, style="bold"), *(Text(cell, style=_STYLES.get(cell, "")) for cell in cells))
    Console(highlight=False).print(table)
