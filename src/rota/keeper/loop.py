"""The keeper's one thread: waits for descriptors, timers and signals. Standard library only."""

from __future__ import annotations

import heapq
import math
import os
import select
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

READ, WRITE = 1, 4  # as `epoll` and `poll` have them

_FEW = 64  # timers; as many are not worth a look at which are cancelled


class Timer:
    """Something to do at a moment of the monotonic clock, unless it is cancelled first."""

    __slots__ = ("act", "at")

    def __init__(self, at: float, act: Callable[[], None]) -> None:
        self.at = at
        self.act: Callable[[], None] | None = act

    def cancel(self) -> None:
        """Do not do it; cancelling twice, or after it was done, is fine."""
        self.act = None

    def __lt__(self, other: Timer) -> bool:
        return self.at < other.at


class Loop:
    """Waits, and calls who is concerned.

    What a call raises is logged and costs that call alone: one run's trouble must not end the others.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._poll = select.epoll() if hasattr(select, "epoll") else _Poll()
        self._watched: dict[int, tuple[int, Callable[[], None]]] = {}
        self._timers: list[Timer] = []
        self._sweep_at = _FEW
        self._soon: list[Callable[[], None]] = []
        self._signals: dict[int, Callable[[], None]] = {}
        self._running = True
        self._woken, self._wake = os.pipe()
        for fd in (self._woken, self._wake):
            os.set_blocking(fd, False)
        self.watch(self._woken, READ, self._take_signals)

    def watch(self, fd: int, mask: int, act: Callable[[], None]) -> None:
        """Call `act` whenever `fd` is ready; a second call for the same descriptor replaces the first."""
        known = self._watched.get(fd)
        if known is None:
            self._poll.register(fd, mask)
        elif known[0] != mask:
            self._poll.modify(fd, mask)
        self._watched[fd] = (mask, act)

    def forget(self, fd: int) -> None:
        """Watch `fd` no longer; fine if it was not watched."""
        if self._watched.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def after(self, seconds: float, act: Callable[[], None]) -> Timer:
        """Call `act` once, `seconds` from now."""
        return self.at(time.monotonic() + seconds, act)

    def at(self, moment: float, act: Callable[[], None]) -> Timer:
        """Call `act` once, at `moment` of the monotonic clock."""
        if len(self._timers) >= self._sweep_at:
            self._sweep()
        timer = Timer(moment, act)
        heapq.heappush(self._timers, timer)
        return timer

    def soon(self, act: Callable[[], None]) -> None:
        """Call `act` once, at the end of this turn; from there, at the end of the next."""
        self._soon.append(act)

    def on_signal(self, number: int, act: Callable[[], None]) -> None:
        """Call `act` from the loop, not from within the handler, after this signal came."""
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        self._signals[number] = act
        signal.signal(number, _nothing)

    def stop(self) -> None:
        """Leave `run` after this turn."""
        self._running = False

    def run(self) -> None:
        """Turn until `stop`."""
        while self._running:
            ready = self._poll.poll(self._patience())
            # An earlier call of this turn may close a descriptor, and another open it anew.
            for fd, watched in [(fd, self._watched[fd]) for fd, _ in ready]:
                if self._watched.get(fd) is watched and not self._call(watched[1]):
                    self._rest(fd, *watched)
            self._ring()
            acts, self._soon = self._soon, []
            for act in acts:
                self._call(act)

    def _call(self, act: Callable[[], None]) -> bool:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - the catch-all around a loop's turn
            self._log(f"a defect: {_where(error)}")
            return False
        return True

    def _rest(self, fd: int, mask: int, act: Callable[[], None]) -> None:
        # What fails once will fail at every turn: give it a second, so that the others have the processor.
        if fd in self._watched:
            self.forget(fd)
            self.after(1.0, lambda: self.watch(fd, mask, act))

    def _patience(self) -> float | None:
        while self._timers and self._timers[0].act is None:
            heapq.heappop(self._timers)
        if self._soon:
            return 0
        return max(0.0, self._timers[0].at - time.monotonic()) if self._timers else None

    def _sweep(self) -> None:
        # A run that ends long before its timeout leaves a cancelled timer: a day's worth of them is memory.
        self._timers = [timer for timer in self._timers if timer.act is not None]
        heapq.heapify(self._timers)
        self._sweep_at = max(_FEW, 2 * len(self._timers))

    def _ring(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0].at <= now:
            timer = heapq.heappop(self._timers)
            act, timer.act = timer.act, None
            if act is not None:
                self._call(act)

    def _take_signals(self) -> None:
        try:
            came = set(os.read(self._woken, 4096))
        except BlockingIOError:
            return
        for number in came:
            act = self._signals.get(number)
            if act is not None:
                self._call(act)


class _Poll:
    """What `epoll` offers, where there is none."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self.register, self.modify = self._poll.register, self._poll.modify
        self.unregister = self._poll.unregister

    def poll(self, patience: float | None) -> list[tuple[int, int]]:
        """Descriptors that are ready within so many seconds."""
        return self._poll.poll(None if patience is None else math.ceil(patience * 1000))


def _where(error: BaseException) -> str:
    places = []
    at = error.__traceback__
    while at is not None:
        places.append(f"{os.path.basename(at.tb_frame.f_code.co_filename)}:{at.tb_lineno}")
        at = at.tb_next
    return f"{type(error).__name__}: {error} ({' < '.join(reversed(places))})"


def _nothing(_number: int, _frame: object) -> None:
    """Python wakes the loop through the descriptor; the handler itself has nothing to do."""
