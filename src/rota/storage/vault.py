"""The vault: seals what the database keeps and nobody is to read, with a key that lies outside of it.

A copy of the database alone, such as a backup, tells nothing of it. Who may read the data folder may read
both: that is its owner, whose processes get these values anyway.
"""

from __future__ import annotations

import hmac
import json
import os
import threading
from typing import TYPE_CHECKING

from rota.model.error import RotaError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cryptography.fernet import Fernet

FILE = "key"


class Locked(RotaError):
    """What was sealed cannot be read, or nothing can be sealed; the text says why."""


class Vault:
    """Seals with the key of one data folder, which is made when the first secret comes."""

    def __init__(self, data: Path) -> None:
        self._path = data / FILE
        self._fernet: Fernet | None = None
        self._making = threading.Lock()  # two first secrets at once must not make two keys

    def seal(self, values: Mapping[str, str]) -> str:
        """The values as text that only `open` understands. From any thread. Raises Locked."""
        with self._making:
            if self._fernet is None:
                self._fernet = _fernet(_read_or_make(self._path), self._path)
        return self._fernet.encrypt(json.dumps(dict(values)).encode()).decode("ascii")

    def digests(self, values: Mapping[str, str]) -> dict[str, str]:
        """For each value a text that is the same for the same value, from which it cannot be guessed.

        From any thread. Raises Locked.
        """
        with self._making:
            key = _read_or_make(self._path)
        return {
            name: hmac.new(key, value.encode("utf-8", "surrogatepass"), "sha256").hexdigest()
            for name, value in values.items()
        }

    def open(self, sealed: str) -> dict[str, str]:
        """The values again. Raises Locked."""
        from cryptography.fernet import InvalidToken

        if self._fernet is None:
            self._fernet = _fernet(_read(self._path), self._path)
        try:
            values: dict[str, str] = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken as error:
            raise Locked(f"it was sealed with another key than {self._path}") from error
        return values


def _fernet(key: bytes, path: Path) -> Fernet:
    from cryptography.fernet import Fernet  # 5 MB and 40 ms, for those alone who have secrets

    try:
        return Fernet(key)
    except ValueError as error:
        raise Locked(f"{path} holds no key") from error


def _read_or_make(path: Path) -> bytes:
    if not path.exists():
        _make(path)
    return _read(path)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_mode & 0o077:
            raise Locked(f"others may read the key {path}; mend that with `chmod 600 {path}`")
        return path.read_bytes().strip()
    except OSError as error:
        raise Locked(f"the key {path} cannot be read: {error.strerror}") from error


def _make(path: Path) -> None:
    from cryptography.fernet import Fernet

    draft = path.with_name(f"{FILE}.new")
    try:
        draft.unlink(missing_ok=True)
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, Fernet.generate_key() + b"\n")
            os.fsync(file)
        finally:
            os.close(file)
        draft.rename(path)  # whole or not at all, and on the disk before anything that it seals
        _sync_folder(path.parent)
    except OSError as error:
        raise Locked(f"the key {path} cannot be written: {error.strerror}") from error


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
