"""Bulk: what can be done to one run, done to many, by their ids or by a filter.

A batch at a time, each with its own short transactions: whatever their number, the server goes on answering,
and holds no more of them than a batch. A filter is followed from the newest run to the oldest, so that runs
which come meanwhile are left alone.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from rota.model.error import (
    RotaError,
    RunEnded,
    RunNotDeleted,
    RunNotFound,
    ShuttingDown,
    StoreUnavailable,
    TurnedAway,
)
from rota.model.run import RunId, Status
from rota.operations import rerun as again
from rota.storage.page import RunFilter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from rota.auth.caller import Caller
    from rota.model.run import Run, TriggeredBy
    from rota.operations.rota import Rota
    from rota.storage.requests import Request

BATCH = 200  #: runs that are dealt with at once

#: So many faults, and so many reruns, are named in an answer; the others are counted.
NAMED = 1000


class Verb(StrEnum):
    """What can be done to many runs."""

    STOP = "stop"  #: end those that run, cancel those that wait
    RERUN = "rerun"  #: run again what has ended
    DELETE = "delete"  #: delete what has ended
    RESTORE = "restore"  #: put back what was deleted


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which runs, and by whom."""

    ids: Sequence[RunId] | None = None  #: each once
    filter: RunFilter | None = None  #: if there are no ids
    dry_run: bool = False  #: only say what would be done
    caller: Caller
    triggered_by: TriggeredBy
    request: Callable[[RunId], Request | None] = lambda _: None  #: of each rerun, when it has a key


@dataclass(kw_only=True, slots=True)
class Outcome:
    """What came of it."""

    matched: int = 0  #: runs that were meant
    done: int = 0  #: those to which it was done, or would be
    refused: int = 0  #: those to which it was not
    faults: list[tuple[RunId, RotaError]] = field(default_factory=list)  #: why, of the first of those
    reruns: list[tuple[RunId, RunId]] = field(default_factory=list)  #: the first of them: of which run, which
    broken_off: str | None = None  #: why it was ended before all runs were dealt with

    def add(self, run_id: RunId, fault: RotaError | None) -> None:
        """One more run was dealt with."""
        self.matched += 1
        if fault is None:
            self.done += 1
            return
        self.refused += 1
        if len(self.faults) < NAMED:
            self.faults.append((run_id, fault))


class Doing(Protocol):
    """A verb, done to a batch of runs or only looked at."""

    async def check(self, runs: Sequence[Run]) -> Mapping[RunId, RotaError]:
        """Why some of them would be refused."""

    async def do(self, runs: Sequence[Run]) -> Mapping[RunId, RotaError]:
        """Do it; why some of them were refused."""


async def bulk(rota: Rota, verb: Verb, wanted: Wanted) -> Outcome:
    """Do it to all of them. What breaks off in between says so, since some of it is done then."""
    outcome = Outcome()
    doing = _DOING[verb](rota, wanted, outcome)
    try:
        async for runs, missing in _batches(rota, verb, wanted):
            refused = await (doing.check if wanted.dry_run else doing.do)(runs)
            for run in runs:
                outcome.add(run.id, refused.get(run.id))
            for fault in missing:
                outcome.add(RunId(fault.run_id), fault)
            await asyncio.sleep(0)  # whoever else waits for the loop has his turn
    except (StoreUnavailable, ShuttingDown) as error:
        outcome.broken_off = str(error)
    return outcome


# --- which runs


async def _batches(
    rota: Rota, verb: Verb, wanted: Wanted
) -> AsyncIterator[tuple[list[Run], list[RunNotFound | RunNotDeleted]]]:
    """The runs that are meant, and the ids that are of none."""
    if wanted.ids is not None:
        ids = list(wanted.ids)
        if verb is Verb.STOP:
            async for runs in _waiting(rota, ids):
                yield runs, []
        for some in _cut(ids):
            found = await _these(rota, verb, some)
            missing = [_missing(verb, run_id) for run_id in some if run_id not in found]
            yield [found[run_id] for run_id in some if run_id in found], missing
    elif verb is Verb.RESTORE:
        batch: list[Run] = []
        async for run in rota.engine.deletion.deleted(wanted.filter or RunFilter()):
            batch.append(run)
            if len(batch) == BATCH:
                yield batch, []
                batch = []
        yield batch, []
    else:
        seen: set[RunId] = set()
        for each in _filters(verb, wanted.filter or RunFilter()):
            async for runs in _pages(rota, each):
                # One that was pending may be met again as running. The engine, too, has all that are open.
                runs = [run for run in runs if run.id not in seen]
                if verb is Verb.STOP:
                    seen.update(run.id for run in runs)
                yield runs, []


async def _pages(rota: Rota, wanted: RunFilter) -> AsyncIterator[list[Run]]:
    cursor: str | None = None
    while True:
        page = await rota.store.runs(wanted, limit=BATCH, cursor=cursor)
        yield page.items
        cursor = page.next_cursor
        if cursor is None:
            return


async def _waiting(rota: Rota, ids: list[RunId]) -> AsyncIterator[list[Run]]:
    """Those that are pending, which are taken out of `ids`. They come first: a slot that is freed must not
    start one of them.
    """
    taken: set[RunId] = set()
    for some in _cut(ids):
        waiting = [run for run in await rota.store.these_runs(some) if run.status is Status.PENDING]
        taken.update(run.id for run in waiting)
        yield waiting
    ids[:] = [run_id for run_id in ids if run_id not in taken]


def _cut(ids: Sequence[RunId]) -> Iterator[Sequence[RunId]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


async def _these(rota: Rota, verb: Verb, ids: Sequence[RunId]) -> dict[RunId, Run]:
    runs = await (
        rota.engine.deletion.restorable(ids) if verb is Verb.RESTORE else rota.store.these_runs(ids)
    )
    return {run.id: run for run in runs}


def _missing(verb: Verb, run_id: RunId) -> RunNotFound | RunNotDeleted:
    return RunNotDeleted(run_id) if verb is Verb.RESTORE else RunNotFound(run_id)


def _filters(verb: Verb, wanted: RunFilter) -> list[RunFilter]:
    """What the verb can be done to of what the filter lets through; of a stop, those that wait first."""
    able = (Status.PENDING, Status.RUNNING) if verb is Verb.STOP else (Status.ENDED,)
    return [
        replace(wanted, status=frozenset({status}))
        for status in able
        if wanted.status is None or status in wanted.status
    ]


# --- what is done


class _Stop:
    def __init__(self, rota: Rota, wanted: Wanted, _outcome: Outcome) -> None:
        self._rota = rota
        self._by = wanted.triggered_by

    async def check(self, runs: Sequence[Run]) -> Mapping[RunId, RotaError]:
        return {run.id: RunEnded(run.id) for run in runs if run.status is Status.ENDED}

    async def do(self, runs: Sequence[Run]) -> Mapping[RunId, RotaError]:
        stops = (self._rota.engine.runs.stop(run.id, by=self._by) for run in runs)
        return _refused(runs, await asyncio.gather(*stops, return_exceptions=True))


class _Rerun:
    def __init__(self, rota: Rota, wanted: Wanted, outcome: Outcome) -> None:
        self._rota = rota
        self._wanted = wanted
        self._outcome = outcome
        self._turned_away: dict[str, TurnedAway] = {}

    async def check(self, runs: Sequence[Run]) -> Mapping[RunId, RotaError]:
        refused: dict[RunId, RotaError] = {}
        for run in runs:
            try:
                again.check(self._rota, run)
            except RotaError as error:
                refused[run.id] = error
        return refused

    async def do(self, runs: Sequence[Run]) -> Mapping[RunId, RotaError]:
        refused: dict[RunId, RotaError] = {}
        for run in runs:
            try:
                await self._do(run)
            except (StoreUnavailable, ShuttingDown):
                raise
            except RotaError as error:
                refused[run.id] = error
        return refused

    async def _do(self, run: Run) -> None:
        if run.defined_by in self._turned_away:
            raise self._turned_away[run.defined_by]  # each try more would leave a run that says so
        triggered = await again.run_again(
            self._rota,
            run,
            caller=self._wanted.caller,
            triggered_by=self._wanted.triggered_by,
            request=self._wanted.request(run.id),
        )
        if triggered.turned_away is not None:
            message = triggered.run.message or "it was let go by"
            refusal = TurnedAway(triggered.run.id, triggered.turned_away, message)
            self._turned_away[run.defined_by] = refusal
            raise refusal
        if len(self._outcome.reruns) < NAMED:
            self._outcome.reruns.append((run.id, triggered.run.id))


class _Delete:
    def __init__(self, rota: Rota, _wanted: Wanted, _outcome: Outcome) -> None:
        self._deletion = rota.engine.deletion

    async def check(self, runs: Sequence[Run]) -> Mapping[RunId, RotaError]:
        return await self._deletion.refusals(runs)

    async def do(self, runs: Sequence[Run]) -> Mapping[RunId, RotaError]:
        return _faults(await self._deletion.delete([run.id for run in runs]))


class _Restore:
    def __init__(self, rota: Rota, _wanted: Wanted, _outcome: Outcome) -> None:
        self._deletion = rota.engine.deletion

    async def check(self, runs: Sequence[Run]) -> Mapping[RunId, RotaError]:  # noqa: ARG002  what is found can be
        return {}

    async def do(self, runs: Sequence[Run]) -> Mapping[RunId, RotaError]:
        return _faults(await self._deletion.restore([run.id for run in runs]))


_DOING: dict[Verb, Callable[[Rota, Wanted, Outcome], Doing]] = {
    Verb.STOP: _Stop, Verb.RERUN: _Rerun, Verb.DELETE: _Delete, Verb.RESTORE: _Restore,
}  # fmt: skip


def _refused(runs: Sequence[Run], outcomes: Sequence[Run | BaseException]) -> Mapping[RunId, RotaError]:
    refused: dict[RunId, RotaError] = {}
    for run, outcome in zip(runs, outcomes, strict=True):
        if isinstance(outcome, StoreUnavailable) or (
            isinstance(outcome, BaseException) and not isinstance(outcome, RotaError)
        ):
            raise outcome
        if isinstance(outcome, RotaError):
            refused[run.id] = outcome
    return refused


def _faults(outcomes: Mapping[RunId, Run | RotaError]) -> Mapping[RunId, RotaError]:
    return {run_id: outcome for run_id, outcome in outcomes.items() if isinstance(outcome, RotaError)}
