"""`GET /api/services/{service_name}/log`: the lines of all its lives and instances."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import answers
from rota.api.form import AS_WHOLE, Form, Moment, ServiceName, Whole
from rota.api.route import Routes
from rota.api.routes.read_lines import streams_of
from rota.api.shapes.service_log import ServiceLogPage
from rota.logs.line import Ansi, Stream
from rota.model.error import Fault, Invalid
from rota.model.service import MOST_INSTANCES
from rota.operations.read_service_log import ServiceLogWanted
from rota.operations.read_service_log import read_service_log as read

routes = Routes()


class InstanceQuery(Form):
    """Whose lines, and how they look."""

    instance: Annotated[int, Field(ge=0, lt=MOST_INSTANCES), AS_WHOLE] | None = Field(
        default=None, description="Lines of the instance of this index alone."
    )
    stream: list[Stream] = Field(default=[], description="Lines of this stream; may be repeated.")
    ansi: Ansi = Field(default=Ansi.KEEP, description="What becomes of colours and other escape sequences.")


class ServiceLogQuery(InstanceQuery):
    """Which lines. The last ones, unless told otherwise."""

    since: str | None = Field(default=None, description="What follows the page with this `next_cursor`.")
    from_at: Moment | None = Field(
        default=None, description="From the first line that came at this time or later (RFC 3339)."
    )
    limit: Whole = Field(default=500, ge=0, le=10_000, description="How many lines at most.")


@routes.get(
    "/api/services/{service_name}/log",
    name="read_service_log",
    tags=["services"],
    summary="Read a service's log",
    **answers(200, ServiceLogPage, "Some lines, and where what follows begins.", "service-not-found"),
)
async def read_service_log(call: Call, service_name: ServiceName, query: ServiceLogQuery) -> Any:
    """Lines of every life of every instance, in the order of their arrival, each with its run and instance.

    The last `limit` lines; or with `since` or `from_at` what comes after, the oldest first. The newest 1,000
    lives are looked at.
    """
    if query.since is not None and query.from_at is not None:
        raise Invalid([Fault(location="query.from_at", message="it does not go with since")])
    wanted = ServiceLogWanted(
        instance=query.instance,
        since=query.since,
        start_at=query.from_at,
        streams=streams_of(query.stream),
        ansi=query.ansi,
        limit=query.limit,
    )
    found = await read(call.rota, service_name, wanted)
    return answer.described("ServiceLogPage", ServiceLogPage.as_json(found), call.origin)
