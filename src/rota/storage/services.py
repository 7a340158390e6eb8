"""Services as the database remembers them: what is wanted of each, and how its instances have fared."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, literal_column, null, select, update
from sqlalchemy.dialects.sqlite import insert  # PostgreSQL's has the same face

from rota.model.run import Kind, RunId
from rota.model.service import Remembered, Rest, Wanted
from rota.storage import meta
from rota.storage.row import to_run
from rota.storage.schema import INSTANCES, RUNS, SERVICES
from rota.storage.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPICursor

    from rota.model.run import Run


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """Everything that is remembered of services."""

    boot_id: str | None = None  #: of the kernel, when this was written
    wanted: Mapping[str, Wanted] = field(default_factory=dict)  #: by service
    instances: Mapping[str, list[Remembered]] = field(default_factory=dict)  #: likewise
    last_lives: list[Run] = field(default_factory=list)  #: the newest of each instance of any service


_inserted = insert(SERVICES)
_SET = Statement(
    _inserted.on_conflict_do_update(
        index_elements=[SERVICES.c.name],
        set_={column.name: _inserted.excluded[column.name] for column in SERVICES.c if column.name != "name"},
    ),
    SERVICES.c.keys(),
)
_inserted_instance = insert(INSTANCES)
_SET_INSTANCE = Statement(
    _inserted_instance.on_conflict_do_update(
        index_elements=[INSTANCES.c.service, INSTANCES.c.instance_index],
        set_={
            column.name: _inserted_instance.excluded[column.name]
            for column in INSTANCES.c
            if not column.primary_key
        },
    ),
    INSTANCES.c.keys(),
)
_FORGET = Statement(delete(SERVICES).where(SERVICES.c.name == bindparam("wanted")), ["wanted"])
_FORGET_INSTANCES = Statement(delete(INSTANCES).where(INSTANCES.c.service == bindparam("wanted")), ["wanted"])
_ASK_FOR = Statement(
    update(INSTANCES)
    .where(INSTANCES.c.service == bindparam("wanted"))
    .values(failures=literal_column("0"), restarts=literal_column("0"), at_rest=null()),
    ["wanted"],
)
_FORGET_BEYOND = Statement(
    delete(INSTANCES).where(
        INSTANCES.c.service == bindparam("wanted"), INSTANCES.c.instance_index >= bindparam("count")
    ),
    ["wanted", "count"],
)
_FORGET_ALL = Statement(delete(SERVICES), [])
_FORGET_ALL_INSTANCES = Statement(delete(INSTANCES), [])

_ALL = select(*SERVICES.c)
_ALL_INSTANCES = select(*INSTANCES.c).order_by(INSTANCES.c.service, INSTANCES.c.instance_index)
_newest = (
    select(func.max(RUNS.c.id))
    .where(RUNS.c.kind == Kind.SERVICE.value)
    .group_by(RUNS.c.task_name, RUNS.c.instance_index)
)
_LAST_LIVES = select(*RUNS.c).where(RUNS.c.id.in_(_newest))


def save(
    cursor: DBAPICursor,
    wanted: Mapping[str, Wanted],
    forget: Iterable[str] = (),
    asked_for: Iterable[str] = (),
) -> None:
    """Write down what is wanted of these; forget others, and how those have fared that are asked for."""
    for name in forget:
        _FORGET.execute(cursor, (name,))
        _FORGET_INSTANCES.execute(cursor, (name,))
    for name in asked_for:
        _ASK_FOR.execute(cursor, (name,))
    for name, it in wanted.items():
        stale = json.dumps(sorted(it.stale)) if it.stale else None
        values = (name, int(it.running), it.scale, stale, int(it.rolling), it.declared, it.fingerprint)
        _SET.execute(cursor, values)
        _FORGET_BEYOND.execute(cursor, (name, it.declared if it.scale is None else it.scale))


def save_instances(cursor: DBAPICursor, service: str, instances: Iterable[Remembered]) -> None:
    """Write down how these instances have fared."""
    for it in instances:
        at_rest = it.at_rest.value if it.at_rest is not None else None
        life = (it.run_id, int(it.was_healthy), it.ill_run_id)
        _SET_INSTANCE.execute(cursor, (service, it.index, *life, it.failures, it.restarts, at_rest))


def begin_anew(cursor: DBAPICursor, boot_id: str) -> None:
    """The file says again what is wanted, from this boot on."""
    _FORGET_ALL.execute(cursor)
    _FORGET_ALL_INSTANCES.execute(cursor)
    meta.put(cursor, meta.SERVICES_BOOT, boot_id)


def everything(connection: Connection) -> Kept:
    """All of it, as it stood at one moment."""
    instances: dict[str, list[Remembered]] = {}
    for row in connection.execute(_ALL_INSTANCES):
        service, index, run_id, was_healthy, ill_run_id, failures, restarts, at_rest = row
        instances.setdefault(service, []).append(
            Remembered(
                index=index,
                run_id=RunId(run_id) if run_id is not None else None,
                was_healthy=bool(was_healthy),
                ill_run_id=RunId(ill_run_id) if ill_run_id is not None else None,
                failures=failures,
                restarts=restarts,
                at_rest=Rest(at_rest) if at_rest is not None else None,
            )
        )
    return Kept(
        boot_id=meta.get(connection, meta.SERVICES_BOOT),
        wanted={
            name: Wanted(
                running=bool(running),
                scale=scale,
                stale=frozenset(map(RunId, json.loads(stale))) if stale is not None else frozenset(),
                rolling=bool(rolling),
                declared=declared,
                fingerprint=fingerprint,
            )
            for name, running, scale, stale, rolling, declared, fingerprint in connection.execute(_ALL)
        },
        instances=instances,
        last_lives=[to_run(row) for row in connection.execute(_LAST_LIVES)],
    )
