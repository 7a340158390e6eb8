"""`POST /api/services/{service_name}/stop`: end every life of it, and start none."""

from __future__ import annotations

from typing import Any

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import WITH_BODY, answers
from rota.api.form import NOTHING, Empty, ServiceName
from rota.api.route import Routes
from rota.api.shapes.service import Service
from rota.operations import stop_service as operation

routes = Routes()


@routes.post(
    "/api/services/{service_name}/stop",
    name="stop_service",
    tags=["services"],
    summary="Stop a service",
    **answers(
        202,
        Service,
        "The service, which is not wanted any more; its instances end.",
        "service-not-found",
        *WITH_BODY,
        "shutting-down",
    ),
)
async def stop_service(call: Call, service_name: ServiceName, body: Empty = NOTHING) -> Any:  # noqa: ARG001  it takes none
    """Ends every instance politely (`stop_signal`), then firmly (SIGKILL after `grace`).

    It stays stopped over restarts of the server, until somebody starts it; after a boot, or when all of
    Rota was shut down, `autostart` decides.
    """
    now = await operation.stop_service(call.rota, service_name)
    return answer.described("Service", Service.as_json(now), call.origin, status=202)
