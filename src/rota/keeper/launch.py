"""Detaches a keeper: `python -I -S launch.py DATA [option value]…`; says on standard output how it went.

It forks, leaves the session, becomes a child subreaper (which outlives the change of program, so the keeper
itself needs no `ctypes`, which would cost it memory), and becomes `rota.keeper.main`.
Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_CHILD_SUBREAPER = 36


def launch(argv: list[str]) -> None:
    """Start a keeper for the data folder `argv[1]` and return; the word comes from the keeper itself."""
    # An event loop may hand down copies of its own descriptors (uvloop does): with them a keeper would hold
    # the server's port, and the pipe on which the server waits for its word.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    if os.fork():
        return
    os.setsid()
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            os.write(1, b"the kernel cannot make a process a child subreaper")
            os._exit(1)
    ready = os.dup(1)
    os.set_inheritable(ready, True)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.chdir("/")
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "main.py")
    # `ps` shows by the folder whose keeper it is.
    _compile()
    python = [sys.executable, "-I", "-S", "-X", "utf8", program, argv[1]]
    os.execv(sys.executable, [*python, *argv[2:], "--ready", str(ready)])


def _compile() -> None:
    # What this process compiles, the keeper loads ready-made: compiling would cost it two megabytes for good.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    try:
        import rota.keeper.main  # noqa: F401 - importing is compiling
    except ImportError:
        pass  # the keeper itself will say what is wrong with it


if __name__ == "__main__":
    launch(sys.argv)
