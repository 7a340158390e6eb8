"""Services as agents read them: facts of each instance, and how all of it stands in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Required

from typing_extensions import TypedDict

if TYPE_CHECKING:
    from rota.engine.services.standing import InstanceNow, ServiceNow


class InstanceFacts(TypedDict, total=False):
    """An instance; what is not known is left out."""

    index: Required[int]
    state: Required[str]
    run_id: str
    pid: int
    port: int
    restarts: int
    message: str


class ServiceFacts(TypedDict, total=False):
    """A service in a list."""

    name: Required[str]
    state: Required[str]
    healthy: Required[int]
    scale: Required[int]
    description: str


def instance_facts(it: InstanceNow) -> dict[str, Any]:
    """`InstanceFacts`."""
    return {
        "index": it.index,
        "state": it.state,
        "run_id": it.run_id,
        "pid": it.pid,
        "port": it.port,
        "restarts": it.restarts or None,
        "message": it.message,
    }


def service_facts(now: ServiceNow) -> dict[str, Any]:
    """`ServiceFacts`."""
    return {
        "name": now.service.name,
        "state": now.state,
        "healthy": now.healthy,
        "scale": now.scale,
        "description": now.service.life.description,
    }


def sentence_of(now: ServiceNow) -> str:
    """How it stands, and what is wrong with whom."""
    told = [each for each in now.instances if each.message]
    wrong = [f" Instance {each.index} is {each.state}: {each.message}." for each in told]
    return f"service {now.service.name}: {now.state}, {now.healthy} of {now.scale} healthy.{''.join(wrong)}"
