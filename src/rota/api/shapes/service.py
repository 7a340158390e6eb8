"""A service, its instances, and how it is found out whether they are well."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rota.api.shapes.program import Program
from rota.api.shapes.shape import Inner, RunIdText, Seconds, Shape
from rota.api.wire import moment, seconds
from rota.model.backoff import Backoff
from rota.model.service import InstanceState, Restart

if TYPE_CHECKING:
    from rota.engine.services.standing import InstanceNow, ServiceNow
    from rota.model import service as model


class HealthCheck(Inner):
    """How it is found out whether an instance is well; one of the first four is there."""

    command: str | list[str] | None = Field(description="It exits with 0.")
    http: str | None = Field(description="A GET of this address is answered with 200 to 399.")
    tcp: str | None = Field(description="A connection is accepted at this host and port.")
    notify: bool = Field(description="It says so itself (sd_notify).")
    interval: Seconds
    timeout: Seconds
    retries: int
    start_period: Seconds
    restart: bool = Field(description="Whether an instance that is unhealthy is started again.")

    @staticmethod
    def as_json(it: model.HealthCheck) -> dict[str, Any]:
        return {
            "command": list(it.command) if isinstance(it.command, tuple) else it.command,
            "http": it.http,
            "tcp": it.tcp,
            "notify": it.notify,
            "interval": seconds(it.interval),
            "timeout": seconds(it.timeout),
            "retries": it.retries,
            "start_period": seconds(it.start_period),
            "restart": it.restart,
        }


class Instance(Inner):
    """An instance of a service, as it stands."""

    index: int = Field(ge=0)
    state: InstanceState
    since: datetime = Field(description="When it came to stand so; after a restart of the server, that.")
    pid: int | None
    run_id: RunIdText | None = Field(description="Its life, or its last one.")
    port: int | None
    restarts: int = Field(
        ge=0, description="Lives begun by itself after another one, since it was asked for."
    )
    failures: int = Field(ge=0, description="Lives in a row that ended before they were healthy.")
    next_attempt_at: datetime | None = Field(description="With `backing_off`: when it is started again.")
    message: str | None = Field(description="One sentence on why it stands so, where there is one.")

    @staticmethod
    def as_json(it: InstanceNow) -> dict[str, Any]:
        return {
            "index": it.index,
            "state": it.state,
            "since": moment(it.since),
            "pid": it.pid,
            "run_id": it.run_id,
            "port": it.port,
            "restarts": it.restarts,
            "failures": it.failures,
            "next_attempt_at": moment(it.next_attempt_at),
            "message": it.message,
        }


class Restarting(Inner):
    """A restart that is under way."""

    rolling: bool = Field(description="One instance at a time, waiting for health; else all at once.")
    left: int = Field(ge=1, description="So many lives are yet to be replaced.")


class Service(Program):
    """A definition that is kept alive, and how its instances stand now."""

    state: InstanceState = Field(description="The worst of its instances' states.")
    wanted: bool = Field(description="Whether it is to live.")
    scale: int = Field(ge=1, description="How many instances are to live while it is wanted.")
    declared: int = Field(ge=1, description="How many the configuration says.")
    healthy: int = Field(ge=0, description="How many instances are healthy.")
    restarting: Restarting | None
    waiting_for: str | None = Field(
        description="The service that has to be healthy before an instance of this one begins."
    )
    settled: bool = Field(
        description="Every instance stands as it will, unless something happens: none is on its way, waits "
        "for what may yet become healthy, or is to be replaced."
    )
    instances: list[Instance]
    restart: Restart
    restart_delay: Seconds
    restart_backoff: Backoff
    restart_attempts: int
    healthy_after: Seconds
    health: HealthCheck | None
    port: int | None
    autostart: bool
    depends_on: list[str]
    reload_signal: str | None

    @staticmethod
    def as_json(now: ServiceNow) -> dict[str, Any]:
        it = now.service
        return {
            **Program.program_as_json(it.life),
            "state": now.state,
            "wanted": now.wanted.running,
            "scale": now.scale,
            "declared": it.instances,
            "healthy": now.healthy,
            "restarting": {"rolling": now.wanted.rolling, "left": now.left} if now.left else None,
            "waiting_for": now.waiting_for,
            "settled": now.settled,
            "instances": [Instance.as_json(each) for each in now.instances],
            "restart": it.restart,
            "restart_delay": seconds(it.restart_delay),
            "restart_backoff": it.restart_backoff,
            "restart_attempts": it.restart_attempts,
            "healthy_after": seconds(it.healthy_after),
            "health": None if it.health is None else HealthCheck.as_json(it.health),
            "port": it.port,
            "autostart": it.autostart,
            "depends_on": list(it.depends_on),
            "reload_signal": it.reload_signal,
        }


class ServicePage(Shape):
    """Services, by name."""

    items: list[Service]
    next_cursor: str | None = Field(description="Give it as `cursor` for what follows; null at the end.")
