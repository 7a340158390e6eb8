"""`POST /api/services/{service_name}/scale`: how many instances of it there are."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import WITH_BODY, answers
from rota.api.form import AS_WHOLE_IN_BODY, SentForm, ServiceName
from rota.api.route import Routes
from rota.api.shapes.service import Service
from rota.model.service import MOST_INSTANCES
from rota.operations import scale_service as operation

routes = Routes()


class ScaleBody(SentForm):
    """How many."""

    instances: Annotated[int, Field(ge=1, le=MOST_INSTANCES), AS_WHOLE_IN_BODY] = Field(
        description="So many instances, from index 0 on."
    )


@routes.post(
    "/api/services/{service_name}/scale",
    name="scale_service",
    tags=["services"],
    summary="Scale a service",
    **answers(
        202,
        Service,
        "The service with its new `scale`; instances begin or end.",
        "service-not-found",
        *WITH_BODY,
        "shutting-down",
    ),
)
async def scale_service(call: Call, service_name: ServiceName, body: ScaleBody) -> Any:
    """Starts the instances that are missing, or ends those with the highest indexes.

    A stopped service stays stopped. It holds until the configuration's `instances` changes, a boot, or
    Rota is shut down as a whole.
    """
    now = await operation.scale_service(call.rota, service_name, body.instances)
    return answer.described("Service", Service.as_json(now), call.origin, status=202)
