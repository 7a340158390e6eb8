"""The searcher: a process that looks through logs, so that the server's own never stands still for it.

`python -I -m rota.logs.searcher` answers one search after another: a search as a pickled value on standard
input, its outcome on standard output, each after its length. It leaves when its input ends.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
from struct import Struct
from typing import TYPE_CHECKING

from rota.logs.searching import search

if TYPE_CHECKING:
    from typing import BinaryIO

#: The length before each value.
LENGTH = Struct("<Q")

#: A search is in no hurry: whoever starts a run goes first.
_NICE = 10


def main() -> None:
    """Answer until nobody asks any more."""
    # An event loop may hand down copies of its own descriptors (uvloop does): they are none of ours.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    while (asked := _read(sys.stdin.buffer)) is not None:
        answer = pickle.dumps(search(pickle.loads(asked)))  # noqa: S301  both ends are ours, over a pipe
        sys.stdout.buffer.write(LENGTH.pack(len(answer)) + answer)
        sys.stdout.buffer.flush()


def _read(stream: BinaryIO) -> bytes | None:
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    body = stream.read(LENGTH.unpack(head)[0])
    return body if len(body) == LENGTH.unpack(head)[0] else None


if __name__ == "__main__":
    main()
