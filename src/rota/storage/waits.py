"""Waits that outlive who asked for them: what is waited for, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select, update

from rota.storage.microseconds import of_time, to_time
from rota.storage.schema import WAITS
from rota.storage.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPICursor

KEPT_FOR = timedelta(hours=24)
"""How long a wait is known, from its beginning on."""

_PRUNED_AT_ONCE = 10
"""How many old rows each new one sweeps out: more than one, so that they never pile up."""


class WaitStatus(StrEnum):
    """Where a wait is."""

    OPEN = "open"  #: nothing has come of it yet
    OVER = "over"  #: it came true, or cannot any more
    CANCELLED = "cancelled"  #: who asked for it wants to know no more


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredWait:
    """One wait."""

    id: str  #: not to be guessed
    wanted: str  #: what is waited for, as JSON
    status: WaitStatus = WaitStatus.OPEN
    outcome: str | None = None  #: what came of it, as JSON; None until it is over
    created_at: datetime
    changed_at: datetime


_ADD = Statement(insert(WAITS), WAITS.c.keys())
_PRUNE = Statement(
    delete(WAITS).where(
        WAITS.c.id.in_(
            select(WAITS.c.id)
            .where(WAITS.c.created_at <= bindparam("oldest"))
            .order_by(WAITS.c.created_at)
            .limit(_PRUNED_AT_ONCE)
        )
    ),
    ["oldest"],
)
_CLOSE = Statement(
    update(WAITS)
    .values(status=bindparam("new"), outcome=bindparam("outcome"), changed_at=bindparam("at"))
    .where(WAITS.c.id == bindparam("wanted_id"), WAITS.c.status == WaitStatus.OPEN.value),
    ["new", "outcome", "at", "wanted_id"],
)
_ONE = select(*WAITS.c).where(WAITS.c.id == bindparam("wanted_id"))


def add(cursor: DBAPICursor, wait: StoredWait) -> None:
    """Write a new one down."""
    values = (
        wait.id,
        wait.wanted,
        wait.status.value,
        None,
        of_time(wait.created_at),
        of_time(wait.changed_at),
    )
    _ADD.execute(cursor, values)
    _PRUNE.execute(cursor, (of_time(wait.created_at - KEPT_FOR),))


def close(cursor: DBAPICursor, wait_id: str, status: WaitStatus, outcome: str | None, at: datetime) -> bool:
    """Whether it was open, and now is not."""
    return _CLOSE.execute(cursor, (status.value, outcome, of_time(at), wait_id)).rowcount == 1


def one(connection: Connection, wait_id: str) -> StoredWait | None:
    """The wait of this id."""
    row = connection.execute(_ONE, {"wanted_id": wait_id}).first()
    return None if row is None else _wait(row)


def _wait(row: Sequence[Any]) -> StoredWait:
    wait_id, wanted, status, outcome, created_at, changed_at = row
    return StoredWait(
        id=wait_id,
        wanted=wanted,
        status=WaitStatus(status),
        outcome=outcome,
        created_at=to_time(created_at),
        changed_at=to_time(changed_at),
    )
