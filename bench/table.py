"""The table that the bench prints, and the same lines as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.figures import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.figures import Bar, Line

_HEADINGS = ("", "Rota", "RunWisp", "ratio", "floor", "bar", "")
_VERDICTS = {True: "met", False: "MISSED", None: ""}


def render(lines: Sequence[Line]) -> str:
    """The lines as a table for a terminal: names to the left, figures to the right."""
    rows = [_HEADINGS, *(_cells(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    text = [_row(row, widths) for row in rows]
    text.insert(1, "─" * max(len(row) for row in text))
    return "\n".join(text)


def document(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The lines as plain values, ratio and verdict included."""
    return [
        {
            "name": line.name,
            "unit": line.unit.value,
            "rota": line.rota,
            "runwisp": line.runwisp,
            "ratio": line.ratio,
            "floor": line.floor,
            "bar": None if line.bar is None else str(line.bar),
            "met": line.met,
        }
        for line in lines
    ]


def figure(value: float | None, unit: Unit) -> str:
    """A figure with three digits that matter, and its unit."""
    if value is None:
        return ""
    if value == 0:
        text = "0"
    elif abs(value) >= 100:
        text = f"{value:,.0f}"
    elif abs(value) >= 10:
        text = f"{value:.1f}"
    else:
        text = f"{value:.2f}"
    return f"{text} {unit.value}".rstrip()


def _cells(line: Line) -> tuple[str, ...]:
    verdict = _VERDICTS[line.met]
    if line.bar is not None and line.met is None:
        verdict = "not judged"
    return (
        line.name,
        figure(line.rota, line.unit),
        figure(line.runwisp, line.unit),
        "" if line.ratio is None else f"{line.ratio:.2f}x",
        figure(line.floor, line.unit),
        "" if line.bar is None else _bar(line.bar, line.unit),
        verdict,
    )


def _bar(bar: Bar, unit: Unit) -> str:
    return str(bar) if bar.of_runwisp or bar.of_floor else f"{bar} {unit.value}".rstrip()


def _row(cells: tuple[str, ...], widths: Sequence[int]) -> str:
    name, *figures, bar, verdict = cells
    first, *middle, bar_width, _ = widths
    shown = [name.ljust(first), *(cell.rjust(width) for cell, width in zip(figures, middle, strict=True))]
    return "  ".join([*shown, bar.ljust(bar_width), verdict]).rstrip()
