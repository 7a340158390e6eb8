"""Signal a service: its instances, or one of them, get a signal; such as the one that has them reload."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from rota.model.error import Fault, Invalid, NoReloadSignal, NothingLives, RunEnded, RunNotStarted
from rota.operations.get_service import get_service

if TYPE_CHECKING:
    from rota.engine.services.standing import ServiceNow
    from rota.operations.rota import Rota


async def signal_service(
    rota: Rota, name: str, *, signal: str | None, instance: int | None, by: str
) -> ServiceNow:
    """The service as it stands when the main process of each instance that lives was sent the signal.

    Without one it is the service's `reload_signal`. Raises ServiceNotFound, NoReloadSignal, NothingLives and
    KeeperUnavailable, and Invalid when there is no such instance.
    """
    now = get_service(rota, name)
    signal = signal or now.service.reload_signal
    if signal is None:
        raise NoReloadSignal(name)
    if instance is not None and instance >= len(now.instances):
        there = f"it is from 0 to {len(now.instances) - 1}"
        raise Invalid([Fault(location="body.instance", message=there, value=instance)])
    reached = False
    for each in now.instances:
        if each.pid is not None and each.run_id is not None and instance in (None, each.index):
            with suppress(RunEnded, RunNotStarted):  # it has ended meanwhile: there is nothing to send it to
                await rota.engine.feeding.signal(each.run_id, signal, by=by)
                reached = True
    if not reached:
        raise NothingLives(name, instance, now.state if instance is None else now.instances[instance].state)
    return get_service(rota, name)
