"""Runs, newest first, a page at a time; or those that were deleted and can be restored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rota.model.error import Fault, Invalid
from rota.storage.page import Page, read_cursor, write_cursor

if TYPE_CHECKING:
    from rota.model.run import Run
    from rota.operations.rota import Rota
    from rota.storage.page import RunFilter


async def list_runs(
    rota: Rota, wanted: RunFilter, *, limit: int, cursor: str | None, deleted: bool = False
) -> Page:
    """The runs that the filter lets through. Raises Invalid when the cursor is not one of ours."""
    try:
        if deleted:
            return await _deleted(rota, wanted, limit, cursor)
        page = await rota.store.runs(wanted, limit=limit, cursor=cursor)
    except ValueError as error:
        raise Invalid([Fault(location="query.cursor", message=str(error), value=cursor)]) from error
    return replace(page, items=[rota.engine.runs.shown(run) for run in page.items])


async def _deleted(rota: Rota, wanted: RunFilter, limit: int, cursor: str | None) -> Page:
    before = None if cursor is None else read_cursor(wanted, cursor)
    items: list[Run] = []
    async for run in rota.engine.deletion.deleted(wanted, before):
        if len(items) == limit:
            return Page(items=items, next_cursor=write_cursor(wanted, items[-1].id))
        items.append(run)
    return Page(items=items, next_cursor=None)
