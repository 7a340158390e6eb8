"""The health check of a service as the file has it: how its keys go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rota.timing.unreadable import Unreadable

if TYPE_CHECKING:
    from rota.config.keys import HealthTable

KINDS = ("command", "http", "tcp", "notify")

_ONE_KIND = 'one of command, http, tcp and notify, such as tcp = "127.0.0.1:{port}"'


def wrong_in_health(table: HealthTable) -> Unreadable | None:
    """What is wrong with keys that are each fine by themselves."""
    kinds = [kind for kind in KINDS if getattr(table, kind) is not None]
    if not kinds:
        return Unreadable("nothing is looked at", _ONE_KIND)
    if len(kinds) > 1:
        return Unreadable(
            f"it is looked at {kinds[0]} already, and not at {' and '.join(kinds[1:])}", _ONE_KIND
        )
    if not table.interval:
        return Unreadable("an interval of 0 would never rest", 'a duration such as "10s"')
    if not table.timeout:
        return Unreadable("a timeout of 0 lets no check succeed", 'a duration such as "5s"')
    return None
