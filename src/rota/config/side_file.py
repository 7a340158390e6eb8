"""Side files: what the configuration file names and is read with it, whole and as text."""

from __future__ import annotations

import os
import stat

from rota.timing.unreadable import Unreadable

LARGEST = 1 << 20  #: bytes


def find(name: str, folder: str) -> str:
    """The absolute path of a file as the configuration names it; Unreadable when that is no path."""
    expanded = os.path.expanduser(name)  # noqa: PTH111  # Path raises where this returns what it cannot expand
    if not name or expanded.startswith("~") or "\0" in name:
        raise Unreadable(
            f'"{name}" names no file', "a path: absolute, below ~, or relative to this file's folder"
        )
    return os.path.normpath(os.path.join(folder, expanded))  # noqa: PTH118  # resolve() would follow links


def read(path: str) -> str:
    """The text of a file. Raises Unreadable, which says nothing of what is in it."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116  # from a pipe nothing may ever come
            raise Unreadable(f"{path} is not a file", "a regular file")
        with open(path, "rb") as file:  # noqa: PTH123
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise Unreadable(f"there is no file {path}", "one that exists") from None
    except OSError as error:
        raise Unreadable(
            f"{path} cannot be read: {error.strerror or error}", "one that can be read"
        ) from None
    if len(content) > LARGEST:
        raise Unreadable(f"{path} is larger than {LARGEST} bytes", "a smaller one")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable(f"{path} is not UTF-8", "text saved as UTF-8") from None
