"""Says in a run's log what was sent to it: each time a line, but of what is typed key by key one line a line.

Standard library only.
"""

from __future__ import annotations

from rota.logs.mask import hidden

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rota.keeper.loop import Loop, Timer

#: The bytes of what was sent that the log quotes.
LONGEST = 4096
#: Seconds that a line which is being typed is waited for.
PATIENCE = 1.0


class Quotes:
    """What was sent to one run and is not in its log yet."""

    __slots__ = ("_by", "_loop", "_secrets", "_tell", "_timer", "_typed")

    def __init__(self, loop: Loop, secrets: list[str], tell: Callable[[str], None]) -> None:
        self._loop = loop
        self._secrets = secrets
        self._tell = tell
        self._by = ""
        self._typed = bytearray()
        self._timer: Timer | None = None

    def typed(self, data: bytes, by: str) -> None:
        """This was typed, and is perhaps not the whole line."""
        if by != self._by:
            self.end()
        self._by = by
        self._typed += data
        if data.endswith((b"\r", b"\n")) or len(self._typed) >= LONGEST:
            self.end()
        elif self._timer is None:
            self._timer = self._loop.after(PATIENCE, self.end)

    def end(self) -> None:
        """Tell what was typed; what comes next is another line."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._typed:
            typed, self._typed = bytes(self._typed), bytearray()
            self._tell(f"{self._by} sent {quoted(hidden(typed, self._secrets))}")

    def sent(self, data: bytes, by: str) -> None:
        """This was sent as a whole."""
        self.said(f"{by} sent {quoted(hidden(data, self._secrets))}")

    def said(self, sentence: str) -> None:
        """This was done, after what was typed."""
        self.end()
        self._tell(sentence)


def quoted(data: bytes) -> str:
    """What was sent, on one line: its beginning, if it is long."""
    if len(data) <= LONGEST:
        return repr(data.decode("utf-8", "surrogateescape"))
    end = LONGEST
    while end > LONGEST - 3 and data[end] & 0xC0 == 0x80:  # no character is cut in two
        end -= 1
    return f"{data[:end].decode('utf-8', 'surrogateescape')!r} and {len(data) - end} bytes more"
