"""`POST /api/services/{service_name}/restart`: replace every life of it, all at once or one by one."""

from __future__ import annotations

from typing import Any

from pydantic import Field, StrictBool

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import WITH_BODY, answers
from rota.api.form import SentForm, ServiceName
from rota.api.route import Routes
from rota.api.shapes.service import Service
from rota.operations import restart_service as operation

routes = Routes()


class RestartBody(SentForm):
    """How."""

    rolling: StrictBool = Field(
        default=False,
        description="One instance at a time, the next once all others are healthy; otherwise all at once.",
    )


#: What an absent body means.
NO_BODY = RestartBody()


@routes.post(
    "/api/services/{service_name}/restart",
    name="restart_service",
    tags=["services"],
    summary="Restart a service",
    **answers(
        202,
        Service,
        "The service, whose `restarting` says how far it is.",
        "service-not-found",
        *WITH_BODY,
        "shutting-down",
    ),
)
async def restart_service(call: Call, service_name: ServiceName, body: RestartBody = NO_BODY) -> Any:
    """Ends each instance that lives, and starts it again at once; one that is stopped is started.

    A restart that is under way when the server ends goes on with the next server.
    """
    now = await operation.restart_service(call.rota, service_name, rolling=body.rolling)
    return answer.described("Service", Service.as_json(now), call.origin, status=202)
