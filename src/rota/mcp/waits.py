"""Waits that are kept: they go on without who asked for them, and their outcome is in the store.

Each open one is watched by a task here. After a restart that is begun anew when somebody asks for it: what it
waits for is either still so, or stands in the log.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rota.logs.pattern import Wanted
from rota.mcp.call import Call
from rota.mcp.refusal import sentence_of
from rota.mcp.tool import refused
from rota.mcp.tools.wait_for_run import answer_of
from rota.model.error import RotaError, StoreUnavailable
from rota.model.run import RunId
from rota.operations.wait_for_run import WaitWanted, wait_for_run
from rota.storage.waits import StoredWait, WaitStatus

if TYPE_CHECKING:
    from rota.operations.rota import Rota

#: Seconds between two tries to write an outcome down.
_PAUSE = 1.0


class Waits:
    """Those that are watched now. To be closed."""

    def __init__(self, rota: Rota) -> None:
        self._rota = rota
        self._watching: dict[str, asyncio.Task[None]] = {}

    async def begin(self, wanted: WaitWanted) -> StoredWait:
        """Keep a new one: it is written down when this returns."""
        now = datetime.now(UTC)
        wait = StoredWait(id=str(uuid.uuid4()), wanted=_written(wanted), created_at=now, changed_at=now)
        await self._rota.store.add_wait(wait)
        self._watch(wait)
        return wait

    async def find(self, wait_id: str) -> StoredWait | None:
        """It as it stands."""
        wait = await self._rota.store.wait(wait_id)
        if wait is not None and wait.status is WaitStatus.OPEN:
            self._watch(wait)
        return wait

    async def cancel(self, wait_id: str) -> None:
        """End the wait; the runs do not notice."""
        await self._rota.store.close_wait(wait_id, WaitStatus.CANCELLED)
        watching = self._watching.get(wait_id)
        if watching is not None:
            watching.cancel()

    async def close(self) -> None:
        """Watch no more; what is open stays so."""
        watching = list(self._watching.values())
        for each in watching:
            each.cancel()
        await asyncio.gather(*watching, return_exceptions=True)

    def _watch(self, wait: StoredWait) -> None:
        if wait.id not in self._watching:
            task = asyncio.create_task(self._see_through(wait), name=f"wait {wait.id}")
            self._watching[wait.id] = task
            task.add_done_callback(lambda _: self._watching.pop(wait.id, None))

    async def _see_through(self, wait: StoredWait) -> None:
        call = Call(rota=self._rota, waits=self)
        try:
            waited = await wait_for_run(self._rota, _read(wait.wanted), None)
            outcome = (await answer_of(call, waited)).as_result()
        except RotaError as error:
            outcome = refused(sentence_of(error))
        text = outcome.model_dump_json(by_alias=True, exclude_none=True)
        while True:
            try:
                await self._rota.store.close_wait(wait.id, WaitStatus.OVER, text)
            except StoreUnavailable:
                await asyncio.sleep(_PAUSE)
            else:
                return


def _written(wanted: WaitWanted) -> str:
    return json.dumps(asdict(wanted))


def _read(text: str) -> WaitWanted:
    it = json.loads(text)
    return WaitWanted(
        run_ids=tuple(RunId(each) for each in it["run_ids"]),
        all=it["all"],
        text=None if it["text"] is None else Wanted(**it["text"]),
        since=it["since"],
        port=it["port"],
    )
