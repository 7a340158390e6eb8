"""`POST /api/services/{service_name}/signal`: send its instances a signal."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import WITH_BODY, answers
from rota.api.form import AS_WHOLE_IN_BODY, SentForm, ServiceName
from rota.api.front_end import front_end
from rota.api.route import Routes
from rota.api.shapes.service import Service
from rota.model.service import MOST_INSTANCES, SIGNALS
from rota.operations import signal_service as operation

routes = Routes()


def _known(given: object) -> object:
    if given in SIGNALS:
        return given
    raise ValueError(f"it is one of {', '.join(SIGNALS)}")


Signal = Annotated[str, BeforeValidator(_known), WithJsonSchema({"type": "string", "enum": list(SIGNALS)})]


class SignalBody(SentForm):
    """Which, and to whom."""

    signal: Signal | None = Field(
        default=None, description="Left out: the service's `reload_signal`.", examples=["SIGHUP"]
    )
    instance: Annotated[int, Field(ge=0, lt=MOST_INSTANCES), AS_WHOLE_IN_BODY] | None = Field(
        default=None, description="The index of the only instance that gets it."
    )


#: What an absent body means.
NO_BODY = SignalBody()


@routes.post(
    "/api/services/{service_name}/signal",
    name="signal_service",
    tags=["services"],
    summary="Send a service a signal",
    **answers(
        200,
        Service,
        "The service; every instance that lives was sent the signal.",
        "service-not-found",
        "no-reload-signal",
        "nothing-lives",
        *WITH_BODY,
        "keeper-unavailable",
    ),
)
async def signal_service(call: Call, service_name: ServiceName, body: SignalBody = NO_BODY) -> Any:
    """Sends the main process of each instance, and nothing below it, a signal; that stands in the run's log.

    What the signal does is the program's own. One that dies of it is started again, as `restart` says.
    """
    now = await operation.signal_service(
        call.rota, service_name, signal=body.signal, instance=body.instance, by=front_end(call)
    )
    return answer.described("Service", Service.as_json(now), call.origin)
