"""`POST /api/services/{service_name}/start`: start it, and what it depends on."""

from __future__ import annotations

from typing import Any

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import WITH_BODY, answers
from rota.api.form import NOTHING, Empty, ServiceName
from rota.api.route import Routes
from rota.api.shapes.service import Service
from rota.operations import start_service as operation

routes = Routes()


@routes.post(
    "/api/services/{service_name}/start",
    name="start_service",
    tags=["services"],
    summary="Start a service",
    **answers(
        202,
        Service,
        "The service, which is wanted now; its instances begin.",
        "service-not-found",
        *WITH_BODY,
        "shutting-down",
    ),
)
async def start_service(call: Call, service_name: ServiceName, body: Empty = NOTHING) -> Any:  # noqa: ARG001  it takes none
    """Starts the service and all that it depends on, whatever became of it before: failed instances, too.

    What lives already is left as it is. The service stays wanted over restarts of the server.
    """
    now = await operation.start_service(call.rota, service_name)
    return answer.described("Service", Service.as_json(now), call.origin, status=202)
