"""Runs, newest first, a page at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rota.model.error import Fault, Invalid

if TYPE_CHECKING:
    from rota.operations.rota import Rota
    from rota.storage.page import Page, RunFilter


async def list_runs(rota: Rota, wanted: RunFilter, *, limit: int, cursor: str | None) -> Page:
    """The runs that the filter lets through. Raises Invalid when the cursor is not one of ours."""
    try:
        page = await rota.store.runs(wanted, limit=limit, cursor=cursor)
    except ValueError as error:
        raise Invalid([Fault(location="query.cursor", message=str(error), value=cursor)]) from error
    return replace(page, items=[rota.engine.shown(run) for run in page.items])
