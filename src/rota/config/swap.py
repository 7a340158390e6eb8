"""Swapping a file's text: whole or not at all, and only if it still is what it was taken for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NEW = 0o600
"""Rights of a file that was not there before: it may come to hold secrets."""


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """Keep out every other Rota that would write the same file. Raises OSError."""
    folder = os.open(os.path.dirname(os.path.realpath(path)), os.O_RDONLY | os.O_CLOEXEC)  # noqa: PTH120
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def text_of(path: str) -> str:
    """What the file holds; nothing, where there is none. Raises OSError and UnicodeDecodeError."""
    try:
        with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123
            return file.read()
    except FileNotFoundError:
        return ""


def swap(path: str, before: str, after: str) -> bool:
    """Write `after` where `before` is; False, and nothing is done, when there is another text by now.

    A link stays one, to a file of the same rights and owner. Whoever reads meanwhile reads one of the two.
    Raises OSError, having changed nothing.
    """
    real = os.path.realpath(path)
    draft = f"{real}.{secrets.token_hex(4)}.new"
    try:
        was: os.stat_result | None = os.stat(real)  # noqa: PTH116
    except FileNotFoundError:
        was = None
    rights = NEW if was is None else stat.S_IMODE(was.st_mode)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, NEW)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
            file.write(after)
            file.flush()
            if was is not None and (was.st_uid, was.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(descriptor, was.st_uid, was.st_gid)
            os.fchmod(descriptor, rights)
            os.fsync(descriptor)
        if text_of(real) != before:
            return False
        os.replace(draft, real)  # noqa: PTH105
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)  # noqa: PTH108
    _sync_folder(real)
    return True


def _sync_folder(path: str) -> None:
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_CLOEXEC)  # noqa: PTH120
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
