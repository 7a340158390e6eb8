"""A command that is asked how a run is: started as the run was, ended after its time. Standard library only.

It belongs to the run (`ROTA_RUN_ID`), so that whatever it leaves behind goes with that.
"""

from __future__ import annotations

import os
import signal

from rota.keeper import tree
from rota.keeper.loop import READ
from rota.keeper.spawn import Manner, failure
from rota.logs.mask import Mask, sought

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rota.keeper.child import Child
    from rota.keeper.loop import Loop
    from rota.keeper.spawn import Spawner

#: Bytes of its output that are kept, for the sentence on why it failed.
_KEPT = 4096


class Check:
    """One that is under way. It is told how it went once, whatever happens."""

    __slots__ = (
        "_answer",
        "_asked",
        "_late",
        "_loop",
        "_mask",
        "_out",
        "_said",
        "_timer",
        "_told",
        "child",
        "pid",
    )

    def __init__(
        self, loop: Loop, child: Child, asked: dict[str, Any], answer: Callable[[dict[str, Any]], None]
    ) -> None:
        self._loop = loop
        self._asked = asked
        self._answer: Callable[[dict[str, Any]], None] | None = answer
        self._said = bytearray()
        self._mask = Mask(sought(child.secrets))  # before anything is cut off, so that no part of one is left
        self._late = False
        self._told: int | None = None
        self._out = -1
        self.child = child  #: whose health is asked for
        self.pid = 0

    def begin(self, spawner: Spawner) -> None:
        """Start it. Raises SpawnFailed and OSError, having left nothing."""
        self._out, theirs = os.pipe()
        try:
            self.pid, self._told = spawner.spawn(
                self._asked["argv"], self._asked["env"], self._asked["cwd"], theirs, theirs, None,
                Manner.of(self._asked),
            )  # fmt: skip
        except BaseException:
            os.close(self._out)
            raise
        finally:
            os.close(theirs)
        os.set_blocking(self._out, False)
        self._loop.watch(self._out, READ, self._hear)
        self._timer = self._loop.after(self._asked["timeout"], self._is_late)

    def end(self) -> None:
        """End it, with all below it: nobody needs its answer any more, or it has taken too long."""
        tree.signal_all(lambda: [self.pid], signal.SIGKILL)

    def ended(self, status: int) -> None:
        """It was reaped: tell how it went."""
        self._timer.cancel()
        self._hear()
        self._close_out()
        self._said += self._mask.end()
        why = self._why_not_loaded()
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        self.tell(
            event="checked",
            exit_code=os.WEXITSTATUS(status) if number is None and why is None else None,
            signal=number,
            late=self._late,
            said=why if why is not None else self._last_line(),
        )

    def tell(self, **outcome: Any) -> None:
        """Answer who asked, unless that was done."""
        answer, self._answer = self._answer, None
        if answer is not None:
            answer({"id": self._asked["id"], "run": self._asked["run"], **outcome})

    def _is_late(self) -> None:
        self._late = True
        self.end()

    def _hear(self) -> None:
        while self._out >= 0:
            try:
                piece = os.read(self._out, 1 << 16)
            except BlockingIOError:
                return
            if not piece:
                self._close_out()
            self._said += self._mask.feed(piece)
            del self._said[:-_KEPT]

    def _close_out(self) -> None:
        if self._out >= 0:
            self._loop.forget(self._out)
            os.close(self._out)
            self._out = -1

    def _why_not_loaded(self) -> str | None:
        if self._told is None:
            return None
        try:
            told = os.read(self._told, 2)
        except BlockingIOError:
            told = b""
        os.close(self._told)
        self._told = None
        return failure(told, self._asked["argv"][0], self._asked["cwd"]) if told else None

    def _last_line(self) -> str:
        lines = [line for line in bytes(self._said).splitlines() if line.strip()]
        last = lines[-1].strip() if lines else b""
        return last.decode("utf-8", "replace")[:200]
