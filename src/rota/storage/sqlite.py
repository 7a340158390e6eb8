"""SQLite: how its file is opened, and which errors mean that it cannot be written or read now."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import create_engine, event
from sqlalchemy.pool import NullPool, QueuePool

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

BEGIN = "BEGIN IMMEDIATE"
"""Opens a transaction that writes. A deferred one would fail when it came to writing second."""

BUSY_TIMEOUT = 5.0
"""Seconds to wait for another program's lock. Rota itself has one writer and waits for nobody."""

_CHECKPOINT_PAGES = 4000
"""How long the write-ahead log grows under load (16 MB) before a commit carries it over."""

_WRITER = (
    "PRAGMA journal_mode = WAL",
    f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}",
    f"PRAGMA journal_size_limit = {64 * 1024 * 1024}",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA temp_store = MEMORY",
)
_READER = (
    "PRAGMA query_only = ON",
    "PRAGMA wal_autocheckpoint = 0",  # a reader that carried the log over would hold up the writer
    "PRAGMA temp_store = MEMORY",
)

#: Primary result codes that speak of the disk or of another program, not of the statement.
_UNAVAILABLE = {
    sqlite3.SQLITE_FULL: "the disk that holds the database is full; free some space",
    sqlite3.SQLITE_IOERR: "the disk that holds the database reports an input/output error",
    sqlite3.SQLITE_READONLY: "rota.db is read-only; look at the owner and mode of it and its folder",
    sqlite3.SQLITE_BUSY: "another program holds the database locked",
    sqlite3.SQLITE_LOCKED: "another program holds the database locked",
    sqlite3.SQLITE_CANTOPEN: "rota.db cannot be opened; look at the owner and mode of it and its folder",
    sqlite3.SQLITE_PERM: "rota.db cannot be opened; look at the owner and mode of it and its folder",
    sqlite3.SQLITE_AUTH: "rota.db cannot be opened; look at the owner and mode of it and its folder",
    sqlite3.SQLITE_NOMEM: "there is no memory left for the database",
    sqlite3.SQLITE_CORRUPT: "rota.db is damaged; restore it from a backup, or move it away to begin anew",
    sqlite3.SQLITE_NOTADB: "rota.db is not a database; move it away or choose another data folder",
    sqlite3.SQLITE_PROTOCOL: "another program holds the database locked",
}


def writing(path: Path) -> Engine:
    """Connections for the writer. Each is new; who asks keeps it."""
    return _engine(path, "rw", _WRITER, poolclass=NullPool)


def reading(path: Path, count: int) -> Engine:
    """A pool of `count` connections that can only read."""
    return _engine(path, "ro", _READER, poolclass=QueuePool, pool_size=count, max_overflow=0)


def unavailable(error: BaseException) -> str | None:
    """Why the database cannot be used now, as a sentence; None when the statement itself is at fault."""
    original = getattr(error, "orig", error)  # SQLAlchemy wraps the driver's
    code = getattr(original, "sqlite_errorcode", None)
    return None if code is None else _UNAVAILABLE.get(code & 0xFF)


def _engine(path: Path, mode: str, pragmas: tuple[str, ...], **pool: Any) -> Engine:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"

    def connect() -> sqlite3.Connection:
        # isolation_level None: the driver begins nothing by itself.
        return sqlite3.connect(
            uri, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
        )

    engine = create_engine("sqlite://", creator=connect, **pool)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        try:
            for pragma in pragmas:
                connection.execute(pragma)
        except BaseException:
            connection.close()
            raise

    return engine
