"""`GET /api/services/{service_name}`: one service."""

from __future__ import annotations

from typing import Any

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import answers
from rota.api.form import ServiceName
from rota.api.route import Routes
from rota.api.shapes.service import Service
from rota.operations import get_service as operation

routes = Routes()


@routes.get(
    "/api/services/{service_name}",
    name="get_service",
    tags=["services"],
    summary="Show a service",
    **answers(200, Service, "The service.", "service-not-found"),
)
async def get_service(call: Call, service_name: ServiceName) -> Any:
    """A service's definition, what is wanted of it, and how each of its instances stands."""
    return answer.described(
        "Service", Service.as_json(operation.get_service(call.rota, service_name)), call.origin
    )
