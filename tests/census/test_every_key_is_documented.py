"""Every key that can be pressed stands in the guide, and is something that a terminal can be sent."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from rota.model.input import KEYS

GUIDE = (Path(__file__).parents[2] / "docs" / "input.md").read_text(encoding="utf-8")
TABLE = GUIDE.split("## Keys\n", 1)[1].split("\n## ", 1)[0]


def documented() -> set[str]:
    """The keys that the table names, ranges written out."""
    letters = {f"ctrl-{chr(code)}" for code in range(ord("a"), ord("z") + 1)}
    numbers = {f"f{number}" for number in range(1, 13)}
    rows = [row.split("|")[1] for row in TABLE.splitlines() if row.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)} | letters | numbers


def test_the_guide_names_every_key_and_no_other() -> None:
    assert documented() == set(KEYS)


def test_a_key_is_one_thing_where_there_is_no_terminal() -> None:
    for name, key in KEYS.items():
        assert key.typed.isascii(), name
        assert key.typed, name
        assert sum((key.piped is not None, key.signal is not None, key.closes)) <= 1, name
        assert key.signal is None or signal.Signals[key.signal], name
