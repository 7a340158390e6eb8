"""`POST /api/reload`: go by the configuration as it is now."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import WITH_BODY, answers
from rota.api.form import NOTHING, Empty, Flag, Form
from rota.api.front_end import front_end
from rota.api.route import Routes
from rota.api.shapes.reload import Reload
from rota.operations.reload import reload as load_anew

routes = Routes()


class ReloadQuery(Form):
    """Whether it is meant."""

    dry_run: Flag = Field(default=False, description="Change nothing; say what would change.")


@routes.post(
    "/api/reload",
    name="reload",
    tags=["server"],
    summary="Reload the configuration",
    **answers(200, Reload, "What has changed.", "configuration-refused", *WITH_BODY, "shutting-down"),
)
async def reload(
    call: Call,
    query: ReloadQuery,
    body: Empty = NOTHING,  # noqa: ARG001  it takes none
) -> Any:
    """Reads the configuration, checks all of it, and goes by it from one moment on; a fault anywhere changes
    nothing.

    What runs goes on under the definition that it was started under. Of a task that is removed, the runs that
    wait end as `stopped`. A task whose schedule has changed owes no tick of its past.
    """
    it = await load_anew(call.rota, by=front_end(call), dry_run=query.dry_run)
    return answer.described("Reload", Reload.as_json(it), call.origin)
