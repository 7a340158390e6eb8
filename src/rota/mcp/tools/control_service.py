"""`control_service`: look at a service, start, stop, restart or scale it, or send it a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Required

from pydantic import Field
from typing_extensions import TypedDict

from rota.mcp.arguments import Arguments, Seconds
from rota.mcp.refusal import Refusal
from rota.mcp.services import InstanceFacts, instance_facts, sentence_of
from rota.mcp.tool import Answer, Tool
from rota.model.service import MOST_INSTANCES, SIGNALS, InstanceState
from rota.model.tier import Tier
from rota.operations.get_service import get_service
from rota.operations.restart_service import restart_service
from rota.operations.scale_service import scale_service
from rota.operations.signal_service import signal_service
from rota.operations.start_service import start_service
from rota.operations.stop_service import stop_service
from rota.operations.wait_for_service import wait_for_service

if TYPE_CHECKING:
    from rota.engine.services.standing import ServiceNow
    from rota.mcp.call import Call


class ControlService(Arguments):
    """Which service, and what to do."""

    service: Annotated[str, Field(description="Its name; list_tasks has them.")]
    action: Annotated[
        Literal["status", "start", "stop", "restart", "scale", "signal"],
        Field(description="start also what it depends on. stop holds until somebody starts it."),
    ]
    rolling: Annotated[bool, Field(description="Of restart: one instance at a time, waiting for health.")] = (
        False
    )
    instances: Annotated[int | None, Field(ge=1, le=MOST_INSTANCES, description="Of scale: how many.")] = None
    signal: Annotated[
        str | None, Field(description="Of signal, such as SIGHUP; left out: its reload_signal.")
    ] = None
    wait_seconds: Annotated[Seconds, Field(description="Answers sooner when it has settled.")] = 20


class ServiceAnswer(TypedDict, total=False):
    """How it stands then."""

    service: Required[str]
    state: Required[str]
    wanted: Required[bool]
    healthy: Required[int]
    scale: Required[int]
    settled: Required[bool]
    instances: Required[list[InstanceFacts]]
    next: str


async def control_service(call: Call, it: ControlService) -> Answer:
    """Do it, and wait until all instances have come to where they go."""
    _check(it)
    now = await _act(call, it)
    if it.action not in ("status", "signal") and it.wait_seconds:
        now = await wait_for_service(call.rota, it.service, it.wait_seconds)
    follows = _next(now)
    data = {
        "service": it.service,
        "state": now.state,
        "wanted": now.wanted.running,
        "healthy": now.healthy,
        "scale": now.scale,
        "settled": now.settled,
        "instances": [instance_facts(each) for each in now.instances],
        "next": follows,
    }
    return Answer(text="\n".join(filter(None, (sentence_of(now), follows))), data=data)


def _check(it: ControlService) -> None:
    for name, action in (("rolling", "restart"), ("instances", "scale"), ("signal", "signal")):
        if name in it.model_fields_set and it.action != action:
            raise Refusal(f"control_service: {name} is of action={action!r}, not of {it.action!r}.")
    if it.action == "scale" and it.instances is None:
        raise Refusal("control_service: action='scale' needs instances.")


async def _act(call: Call, it: ControlService) -> ServiceNow:
    match it.action:
        case "start":
            return await start_service(call.rota, it.service)
        case "stop":
            return await stop_service(call.rota, it.service)
        case "restart":
            return await restart_service(call.rota, it.service, rolling=it.rolling)
        case "scale":
            return await scale_service(call.rota, it.service, it.instances or 1)
        case "signal":
            return await signal_service(
                call.rota, it.service, signal=_signal(it.signal), instance=None, by=call.by
            )
    return get_service(call.rota, it.service)


def _signal(given: str | None) -> str | None:
    if given is None:
        return None
    name = given.upper() if given.upper().startswith("SIG") else f"SIG{given.upper()}"
    if name not in SIGNALS:
        raise Refusal(f"control_service: signal is {given!r}, and should be one of {', '.join(SIGNALS)}.")
    return name


def _next(now: ServiceNow) -> str | None:
    name = now.service.name
    if not now.settled:
        return f"It goes on: control_service(service={name!r}, action='status') says how far it is."
    ill = [each for each in now.instances if each.state in (InstanceState.FAILED, InstanceState.UNHEALTHY)]
    if ill and ill[0].run_id is not None:
        return f'diagnose_run(run_id="{ill[0].run_id}") says why instance {ill[0].index} is so.'
    if now.waiting_for is not None:
        return f"control_service(service={now.waiting_for!r}, action='status') says what it waits for."
    return None


TOOL = Tool(
    name="control_service",
    title="Control a service",
    description="Look at a configured service, which is kept alive in one or more instances; start, stop, "
    "restart or scale it, or send it a signal. Answers when it has settled. Its log: get_task_logs.",
    tier=Tier.OPERATE,
    takes=ControlService,
    gives=ServiceAnswer,
    act=control_service,
    destroys=True,
)
