"""`POST /api/runs/{run_id}/resize`: set the size of a run's terminal."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import WITH_BODY, answers
from rota.api.form import AS_WHOLE_IN_BODY, Form, RunIdInPath
from rota.api.route import Routes
from rota.api.shapes.input import TerminalSize
from rota.operations.resize import resize as set_size

routes = Routes()

Extent = Annotated[int, Field(ge=1, le=65535), AS_WHOLE_IN_BODY]


class ResizeBody(Form):
    """How large the terminal is to be."""

    rows: Extent = Field(description="Lines.", examples=[24])
    cols: Extent = Field(description="Characters of a line.", examples=[80])


@routes.post(
    "/api/runs/{run_id}/resize",
    name="resize_terminal",
    tags=["runs"],
    summary="Resize a run's terminal",
    **answers(
        200,
        TerminalSize,
        "The terminal has this size now.",
        "run-not-found",
        "run-unclear",
        "run-ended",
        "run-not-started",
        "no-terminal",
        "input-closed",
        *WITH_BODY,
        "keeper-unavailable",
    ),
)
async def resize(call: Call, run_id: RunIdInPath, body: ResizeBody) -> Any:
    """Its programs hear of it by SIGWINCH. It works for runs that have one (`pty`)."""
    found = await set_size(call.rota, run_id, rows=body.rows, cols=body.cols)
    return answer.described("TerminalSize", TerminalSize.as_json(found, body.rows, body.cols), call.origin)
