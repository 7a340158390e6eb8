"""What a run says of itself: the socket of sd_notify(3), which the keeper holds. Standard library only.

So nothing that is said is lost while the server is away. The socket lies in the data folder where its path is
short enough and the run is the keeper's own user's; else it has a name and no path, and whose a message is
says the kernel.
"""

from __future__ import annotations

import os
import socket
import struct

from rota.keeper.address import LONGEST
from rota.keeper.loop import READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rota.keeper.loop import Loop

FOLDER = "notify"
_LARGEST = 4096  # bytes of a message
_CREDENTIALS = struct.Struct("3i")  # process, user, group


class Notices:
    """The socket of one run, and what was said so far."""

    __slots__ = ("_heard", "_loop", "_sock", "address", "departs", "pinged", "ready", "user")

    def __init__(
        self, loop: Loop, sock: socket.socket, address: str, user: int, heard: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._sock = sock
        self._heard = heard
        self.address = address  #: as `NOTIFY_SOCKET` has it
        self.user = user  #: who may say something, beside root and the keeper's own
        self.ready = False  #: READY=1
        self.departs = False  #: STOPPING=1
        self.pinged = False  #: WATCHDOG=1, at any time
        sock.setblocking(False)
        loop.watch(sock.fileno(), READ, self._hear)

    @classmethod
    def of(cls, loop: Loop, data: str, message: dict[str, Any], heard: Callable[[], None]) -> Notices | None:
        """Those that a spawn asks for, if it does. Raises OSError."""
        if not message.get("notify"):
            return None
        account = message.get("account")
        user = os.geteuid() if account is None else account[0]
        path = os.path.join(data, FOLDER, message["run"][-12:])
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        try:
            if user == os.geteuid() and len(os.fsencode(path)) <= LONGEST:
                address = path
                _bind(sock, path)
            else:
                address = f"@rota-{os.urandom(8).hex()}"
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
                sock.bind("\0" + address[1:])
        except BaseException:
            sock.close()
            raise
        return cls(loop, sock, address, user, heard)

    def close(self) -> None:
        """Nobody listens any more."""
        if self._sock.fileno() < 0:
            return
        self._loop.forget(self._sock.fileno())
        self._sock.close()
        if not self.address.startswith("@"):
            try:
                os.unlink(self.address)
            except OSError:
                pass  # somebody has tidied up

    def said(self) -> dict[str, bool]:
        """All that is known."""
        return {"ready": self.ready, "departs": self.departs, "pinged": self.pinged}

    def state(self) -> dict[str, Any]:
        """Everything that a successor of this keeper needs."""
        return {"fd": self.fileno(), "address": self.address, "user": self.user, **self.said()}

    @classmethod
    def restored(cls, loop: Loop, state: dict[str, Any], heard: Callable[[], None]) -> Notices:
        """What `state` was taken from."""
        sock = socket.socket(fileno=state["fd"])
        notices = cls(loop, sock, state["address"], state["user"], heard)
        notices.ready, notices.departs, notices.pinged = state["ready"], state["departs"], state["pinged"]
        return notices

    def fileno(self) -> int:
        """Its descriptor."""
        return self._sock.fileno()

    def _hear(self) -> None:
        while True:
            try:
                # No room for descriptors: the kernel closes those that come along, which ends a BARRIER=1.
                text, about, _, _ = self._sock.recvmsg(_LARGEST, socket.CMSG_SPACE(_CREDENTIALS.size))
            except BlockingIOError:
                return
            if self._is_theirs(about) and self._take(text):
                self._heard()

    def _is_theirs(self, about: list[tuple[int, int, bytes]]) -> bool:
        if not self.address.startswith("@"):
            return True  # nobody else can reach the socket
        for level, kind, content in about:
            if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                return _CREDENTIALS.unpack(content[: _CREDENTIALS.size])[1] in (0, os.geteuid(), self.user)
        return False

    def _take(self, text: bytes) -> bool:
        """Whether it says something that matters here."""
        words = set(text.split(b"\n"))
        if b"READY=1" in words:
            self.ready = True
        if b"STOPPING=1" in words:
            self.departs = True
        if b"WATCHDOG=1" in words:
            self.pinged = True
        return not words.isdisjoint((b"READY=1", b"STOPPING=1", b"WATCHDOG=1"))


def _bind(sock: socket.socket, path: str) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    mask = os.umask(0o177)
    try:
        sock.bind(path)
    finally:
        os.umask(mask)
