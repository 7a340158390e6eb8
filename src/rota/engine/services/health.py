"""Health: has instances looked at in the way that their service says."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from rota.engine.definitions import Undefined
from rota.engine.services import probe
from rota.engine.services.checking import Finding, filled
from rota.keeper.account import NoAccount, find_account
from rota.keeper.messages import TooLong
from rota.model.error import KeeperUnavailable, RunEnded
from rota.model.shell import invocation

if TYPE_CHECKING:
    from rota.engine.definitions import Definitions
    from rota.engine.dispatcher import Dispatcher
    from rota.engine.ledger import Ledger
    from rota.model.run import RunId
    from rota.model.service import HealthCheck, Service


class Health:
    """Makes checks: connections from here, commands by the keeper, where the instance itself runs."""

    def __init__(self, *, definitions: Definitions, ledger: Ledger, dispatcher: Dispatcher) -> None:
        self._definitions = definitions
        self._ledger = ledger
        self._dispatcher = dispatcher

    async def check(self, service: Service, index: int, run_id: RunId) -> Finding:
        """What is found of an instance that lives."""
        health = service.health
        port = service.port_of(index)
        if health is None or health.notify:
            return Finding(passed=None)
        timeout = health.timeout.total_seconds()
        if health.tcp is not None:
            return await probe.tcp(filled(health.tcp, index=index, port=port), timeout)
        if health.http is not None:
            return await probe.http(filled(health.http, index=index, port=port), timeout)
        return await self._ask(service, health, index, run_id)

    async def _ask(self, service: Service, health: HealthCheck, index: int, run_id: RunId) -> Finding:
        entry = self._ledger.find(run_id)
        if entry is None:
            return Finding(passed=None)
        run, user = entry.known, service.life.user
        try:
            account = await asyncio.to_thread(find_account, user) if user is not None else None
            spawn = self._definitions.spawn(run, account)
            argv = _argv(service, health, index)
            checked = await self._dispatcher.link.check(
                replace(spawn, argv=argv), health.timeout.total_seconds()
            )
        except (NoAccount, Undefined, TooLong, KeeperUnavailable, RunEnded):
            return Finding(passed=None)
        if checked.exit_code == 0 and not checked.late:
            return Finding(passed=True)
        if checked.late:
            how = f"the command has taken longer than {health.timeout.total_seconds():g} s"
        elif checked.exit_code is not None:
            how = f"the command has ended with exit code {checked.exit_code}"
        elif checked.signal is not None:
            how = f"the command was ended by {checked.signal}"
        else:
            how = "the command was not started"
        return Finding(passed=False, message=f"{how}: {checked.said}" if checked.said else how)


def _argv(service: Service, health: HealthCheck, index: int) -> tuple[str, ...]:
    port = service.port_of(index)
    if isinstance(health.command, str):
        return invocation(service.life.shell, filled(health.command, index=index, port=port))
    return tuple(filled(word, index=index, port=port) for word in health.command or ())
