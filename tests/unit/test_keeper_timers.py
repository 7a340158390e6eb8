"""The keeper's timers: called once, in order, and never kept for longer than they are of use."""

from __future__ import annotations

import gc
import time

from rota.keeper.loop import Loop, Timer


def looping() -> Loop:
    return Loop(log=lambda text: (_ for _ in ()).throw(AssertionError(text)))


def live(kind: type) -> int:
    gc.collect()
    return sum(isinstance(each, kind) for each in gc.get_objects())


def test_cancelled_timers_of_a_distant_moment_are_not_kept():
    loop = looping()
    kept = [loop.after(3600, lambda: None) for _ in range(10)]
    before = live(Timer)

    for _ in range(10_000):
        loop.after(3600, lambda: None).cancel()

    assert live(Timer) - before < 200
    assert all(timer.act is not None for timer in kept)


def test_timers_ring_in_order_though_cancelled_ones_were_swept_away_between_them():
    loop = looping()
    rung: list[int] = []
    now = time.monotonic()
    timers = {
        number: loop.at(now + number / 1e6, lambda number=number: rung.append(number))
        for number in range(500, 0, -1)
    }
    for number, timer in timers.items():
        if number % 5:
            timer.cancel()
    for _ in range(500):
        loop.after(3600, lambda: None).cancel()
    loop.after(0.01, loop.stop)

    loop.run()

    assert rung == list(range(5, 501, 5))
