"""The token: what a request over TCP shows that it comes from somebody who may read the data folder."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from rota.model.error import Unusable

if TYPE_CHECKING:
    from pathlib import Path

FILE = "token"
SHORTEST = 32


def token_of(data: Path) -> str:
    """The folder's token, made when there is none. Raises Unusable when it is not a secret."""
    path = data / FILE
    try:
        if path.stat().st_mode & 0o077:
            raise Unusable(
                f"others may read the token {path}, so it is no secret; delete it, and a new one is made"
            )
        token = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return _made(path)
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"the token {path} cannot be read: {error}") from error
    if len(token) < SHORTEST or not token.isprintable() or " " in token:
        raise Unusable(
            f"the token {path} is not {SHORTEST} characters without spaces, or more; "
            "delete it, and a new one is made"
        )
    return token


def _made(path: Path) -> str:
    token = secrets.token_urlsafe(32)
    try:
        _write(path, token)
    except OSError as error:
        raise Unusable(f"the token {path} cannot be written: {error.strerror}") from error
    return token


def _write(path: Path, token: str) -> None:
    draft = path.with_name(f"{FILE}.new")
    draft.unlink(missing_ok=True)
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, f"{token}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)
    draft.rename(path)  # whole or not at all: a crash leaves no half of a token
