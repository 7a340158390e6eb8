"""Pauses as the database remembers them: of each scope the newest, be it over or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert  # PostgreSQL's has the same face

from rota.model.pause import Pause, PauseKind, Scope
from rota.model.run import Actor, ActorKind, TriggeredBy
from rota.storage.microseconds import of_time, to_time
from rota.storage.row import storable
from rota.storage.schema import PAUSES
from rota.storage.statement import Statement

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPICursor

EVERYTHING = ""
"""The name of what has none."""

_CIRCUMSTANCES = [column for column in PAUSES.c.keys() if column not in ("kind", "name")]  # noqa: SIM118
_inserted = insert(PAUSES)
_PUT = Statement(
    _inserted.on_conflict_do_update(
        index_elements=[PAUSES.c.kind, PAUSES.c.name],
        set_={column: _inserted.excluded[column] for column in _CIRCUMSTANCES},
    ),
    PAUSES.c.keys(),
)
_ALL = select(*PAUSES.c)


def put(cursor: DBAPICursor, pause: Pause) -> None:
    """Write it over the one before of its scope."""
    _PUT.execute(
        cursor,
        (
            pause.scope.kind.value,
            EVERYTHING if pause.scope.name is None else pause.scope.name,
            storable(pause.reason),
            pause.actor.kind.value if pause.actor is not None else None,
            pause.actor.name if pause.actor is not None else None,
            pause.via.value,
            of_time(pause.since),
            of_time(pause.resumed_at) if pause.resumed_at is not None else None,
        ),
    )


def every(connection: Connection) -> list[Pause]:
    """All of them."""
    return [
        Pause(
            scope=Scope(kind=PauseKind(kind), name=name or None),
            reason=reason,
            actor=Actor(kind=ActorKind(actor_kind), name=actor_name) if actor_kind is not None else None,
            via=TriggeredBy(via),
            since=to_time(since),
            resumed_at=to_time(resumed_at) if resumed_at is not None else None,
        )
        for kind, name, reason, actor_kind, actor_name, via, since, resumed_at in connection.execute(_ALL)
    ]
