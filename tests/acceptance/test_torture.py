"""Killed again and again under load, the server starts each run once and loses none."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from bench.torture import torture

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 5
RUNS = 300


def test_each_key_starts_one_run_while_the_server_is_killed_again_and_again(tmp_path: Path):
    seed = random.SystemRandom().randrange(1 << 32)

    ordeal = torture(tmp_path, runs=RUNS, kills=KILLS, seed=seed)

    assert ordeal.faults == [], f"seed {seed}"
    assert ordeal.kills == KILLS
    assert ordeal.runs >= RUNS
    assert ordeal.repeats > 0, "no request was in flight when the server was killed"
    assert ordeal.ticks > 0
