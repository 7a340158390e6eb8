"""What is said of what a dead keeper left."""

from __future__ import annotations

import pytest

from rota.keeper.survivors import what_was_left


@pytest.mark.parametrize(
    ("found", "alive", "said"),
    [
        ((), (), "nothing was left of it"),
        (("sh (1)", "sleep (2)"), (), "what was left of it was ended: sh (1), sleep (2)"),
        (("cat (3)",), ("cat (3)",), "this could not be ended, and still lives: cat (3)"),
        (
            ("sh (1)", "cat (3)"),
            ("cat (3)",),
            "what was left of it was ended: sh (1); this could not be ended, and still lives: cat (3)",
        ),
    ],
)
def test_what_was_left_of_a_run_is_told_and_what_could_not_be_ended(
    found: tuple[str, ...], alive: tuple[str, ...], said: str
) -> None:
    assert what_was_left(found, alive) == said
