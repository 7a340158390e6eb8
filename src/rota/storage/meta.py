"""Single values of the whole database: its id, the planner's horizon, the next event's id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Text, bindparam, cast, select, update
from sqlalchemy.dialects.sqlite import insert  # PostgreSQL's has the same face

from rota.storage.schema import META
from rota.storage.statement import Statement

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPICursor

STORE_ID = "store_id"
HORIZON = "horizon"
KEEPER = "keeper"
ID_DRIFT = "id_drift"
PROBE = "probe"
SERVICES_BOOT = "services_boot"
_NEXT_EVENT_ID = "next_event_id"

_inserted = insert(META)
_SET = Statement(
    _inserted.on_conflict_do_update(index_elements=[META.c.key], set_={"value": _inserted.excluded.value}),
    ["key", "value"],
)
_CHANGE = Statement(
    _inserted.on_conflict_do_update(
        index_elements=[META.c.key],
        set_={"value": _inserted.excluded.value},
        where=META.c.value != _inserted.excluded.value,
    ),
    ["key", "value"],
)
_SET_ONCE = Statement(_inserted.on_conflict_do_nothing(), ["key", "value"])
_GET = select(META.c.value).where(META.c.key == bindparam("wanted"))
_ADVANCE = Statement(
    update(META)
    .values(value=cast(cast(META.c.value, BigInteger) + bindparam("count", type_=BigInteger), Text))
    .where(META.c.key == bindparam("wanted"))
    .returning(cast(META.c.value, BigInteger)),
    ["count", "wanted"],
)


def put(cursor: DBAPICursor, key: str, value: str) -> None:
    """Write a value over what was there."""
    _SET.execute(cursor, (key, value))


def put_changed(cursor: DBAPICursor, key: str, value: str) -> bool:
    """Write a value, unless it is there already: False, and nothing changed."""
    return _CHANGE.execute(cursor, (key, value)).rowcount == 1


def put_once(cursor: DBAPICursor, key: str, value: str) -> None:
    """Write a value unless there is one."""
    _SET_ONCE.execute(cursor, (key, value))


def get(connection: Connection, key: str) -> str | None:
    """The value, or None."""
    value: str | None = connection.execute(_GET, {"wanted": key}).scalar()
    return value


def reserve_event_ids(cursor: DBAPICursor, count: int) -> int:
    """Take the next `count` ids and return the first of them; the first of all is 1."""
    _SET_ONCE.execute(cursor, (_NEXT_EVENT_ID, "1"))
    ((following,),) = _ADVANCE.execute(cursor, (count, _NEXT_EVENT_ID)).fetchall()
    return int(following) - count
