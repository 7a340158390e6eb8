"""Handing over: a run that holds a slot is written down as the keeper's, and then spawned; never otherwise.

Runs that hold a slot and cannot be handed over yet (no keeper is connected, the store cannot write, the
keeper was out of descriptors) stand here, pending, and go when they can.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from rota.engine.definitions import Undefined
from rota.keeper.account import NoAccount, find_account
from rota.keeper.messages import TooLong
from rota.model.error import StoreUnavailable
from rota.model.run import Cause, Ending, EndReason, Status

if TYPE_CHECKING:
    from rota.engine.background import Background
    from rota.engine.clock import Clock
    from rota.engine.definitions import Definitions
    from rota.engine.dispatcher import Dispatcher
    from rota.engine.ledger import Entry, Ledger
    from rota.engine.store_watch import StoreWatch
    from rota.keeper.account import Account
    from rota.keeper.messages import NotNow
    from rota.model.run import HandOver, Run, RunId

log = structlog.get_logger()

SECOND_TRY = 1.0  #: seconds until runs that the keeper could not start are tried again
TRIED_AT_ONCE = 16  #: of them; the rest follow as others end


class Handing:
    """The way from a slot to a process, and the stops that are asked for on it."""

    def __init__(
        self,
        *,
        definitions: Definitions,
        ledger: Ledger,
        dispatcher: Dispatcher,
        clock: Clock,
        background: Background,
        watch: StoreWatch,
    ) -> None:
        self._definitions = definitions
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._clock = clock
        self._background = background
        self._watch = watch
        self._ready: dict[RunId, None] = {}  # hold a slot, and were not handed over
        self._refused: dict[RunId, None] = {}  # likewise, and the keeper could not start them just now
        self._stops: dict[RunId, str] = {}  # who asked to stop them; until they have ended
        self._any_refused = asyncio.Event()
        self.closed = False  #: nothing is handed over any more
        watch.on_heal(self.go_on)

    @property
    def possible(self) -> bool:
        """Whether a run can be handed over right now."""
        return self._dispatcher.ready and not self._watch.failing and not self.closed

    def revision_of(self, name: str) -> int | None:
        """Under which of its task's definitions a run is handed over now."""
        return self._definitions.revision_of(name)

    def sign(self) -> HandOver:
        """A new hand-over to the keeper that is connected; only while `possible`."""
        return self._dispatcher.sign()

    def add(self, run_id: RunId) -> None:
        """This run holds a slot now; hand it over as soon as possible."""
        self._ready[run_id] = None
        self.go_on()

    def leave_off(self, run_id: RunId) -> bool:
        """Do not hand this run over until it is added again; False: it is on its way, or was handed over."""
        for waiting in (self._ready, self._refused):
            if run_id in waiting:
                del waiting[run_id]
                return True
        return False

    def go_on(self) -> None:
        """Hand over what waits for nothing but this."""
        if not self.possible:
            return
        for run_id in list(self._ready):
            entry = self._ledger.find(run_id)
            if entry is not None and (entry.writing or entry.known is not entry.stored):
                continue  # it comes back here when that is written
            del self._ready[run_id]
            if entry is None or entry.stored.hand_over is not None:
                continue
            if run_id in self._stops:  # asked while a hand-over was being written that then failed
                self._end_stopped(entry)
            else:
                self._background.start(self._hand_over(entry), f"hand over run {run_id}")

    def send(self, run: Run, account: Account | None = None) -> None:
        """Have a run spawned whose hand-over is committed; the same attempt twice changes nothing.

        `account` is that of the task's user, once it was looked for.
        """
        entry = self._ledger.find(run.id)
        if entry is None or run.hand_over is None:
            return
        if run.id in self._stops:
            self._end_stopped(entry)
        elif (user := self._definitions.user(run)) is not None and account is None:
            self._background.start(self._find_account(run, user), f"find user {user}")
        elif self._dispatcher.reaches(run.hand_over):
            try:
                self._dispatcher.dispatch(self._definitions.spawn(run, account))
            except (Undefined, TooLong) as error:
                self._end_unstarted(entry, Cause.START_FAILED, str(error))
        else:  # that keeper was lost before it heard of the run, which another may therefore start
            self.hand_anew(entry)

    def refused(self, entry: Entry, message: NotNow) -> None:
        """The keeper could not start it, and nothing of it exists."""
        run_id = entry.known.id
        log.warning("a run could not be started now and stays pending", run_id=run_id, why=message.message)
        if run_id in self._stops:
            self._end_stopped(entry)
            return
        self._take_back(entry)
        self._refused[run_id] = None
        self._any_refused.set()

    def taken_back(self, run: Run) -> None:
        """The store has it that no keeper has this run: it may be handed over again, or need not be."""
        entry = self._ledger.find(run.id)
        if entry is not None and run.id in self._stops:
            self._end_stopped(entry)
        self.go_on()

    def ask_to_stop(self, entry: Entry, by: str) -> None:
        """Stop a run that holds a slot, whether it was handed over, is just being, or not yet."""
        run = entry.known
        self._stops.setdefault(run.id, by)
        if run.hand_over is not None:
            self._dispatcher.stop(run.id, by)
        elif not entry.writing:
            self._end_stopped(entry)

    def stopped_by(self, run_id: RunId) -> str | None:
        """Who asked to stop it, if anybody did since this server began."""
        return self._stops.get(run_id)

    def hand_anew(self, entry: Entry) -> None:
        """Of a run that its keeper never heard of: hand it over once more, under what its task says now."""
        self._take_back(entry)
        self._ready[entry.known.id] = None

    def ask_again(self, run_id: RunId) -> None:
        """Repeat to a keeper that was just met what was asked of the one before."""
        if run_id in self._stops:
            self._dispatcher.stop(run_id, self._stops[run_id])

    def ended(self, run: Run) -> None:
        """A run is over: forget it, and try one of those for which there was no room."""
        self._stops.pop(run.id, None)
        self._ready.pop(run.id, None)
        self._refused.pop(run.id, None)
        if self._refused and run.pid is not None:
            self.add(self._next_refused())

    def close(self) -> None:
        """Hand over nothing any more."""
        self.closed = True

    async def run(self) -> None:
        """Try again, after a while, what the keeper could not start."""
        while True:
            await self._any_refused.wait()
            await self._clock.sleep(SECOND_TRY)
            for _ in range(min(TRIED_AT_ONCE, len(self._refused))):
                try:
                    self.add(self._next_refused())
                except Exception:  # a fault with one run must not end the tries of the others
                    log.exception("a second try failed")
            if not self._refused:
                self._any_refused.clear()

    async def _hand_over(self, entry: Entry) -> None:
        if not self.possible or entry.writing or entry.known is not entry.stored:
            self._ready[entry.known.id] = None  # overtaken since it was chosen: looked at again
            return
        revision = self.revision_of(entry.stored.defined_by)
        handed = entry.stored.handed_over(self.sign(), revision=revision)
        try:
            moved = await self._ledger.move(entry, handed, synced=True)
        except StoreUnavailable:
            self._ready[handed.id] = None
            return
        if moved:
            self.send(handed)
        else:
            self.add(handed.id)

    async def _find_account(self, run: Run, user: str) -> None:
        # In a thread: the machine's users may be kept on another one, which takes its time.
        found: Account | str
        try:
            found = await asyncio.to_thread(find_account, user)
        except NoAccount as error:
            found = str(error)
        entry = self._ledger.find(run.id)
        if entry is None or entry.known.hand_over != run.hand_over or entry.known.status is Status.ENDED:
            return  # overtaken: its keeper was lost meanwhile
        if isinstance(found, str):
            self._end_unstarted(entry, Cause.START_FAILED, found)
        else:
            self.send(run, found)

    def _take_back(self, entry: Entry) -> None:
        self._ledger.change(entry, entry.known.taken_back())

    def _end_stopped(self, entry: Entry) -> None:
        message = f"stopped by {self._stops[entry.known.id]} before it started"
        self._end_unstarted(entry, Cause.STOPPED, message)

    def _end_unstarted(self, entry: Entry, cause: Cause, message: str) -> None:
        ending = Ending(cause=cause, end_at=self._clock.now(), message=message)
        self._ledger.ended(entry, EndReason(cause.value), ending)

    def _next_refused(self) -> RunId:
        run_id = next(iter(self._refused))
        del self._refused[run_id]
        return run_id
