"""The aftermath of an end: what it is by the rules of its task, and which runs follow from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.engine.chaining import chained
from rota.engine.retrying import next_attempt
from rota.model.task import Overlap
from rota.storage.sequel import NOTHING, Sequel

if TYPE_CHECKING:
    from collections.abc import Callable

    from rota.engine.clock import Clock, Ids
    from rota.engine.definitions import Definitions
    from rota.engine.slots import Slots
    from rota.model.run import Ending, EndReason, Run, RunId


class Aftermath:
    """Judges each end once, when it is believed; what follows from it is written with it."""

    def __init__(
        self,
        *,
        definitions: Definitions,
        slots: Slots,
        clock: Clock,
        ids: Ids,
        store_id: str,
        stopped_by: Callable[[RunId], str | None],
    ) -> None:
        """`stopped_by` tells who has asked to stop a run, if anybody."""
        self._definitions = definitions
        self._slots = slots
        self._clock = clock
        self._ids = ids
        self._store_id = store_id
        self._stopped_by = stopped_by

    def of(self, run: Run, reason: EndReason, ending: Ending) -> tuple[Run, Sequel]:
        """The run as it has ended, and what follows from that."""
        ended = run.ended(reason, ending, failures=self._definitions.failures(run))
        retry = self._retry(run, ended)
        if retry is not None:
            ended = ended.followed_by(retry)
        after = self._definitions.after(run.defined_by)
        if not after:
            return ended, NOTHING if retry is None else Sequel(retry=retry)
        follow = chained(ended, after, run_id=self._ids.run, now=self._clock.now())
        return ended, Sequel(retry=retry, chained=follow)

    def _retry(self, run: Run, ended: Run) -> Run | None:
        task = self._definitions.judging(run)
        if not ended.is_failure or task is None or self._stopped_by(run.id):
            return None
        if run.job is not None or not self._definitions.defines(run):
            return None  # nothing would say any more what an attempt is to do
        if self._replaces(run.defined_by) and self._slots.waiting(run.defined_by):
            return None  # a newer run takes its place
        return next_attempt(
            run, ended, task, run_id=self._ids.run(), now=self._clock.now(), seed=self._store_id
        )

    def _replaces(self, name: str) -> bool:
        rules = self._definitions.rules.get(name)
        return rules is not None and rules.on_overlap is Overlap.REPLACE
