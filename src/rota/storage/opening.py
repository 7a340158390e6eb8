"""Opens a data folder's database: its owner's alone, at today's schema, with an identity of its own."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy.exc import DBAPIError

from rota.model.error import Unusable
from rota.storage import meta, sqlite
from rota.storage.microseconds import to_duration
from rota.storage.migrate import migrate

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from sqlalchemy import Engine


class Opened(NamedTuple):
    """A database that can be written to."""

    engine: Engine
    store_id: str  #: made with the database
    widest: timedelta | None  #: see `rota.storage.drift`


def open_database(path: Path) -> Opened:
    """Make it or bring it up to date; Unusable when that fails."""
    engine = sqlite.writing(path)
    try:
        _make_private(path)
        return Opened(engine, *_prepare(engine))
    except (DBAPIError, OSError) as error:
        reason = sqlite.unavailable(error) or str(error)
        raise Unusable(f"the database {path} cannot be used: {reason}") from error


def _make_private(path: Path) -> None:
    """The database is its owner's alone; SQLite gives the files beside it the same mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)


def _prepare(engine: Engine) -> tuple[str, timedelta | None]:
    with engine.connect() as connection:
        migrate(connection, begin=sqlite.BEGIN)
        store_id = meta.get(connection, meta.STORE_ID)
        if store_id is None:
            cursor = connection.connection.cursor()
            meta.put_once(cursor, meta.STORE_ID, str(uuid.uuid4()))
            store_id = meta.get(connection, meta.STORE_ID)
        widest = meta.get(connection, meta.ID_DRIFT)
    if store_id is None:
        raise Unusable("the database keeps nothing that is written to it; restore it from a backup")
    return store_id, None if widest is None else to_duration(int(widest))
