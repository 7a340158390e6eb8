"""`rota services`: every service and how it stands, or one with its instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rota.cli.options import Given, Json
from rota.cli.output import NOTHING, Output
from rota.cli.suggest import suggest_services
from rota.model.service import InstanceState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TITLES = ("SERVICE", "STATE", "HEALTHY", "RESTARTS", "SINCE", "MESSAGE", "DESCRIPTION")
OF_ONE = ("INSTANCE", "STATE", "SINCE", "PID", "PORT", "RESTARTS", "RUN", "NEXT", "MESSAGE")


def services(
    service: Annotated[str | None, Parameter(completer=suggest_services)] = None,
    /,
    *,
    json: Json = False,
    options: Given,
) -> None:
    """List the services and how they stand; or one, with each of its instances.

    Parameters
    ----------
    service
        Only this one, instance by instance.
    """
    out = Output()
    client = options.client()
    if service is not None:
        one = client.service(service)
        out.json(one) if json else out.table(
            OF_ONE, [_instance(each, out) for each in one["instances"]], empty=""
        )
        return
    found = client.services()
    if json:
        out.json(found)
        return
    out.table(
        TITLES,
        [_row(each, out) for each in found],
        empty="There are no services; a service is a table [services.NAME] of the configuration file.",
    )


def _row(service: Mapping[str, Any], out: Output) -> tuple[str, ...]:
    instances = service["instances"]
    return (
        service["name"],
        service["state"],
        f"{service['healthy']}/{service['scale'] if service['wanted'] else 0}",
        str(sum(each["restarts"] for each in instances)),
        out.moment(max((each["since"] for each in instances), default=None)),
        "; ".join(_messages(service)) or NOTHING,
        service["description"] or NOTHING,
    )


def _messages(service: Mapping[str, Any]) -> Iterator[str]:
    """How far a restart is, and why the first instance stands so that has something to say."""
    if (restart := service["restarting"]) is not None:
        yield f"restarts{' one by one' if restart['rolling'] else ''}, {restart['left']} left"
    told = [
        each for each in service["instances"] if each["message"] and each["state"] != InstanceState.HEALTHY
    ]
    if told:
        more = f", and {len(told) - 1} more" if len(told) > 1 else ""
        who = f"instance {told[0]['index']}: " if len(service["instances"]) > 1 else ""
        yield f"{who}{told[0]['message']}{more}"


def _instance(instance: Mapping[str, Any], out: Output) -> tuple[str, ...]:
    return (
        str(instance["index"]),
        instance["state"],
        out.moment(instance["since"]),
        _known(instance["pid"]),
        _known(instance["port"]),
        str(instance["restarts"]),
        NOTHING if instance["run_id"] is None else out.run_id(instance["run_id"]),
        out.moment(instance["next_attempt_at"]),
        instance["message"] or NOTHING,
    )


def _known(number: int | None) -> str:
    return NOTHING if number is None else str(number)
