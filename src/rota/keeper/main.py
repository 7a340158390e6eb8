"""Where the keeper's process begins: `python -I -S main.py DATA`, started by `rota.keeper.launch`.

Everything is imported before the first run, so that a package upgrade under a living keeper cannot break
it. Standard library only.
"""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import socket
import sys
import time

if __package__ in (None, ""):
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

import rota
from rota.keeper import address, survivors, upgrade
from rota.keeper.keeper import IDLE, Keeper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_LOG = 1_000_000  # bytes; the file before is kept as keeper.log.1


def main(argv: list[str]) -> int:
    """Keep runs for the data folder `argv[1]`. `--ready FD` is told `ready`, or why not."""
    if argv[1:] == ["--check"]:
        return 0  # the server asks whether this program can be started, before it replaces another by it
    data = argv[1]
    options = dict(zip(argv[2::2], argv[3::2], strict=True))
    log = _log(data)
    state = upgrade.read(int(options["--state"])) if "--state" in options else None
    if state is None:
        lock = os.open(os.path.join(data, "keeper.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _ready(options, "another keeper runs")
            return 1
        survivors.end(data, log)
        listener = address.listen(os.path.join(data, "keeper.sock"))
        descriptors = int(options.get("--descriptors", _raise_limit()))
        keeper_id, boot_id = os.urandom(8).hex(), _boot_id()
    else:
        lock, descriptors = state["lock"], state["programs"]
        listener = socket.socket(fileno=state["listener"])
        keeper_id, boot_id = state["keeper"], state["boot"]
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal that it was started from may go
    keeper = Keeper(
        data=data, version=rota.__version__, keeper_id=keeper_id, boot_id=boot_id, listener=listener,
        descriptors=descriptors, log=log, idle=float(options.get("--idle", IDLE)),
    )  # fmt: skip
    keeper.upgrade = lambda _, program: upgrade.upgrade(keeper, program, lock)
    if state is None:
        keeper.cgroups.sweep()
        log(f"keeper {keeper_id}, version {rota.__version__}, pid {os.getpid()}")
        _ready(options, "ready")
    else:
        upgrade.restore(keeper, state)
        log(f"keeper {keeper_id} is now version {rota.__version__}, with {len(keeper.children)} runs")
    keeper.loop.soon(upgrade.unblock)
    keeper.run()
    keeper.cgroups.sweep()
    keeper.journal.close()
    os.unlink(os.path.join(data, "keeper.sock"))  # under the lock, so it is not a successor's
    log("gone")
    return 0


def _ready(options: dict[str, str], word: str) -> None:
    if "--ready" in options:
        fd = int(options["--ready"])
        os.write(fd, word.encode())
        os.close(fd)


def _raise_limit() -> int:
    """Use as many descriptors as are allowed; returns the limit that programs get."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return soft


def _boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:  # not Linux: the time of the boot, to the minute, since the clock may be set
        return str(round((time.time() - time.monotonic()) / 60))


def _log(data: str) -> Callable[[str], None]:
    path = os.path.join(data, "keeper.log")
    try:
        if os.stat(path).st_size > _LONGEST_LOG:
            os.replace(path, path + ".1")
    except FileNotFoundError:
        pass
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def log(text: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        try:
            os.write(fd, f"{stamp} {text}\n".encode("utf-8", "backslashreplace"))
        except OSError:
            pass  # a full disk must not end the keeper

    return log


if __name__ == "__main__":
    sys.exit(main(sys.argv))
