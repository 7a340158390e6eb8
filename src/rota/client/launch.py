"""Launch: a server where none runs, in a session and a folder of its own: it outlives whoever needed it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from rota.keeper import address
from rota.model.error import RotaError

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

SOCKET = "rota.sock"
LOG = "server.log"
LOCK = "launch.lock"
READY_FILE = "server.json"  #: of a server that runs, or was killed

#: Seconds in which a server is there, or is not going to be.
PATIENCE = 30.0

#: Seconds between two looks.
_LOOK = 0.02

#: A log that is longer is begun anew with the next server.
_LONGEST_LOG = 1_000_000

#: Of what the server said at its end, so much.
_SAID = 2000


class NotLaunched(RotaError):
    """No server could be started; the text says why, in the server's own words."""


def connect(data: Path) -> socket.socket | None:
    """A connection to the server of a data folder; None when none runs. PermissionError: it is another's."""
    try:
        return address.connect(os.fspath(data / SOCKET))
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        return None


def ensure_server(data: Path, config: Path | None) -> None:
    """Return once a server answers; of several who come at once, one starts it. Raises NotLaunched."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(data):
            if not _answers(data):
                _launch(data, config)
    except OSError as error:
        raise NotLaunched(f"the data folder {data} cannot be used: {error.strerror}") from error


def _answers(data: Path) -> bool:
    found = connect(data)
    if found is not None:
        found.close()
    return found is not None


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[None]:
    file = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _launch(data: Path, config: Path | None) -> None:
    with _log(data) as log:
        begin = log.seek(0, os.SEEK_END)
        said = ["--config", os.fspath(config)] if config is not None else []
        said += _port_of_the_dead(data)
        process = subprocess.Popen(
            # -P: what lies in the folder is data, and none of it is a module.
            [sys.executable, "-P", "-m", "rota", "serve", "--any-port", "--data", os.fspath(data), *said],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=data,
            env=_environment(),
            start_new_session=True,
        )
        deadline = time.monotonic() + PATIENCE
        while not _answers(data):
            if process.poll() is not None:
                if _answers(data):  # somebody else's was faster
                    return
                log.seek(begin)
                words = log.read().decode("utf-8", "replace").strip()[-_SAID:]
                raise NotLaunched(f"the Rota server of {data} did not start: {words or 'it said nothing'}")
            if time.monotonic() > deadline:
                raise NotLaunched(f"the Rota server of {data} does not answer; see {data / LOG}")
            time.sleep(_LOOK)


def _port_of_the_dead(data: Path) -> list[str]:
    """Where a server was that was killed: its clients look for it there."""
    if "ROTA_PORT" in os.environ:
        return []
    try:
        return ["--port", str(int(json.loads((data / READY_FILE).read_bytes())["port"]))]
    except (OSError, ValueError, TypeError, KeyError):
        return []  # it left in order, and nobody waits for it


@contextlib.contextmanager
def _log(data: Path) -> Iterator[BinaryIO]:
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    with open(os.open(data / LOG, flags, 0o600), "r+b", buffering=0) as log:  # noqa: PTH123  a descriptor
        if os.fstat(log.fileno()).st_size > _LONGEST_LOG:
            log.truncate(0)
        yield log


def _environment() -> dict[str, str]:
    """That of a login, with what is said to Rota: nothing of the agent's that happens to start it."""
    from rota.engine.login import login

    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("ROTA_AUTH", "ROTA_HOST", "ROTA_PORT", "TZ")
    }
    return {**login(None).environment, **kept}
