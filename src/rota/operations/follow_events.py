"""Every change of state, as it happens, from any event on that is still known."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from rota.events.subscription import Subscription
    from rota.model.event import EventKind
    from rota.operations.rota import Rota


def follow_events(
    rota: Rota,
    *,
    after: int | None = None,
    kinds: AbstractSet[EventKind] | None = None,
    task_name: str | None = None,
) -> Subscription:
    """The events after the id `after`, or from now on: whatever happens after this call is among them.

    To be closed.
    """
    return rota.bus.subscribe(after, kinds=kinds, task_name=task_name)
