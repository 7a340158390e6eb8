"""Jobs, newest first, a page at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rota.model.run import Kind
from rota.operations.list_runs import list_runs

if TYPE_CHECKING:
    from rota.operations.rota import Rota
    from rota.storage.page import Page, RunFilter


async def list_jobs(rota: Rota, wanted: RunFilter, *, limit: int, cursor: str | None) -> Page:
    """The jobs that the filter lets through. Raises Invalid when the cursor is not one of ours."""
    return await list_runs(rota, replace(wanted, kind={Kind.JOB}), limit=limit, cursor=cursor)
