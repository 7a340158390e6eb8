"""Brings a database to this version's tables, and refuses one that it cannot understand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import column, inspect, select, table

from rota.model.error import Unusable
from rota.storage.schema import REVISION

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SCRIPTS = Path(__file__).parent / "migrations"
_VERSIONS = table("alembic_version", column("version_num"))


def migrate(connection: Connection, *, begin: str) -> None:
    """Run the migrations that are missing, in one transaction that `begin` opens; all or none of them stay.

    Alembic is imported only when there is something to do: it takes longer than the rest of the start.
    """
    found = _revision(connection)
    if found == REVISION:
        return
    if found is not None and found not in known_revisions():
        raise Unusable(
            f"the database was written by a newer version of Rota (revision {found}; this version knows"
            f" {REVISION}); install that version again, or choose another data folder"
        )
    connection.commit()
    connection.exec_driver_sql(begin)
    try:
        _upgrade(connection)
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def known_revisions() -> frozenset[str]:
    """Every revision that this version has a migration for."""
    return frozenset(path.stem.removeprefix("revision_") for path in _SCRIPTS.glob("versions/revision_*.py"))


def _revision(connection: Connection) -> str | None:
    """Where the database stands; None for an empty one."""
    tables = inspect(connection).get_table_names()
    if _VERSIONS.name not in tables:
        if tables:
            raise Unusable(
                "rota.db is the database of another program; move it away or choose another data folder"
            )
        return None
    found: str | None = connection.execute(select(_VERSIONS.c.version_num)).scalar()
    return found


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
