"""Which run is meant: by its id, or by an ending of it that no other run has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rota.model.error import RunNotFound, RunUnclear
from rota.model.run import RunId

if TYPE_CHECKING:
    from rota.operations.rota import Rota

#: An ending is looked for among so many of the newest runs.
WITHIN = 10_000

#: So many of those that it fits are named.
CANDIDATES = 10

_FULL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ENDING = re.compile(r"[0-9a-f-]{4,35}")


async def which_run(rota: Rota, text: str) -> RunId:
    """The id that `text` stands for: a whole one, whether there is such a run or not, or the one ending so.

    Raises RunNotFound and RunUnclear.
    """
    text = text.lower()
    if _FULL.fullmatch(text):
        return RunId(text)
    if not _ENDING.fullmatch(text):
        raise RunNotFound(text)
    found = await rota.store.ending_with(text, within=WITHIN, limit=CANDIDATES)
    if not found:
        raise RunNotFound(text, within=WITHIN)
    if len(found) > 1:
        raise RunUnclear(text, [(run.id, run.label) for run in found])
    return found[0].id
