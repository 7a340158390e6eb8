"""`[services.NAME.health]`: how it is found out whether an instance is well."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from rota.config.kinds.address import HttpAddress, TcpAddress
from rota.config.kinds.process import Command
from rota.config.kinds.time import Duration
from rota.config.tables.table import Table, optional
from rota.timing.unreadable import Unreadable

_KINDS = ("command", "http", "tcp", "notify")
_ONE_KIND = 'one of command, http, tcp and notify, such as tcp = "127.0.0.1:{port}"'


class HealthTable(Table):
    """How it is found out whether an instance is well. One of the first four keys says by what."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [kind]} for kind in _KINDS]})

    command: Command | None = optional(
        "A command that exits with 0 when all is well: text for the service's shell, or a list. It runs as "
        "the service does. `{index}` and `{port}` become the instance's.",
        "pg_isready -p {port}",
        ["/usr/local/bin/is-well", "--instance", "{index}"],
    )
    http: HttpAddress | None = optional(
        "An address whose GET is answered with a status from 200 to 399 when all is well.",
        "http://127.0.0.1:{port}/health",
    )
    tcp: TcpAddress | None = optional(
        "A host and port at which a connection is accepted when all is well; a port alone is this machine's.",
        "127.0.0.1:{port}",
        5432,
    )
    notify: Literal[True] | None = optional(
        "The program says itself that it is ready, through the socket in NOTIFY_SOCKET, as sd_notify(3) has "
        "it. Once it has sent WATCHDOG=1 it has to again within `interval` times `retries`.",
        True,
    )
    interval: Duration = optional(
        "How long from one check to the next. Until it is healthy, it is looked at once a second.",
        "30s",
        default=timedelta(seconds=10),
    )
    timeout: Duration = optional(
        "How long one check may take; then it has failed.", "2s", default=timedelta(seconds=5)
    )
    retries: int = optional(
        "How many checks have to fail in a row before an instance that was healthy is unhealthy.",
        5,
        default=3,
        ge=1,
        le=1000,
    )
    start_period: Duration = optional(
        "How much longer than `interval` times `retries` it may take to become healthy.",
        "1m",
        default=timedelta(),
    )
    restart: bool = optional(
        "Whether an instance that is unhealthy is stopped and started again.", False, default=True
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if wrong := _wrong_in(self):
            raise PydanticCustomError("value_error", "{error}", {"error": wrong})
        return self


def _wrong_in(table: HealthTable) -> Unreadable | None:
    """What is wrong with keys that are each fine by themselves."""
    kinds = [kind for kind in _KINDS if getattr(table, kind) is not None]
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
