"""`POST /api/runs/{run_id}/input`: send a run input, or press a key in its terminal."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import WITH_BODY, answers
from rota.api.form import Form, RunIdInPath
from rota.api.front_end import front_end
from rota.api.route import Routes
from rota.api.shapes.input import InputTaken
from rota.model.input import KEYS
from rota.operations.send_input import Given
from rota.operations.send_input import send_input as send

routes = Routes()

BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"


def _decoded(value: object) -> bytes:
    try:
        return base64.b64decode(value if isinstance(value, str) else "?", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("it is bytes in base64, as text") from None


Text = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1, "pattern": r"^[^\x00]*$"})]
Data = Annotated[
    bytes,
    PlainValidator(_decoded),
    WithJsonSchema({"type": "string", "contentEncoding": "base64", "minLength": 4, "pattern": BASE64}),
]
Key = Annotated[str, WithJsonSchema({"type": "string", "enum": list(KEYS)})]


class InputBody(Form):
    """What is sent: one of `text`, `data`, `key` and `close`."""

    text: Text | None = Field(
        default=None,
        description="Text, as it is: a line ends with the newline that it brings. NUL goes into `data`.",
        examples=["yes\n"],
    )
    data: Data | None = Field(default=None, description="Bytes, in base64.", examples=["eWVzCg=="])
    key: Key | None = Field(
        default=None,
        description="A key to press in the run's terminal. Without a terminal `ctrl-c` and `ctrl-\\` are "
        "their signals to every process of the run, `ctrl-d` ends standard input, and `enter`, `tab` and "
        "`space` are their characters.",
        examples=["ctrl-c"],
    )
    close: bool = Field(
        default=False,
        description="No more comes: standard input ends once what waits is read. In a terminal its "
        "end-of-input character is typed.",
    )
    secret: bool = Field(default=False, description="Nothing of it goes into the run's log.")
    schema_: str | None = Field(
        default=None,
        alias="$schema",
        description="Where this object's JSON Schema is; nothing is done with it.",
    )


#: What an absent body means.
NO_BODY = InputBody()


@routes.post(
    "/api/runs/{run_id}/input",
    name="send_input",
    tags=["runs"],
    summary="Send a run input",
    **answers(
        200,
        InputTaken,
        "All of it was taken, and goes to the program as it reads.",
        "run-not-found",
        "run-unclear",
        "jobs-off",
        "run-ended",
        "run-not-started",
        "input-closed",
        "input-full",
        "no-terminal",
        *WITH_BODY,
        "keeper-unavailable",
    ),
)
async def send_input(call: Call, run_id: RunIdInPath, body: InputBody = NO_BODY) -> Any:
    """Sends it whole or not at all: at most 1 MiB may wait for a program that does not read.

    It works for runs of tasks with `stdin = true` or `pty = true`, and of jobs that were started so. What was
    sent stands in the run's log as a line of the stream `system`, at most 4 KiB of it; not when `secret` is
    set, nor while the terminal does not show what is typed.
    """
    given = Given(text=body.text, data=body.data, key=body.key, close=body.close, secret=body.secret)
    taken = await send(call.rota, run_id, given, caller=call.caller, by=front_end(call))
    return answer.described("InputTaken", InputTaken.as_json(taken.run_id, taken.unread), call.origin)
