"""Recovery: meeting a keeper, at the start and after one was lost, and doing what `reconcile` says."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from rota.engine.reconcile import handed_elsewhere, reconcile
from rota.keeper.messages import Ended, Notified, NotNow, Started
from rota.keeper.recorded import Left, read_endings, read_left
from rota.keeper.survivors import what_was_left
from rota.logs.disk import size_of_log
from rota.model.run import Cause, Ending, EndReason, Kind, Status, end_reason

if TYPE_CHECKING:
    from pathlib import Path

    from rota.engine.clock import Clock
    from rota.engine.definitions import Definitions
    from rota.engine.dispatcher import Dispatcher
    from rota.engine.handing import Handing
    from rota.engine.ledger import Entry, Ledger
    from rota.engine.services.supervisor import Supervisor
    from rota.engine.startup import Startup
    from rota.keeper.link import KeeperLink
    from rota.keeper.messages import Message
    from rota.model.run import Run, RunId

log = structlog.get_logger()


class Recovery:
    """Hears the keeper: its list when it is met, and what happens to the runs from then on."""

    def __init__(
        self,
        *,
        definitions: Definitions,
        ledger: Ledger,
        handing: Handing,
        dispatcher: Dispatcher,
        startup: Startup,
        services: Supervisor,
        clock: Clock,
        data: Path,
    ) -> None:
        self._definitions = definitions
        self._ledger = ledger
        self._handing = handing
        self._dispatcher = dispatcher
        self._startup = startup
        self._services = services
        self._clock = clock
        self._data = data
        #: Runs that are lost once nothing of them lives any more: the keeper is ending what it has of them.
        self._lost_later: dict[RunId, tuple[Run, KeeperLink]] = {}

    async def met(self, link: KeeperLink) -> None:
        """Bring the open runs and the keeper's list together, before anything is started."""
        open_runs = [entry.known for entry in self._ledger if entry.known.status is not Status.ENDED]
        elsewhere = handed_elsewhere(open_runs, keeper_id=link.keeper_id, boot_id=link.boot_id)
        on_file = await asyncio.to_thread(read_endings, self._data) if elsewhere else {}
        left = await asyncio.to_thread(read_left, self._data) if elsewhere else {}
        verdicts = reconcile(
            open_runs, link.listed, keeper_id=link.keeper_id, boot_id=link.boot_id, on_file=on_file
        )
        log.info(
            "reconciled with the keeper",
            waiting=len(verdicts.waiting),
            spawn=len(verdicts.spawn),
            running=len(verdicts.running),
            ended=len(verdicts.ended),
            lost=len(verdicts.lost),
        )
        for run, started in verdicts.running:
            self.heard(started)
            self._handing.ask_again(run.id)
        for notified in link.notified:
            self.heard(notified)
        for _, ended in verdicts.ended:
            self.heard(ended)
        still_there = {stray.run_id for stray in verdicts.strays}
        still_there &= {run.id for run in verdicts.lost if run.hand_over is not None}  # others hold no slot
        self._lost_later = {run.id: (run, link) for run in verdicts.lost if run.id in still_there}
        for run in verdicts.lost:
            if run.id not in still_there:
                self._lose(run, link, left.get(run.id, Left()))
        for run in verdicts.spawn:
            entry = self._ledger.find(run.id)
            if entry is not None and not self._definitions.is_of_today(run):
                self._handing.hand_anew(entry)  # of the former definition nobody knows the secrets any more
            else:
                self._handing.send(run)
        for run_id in verdicts.acknowledge:
            if (
                self._ledger.find(run_id) is None
            ):  # else its end waits to be written, and is acknowledged then
                self._dispatcher.acknowledge(run_id)
        for stray in verdicts.strays:
            log.error("the keeper runs what the store does not know; it is stopped", run_id=stray.run_id)
            self._dispatcher.stop(stray.run_id, "Rota, which has no such run")

    def ready(self, keeper_id: str) -> None:
        """Hand over what waited for a keeper, and start what is to run when one has started."""
        self._handing.go_on()
        self._startup.met(keeper_id)

    def heard(self, message: Message) -> None:
        """Something happened to a run."""
        entry = self._ledger.find(message.run_id)
        hand_over = entry.known.hand_over if entry is not None else None
        if entry is None or hand_over is None or hand_over.attempt != message.attempt:
            self._heard_of_stranger(message)
        elif isinstance(message, Started):
            self._ledger.started(entry, at=message.at, pid=message.pid, limits=message.limits)
        elif isinstance(message, Ended):
            self._ended(entry, message)
        elif isinstance(message, Notified):
            self._services.notified(entry.known, message)
        else:
            self._handing.refused(entry, message)

    def _ended(self, entry: Entry, told: Ended) -> None:
        if told.start_at is not None and told.pid is not None:
            self._ledger.started(entry, at=told.start_at, pid=told.pid, limits=told.limits)
        good = self._definitions.exit_codes(entry.known)
        ending = told.ending
        if ending.cause is Cause.STOPPED and entry.known.kind is Kind.SERVICE:
            by = self._handing.stopped_by(entry.known.id)  # one of its many lives says why it is over
            ending = replace(ending, message=f"stopped by {by}") if by is not None else ending
        self._ledger.ended(entry, end_reason(ending, good), ending)

    def _lose(self, run: Run, link: KeeperLink, left: Left) -> None:
        entry = self._ledger.find(run.id)
        if entry is None:
            return
        if run.hand_over is not None and run.hand_over.boot_id != link.boot_id:
            message = "the machine was restarted while it ran"
        else:
            found = what_was_left(left.found, left.alive)
            message = f"its keeper died, and nothing that lives can say how it ended; {found}"
        self._ledger.ended(
            entry,
            EndReason.LOST,
            Ending(
                cause=Cause.LOST,
                end_at=self._clock.now(),
                message=message,
                log_size=size_of_log(self._data, run.id),
            ),
        )

    def _heard_of_stranger(self, message: Message) -> None:
        if isinstance(message, Ended):
            self._dispatcher.acknowledge(message.run_id)
            if (lost := self._lost_later.pop(message.run_id, None)) is not None:
                self._lose(*lost, Left(found=(f"its main process ({message.pid})",)))
        elif isinstance(message, Notified):
            return  # its end is on its way
        elif isinstance(message, NotNow):
            log.warning("the keeper could not start a run that has gone on since", run_id=message.run_id)
        else:
            log.warning("the keeper started a run that has ended since", run_id=message.run_id)
