"""The statements on chains: which of the tasks before a task have ended well since its last such run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert  # PostgreSQL's has the same face

from rota.storage.schema import CHAINS
from rota.storage.statement import Statement

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPICursor

    from rota.storage.sequel import Chained

_WELL = Statement(
    select(CHAINS.c.upstream_name).where(CHAINS.c.task_name == bindparam("wanted")),
    ["wanted"],
)
_inserted = insert(CHAINS)
_NOTE = Statement(
    _inserted.on_conflict_do_update(
        index_elements=[CHAINS.c.task_name, CHAINS.c.upstream_name],
        set_={"run_id": _inserted.excluded.run_id},
    ),
    ["task_name", "upstream_name", "run_id"],
)
_BEGIN_ANEW = Statement(delete(CHAINS).where(CHAINS.c.task_name == bindparam("wanted")), ["wanted"])


def completes(cursor: DBAPICursor, chained: Chained) -> bool:
    """Whether it is the turn of this run. If so, its task waits for all anew; if not, the end is noted."""
    name = chained.run.task_name
    if chained.others:
        well = {upstream for (upstream,) in _WELL.execute(cursor, (name,)).fetchall()}
        if chained.others - well:
            _NOTE.execute(cursor, (name, chained.upstream_name, chained.run.upstream_run_id))
            return False
    _BEGIN_ANEW.execute(cursor, (name,))
    return True
