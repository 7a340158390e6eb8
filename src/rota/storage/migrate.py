"""Makes a new database, brings an older one to this version's tables, and refuses one from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table, insert, inspect, select

from rota.model.error import Unusable
from rota.storage.schema import METADATA, REVISION

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SCRIPTS = Path(__file__).parent / "migrations"
_VERSIONS = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Where the database stands; Alembic's own, as it makes it."""


def migrate(connection: Connection, *, begin: str) -> None:
    """Make the tables, or run the migrations that are missing, in one transaction that `begin` opens.

    All of it stays, or nothing. Alembic is imported only for a database that is older: it takes longer than
    the rest of the start. That the tables are the same by both ways, a test sees to.
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
        if found is None:
            _make(connection)
        else:
            _upgrade(connection, "head")
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


def _make(connection: Connection) -> None:
    METADATA.create_all(connection, checkfirst=False)
    _VERSIONS.create(connection)
    connection.execute(insert(_VERSIONS).values(version_num=REVISION))


def _upgrade(connection: Connection, to: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
