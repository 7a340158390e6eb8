"""An HTTP connection over a Unix socket, however deep in the file system the socket lies."""

from __future__ import annotations

import os
from http.client import HTTPConnection
from typing import TYPE_CHECKING

from rota.keeper import address

if TYPE_CHECKING:
    from pathlib import Path


class UnixConnection(HTTPConnection):
    """`http.client`, with a socket's path in the place of host and port."""

    def __init__(self, path: Path, *, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket; OSError says why not."""
        self.sock = address.connect(os.fspath(self._path))
        self.sock.settimeout(self.timeout)
