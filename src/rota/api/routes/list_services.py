"""`GET /api/services`: every service, with how its instances stand."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rota.api import answer, name_cursor
from rota.api.call import Call
from rota.api.describe import answers
from rota.api.form import Form, Whole
from rota.api.name_cursor import NameCursor
from rota.api.route import Routes
from rota.api.shapes.service import Service, ServicePage
from rota.operations import list_services as operation

routes = Routes()


class ServicesQuery(Form):
    """Which page of the services."""

    limit: Whole = Field(default=1000, ge=1, le=10_000, description="How many at most.")
    cursor: NameCursor | None = Field(default=None, description="`next_cursor` of the page before.")


@routes.get(
    "/api/services",
    name="list_services",
    tags=["services"],
    summary="List services",
    **answers(200, ServicePage, "A page of services."),
)
async def list_services(call: Call, query: ServicesQuery) -> Any:
    """Services by name, each with its instances."""
    page = operation.list_services(call.rota, limit=query.limit, after=query.cursor)
    body = {
        "items": [Service.as_json(each) for each in page.items],
        "next_cursor": None if page.next_name is None else name_cursor.write(page.next_name),
    }
    return answer.described("ServicePage", body, call.origin)
