"""A request with an idempotency key, remembered for a day so that its repetition starts nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert  # PostgreSQL's has the same face

from rota.model.run import RunId
from rota.storage import microseconds
from rota.storage.schema import REQUESTS
from rota.storage.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPICursor

KEPT_FOR = timedelta(hours=24)
"""How long a key is known."""

_PRUNED_AT_ONCE = 10
"""How many old rows each new one sweeps out: more than one, so that they never pile up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What was asked under a key, and what was answered."""

    key: str
    method: str
    path: str
    body_hash: str
    run_id: RunId
    status_code: int  #: of the answer: 201, 409 or 429
    at: datetime


_SELECT = select(*REQUESTS.c).where(REQUESTS.c.key == bindparam("wanted"))
_inserted = insert(REQUESTS)
# A key that has had its day is free again: its row is written over.
_REMEMBER = Statement(
    _inserted.on_conflict_do_update(
        index_elements=[REQUESTS.c.key],
        set_={column.name: _inserted.excluded[column.name] for column in REQUESTS.c},
        where=REQUESTS.c.at <= bindparam("oldest"),
    ),
    [*REQUESTS.c.keys(), "oldest"],
)
_FIND = Statement(_SELECT, ["wanted"])
_PRUNE = Statement(
    delete(REQUESTS).where(
        REQUESTS.c.key.in_(
            select(REQUESTS.c.key)
            .where(REQUESTS.c.at <= bindparam("oldest"))
            .order_by(REQUESTS.c.at)
            .limit(_PRUNED_AT_ONCE)
        )
    ),
    ["oldest"],
)


def remember(cursor: DBAPICursor, request: Request) -> Request | None:
    """Write the request down, unless its key is taken: then it changes nothing and returns who has it."""
    oldest = microseconds.of_time(request.at - KEPT_FOR)
    if _REMEMBER.execute(cursor, (*_row(request), oldest)).rowcount == 0:
        (found,) = _FIND.execute(cursor, (request.key,)).fetchall()
        return _request(found)
    _PRUNE.execute(cursor, (oldest,))
    return None


def find(connection: Connection, key: str, now: datetime) -> Request | None:
    """The request that was made under a key within the last day."""
    row = connection.execute(_SELECT, {"wanted": key}).first()
    found = None if row is None else _request(row)
    return found if found is not None and found.at > now - KEPT_FOR else None


def _row(request: Request) -> tuple[object, ...]:
    return (
        request.key,
        request.method,
        request.path,
        request.body_hash,
        request.run_id,
        request.status_code,
        microseconds.of_time(request.at),
    )


def _request(row: Sequence[Any]) -> Request:
    key, method, path, body_hash, run_id, status_code, at = row
    return Request(
        key=key,
        method=method,
        path=path,
        body_hash=body_hash,
        run_id=RunId(run_id),
        status_code=status_code,
        at=microseconds.to_time(at),
    )
