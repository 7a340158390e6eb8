"""`POST /api/jobs`: start a command that stands in no file, and wait for its end if asked to."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, StrictBool, StrictStr, WithJsonSchema

from rota.api.call import Call
from rota.api.form import Form, MomentInBody
from rota.api.front_end import front_end
from rota.api.route import Routes
from rota.api.starting import StartHeaders, StartQuery, answer_started, request_of, starts
from rota.model.job import LABEL, LONGEST_LABEL, MOST_TAGS
from rota.model.task import Stdin
from rota.operations.once import kept
from rota.operations.start_job import LONGEST_TIMEOUT, SHORTEST_TIMEOUT, JobWanted, faults_of
from rota.operations.start_job import start_job as start

if TYPE_CHECKING:
    from rota.model.error import Fault

routes = Routes()


def _command(given: object) -> object:
    if isinstance(given, list) and all(isinstance(each, str) for each in given):
        return given
    if isinstance(given, str):
        return given
    raise ValueError("it is text for the shell, or a list of a program and its arguments, each a text")


_TEXT = {"type": "string", "pattern": r"^[^\x00]*$"}
_ARGUMENTS = {"type": "array", "minItems": 1, "prefixItems": [_TEXT | {"minLength": 1}], "items": _TEXT}

Command = Annotated[
    str | list[str],
    BeforeValidator(_command),
    WithJsonSchema({"anyOf": [_TEXT | {"pattern": r"^[^\x00]*[^\x00\s][^\x00]*$"}, _ARGUMENTS]}),
]
Label = Annotated[
    StrictStr, WithJsonSchema({"type": "string", "pattern": LABEL.pattern, "maxLength": LONGEST_LABEL})
]
Folder = Annotated[StrictStr, WithJsonSchema({"type": "string", "pattern": r"^(/[^\x00]*|~|~/[^\x00]*)$"})]
Environment = Annotated[
    dict[StrictStr, StrictStr],
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"pattern": r"^(?!ROTA_)[^=\x00]+$"},
            "additionalProperties": _TEXT,
            "writeOnly": True,
        }
    ),
]


class JobBody(Form):
    """What is to be run, and how."""

    schema_: str | None = Field(
        default=None,
        alias="$schema",
        description="Where this object's JSON Schema is; nothing is done with it.",
    )
    command: Command = Field(
        description="Text for the shell, which goes on after a command that fails; or a list of a program "
        "and its arguments, started without a shell.",
        examples=["make test 2>&1 | tail", ["/usr/bin/rsync", "-a", "/srv/", "backup:/srv/"]],
    )
    name: Label | None = Field(
        default=None,
        description=f"What to call it; jobs may share a name. Up to {LONGEST_LABEL} characters.",
        examples=["build"],
    )
    cwd: Folder | None = Field(
        default=None,
        description="The folder to run in, absolute or below `~`; the home of the user whose job it is, "
        "unless told otherwise.",
    )
    env: Environment = Field(
        default_factory=dict,
        description="Environment variables, added to those of a login. They are shown nowhere, kept "
        "encrypted, and deleted when the job ends.",
    )
    timeout: float | None = Field(
        default=None,
        ge=SHORTEST_TIMEOUT.total_seconds(),
        le=LONGEST_TIMEOUT.total_seconds(),
        strict=True,
        allow_inf_nan=False,
        description="Seconds after which it is stopped; as `[jobs] timeout` says, unless told otherwise.",
    )
    stdin: Stdin = Field(
        default=Stdin.NONE,
        description="`pipe` keeps its standard input open, for input that is sent to it.",
    )
    pty: StrictBool = Field(
        default=False,
        description="Run it in a terminal of its own, which takes input, too.",
    )
    tags: list[Label] = Field(
        default=[], max_length=MOST_TAGS, description="Labels to find it by.", examples=[["ci", "nightly"]]
    )
    at: MomentInBody | None = Field(
        default=None,
        description="When to start it (RFC 3339, with its zone): until then it is pending, and can be "
        "cancelled.",
        examples=["2026-11-22T20:36:03Z"],
    )

    @classmethod
    def further_faults(cls, call: Call, body: object) -> list[Fault]:
        """What `[jobs]`, the clock and the system have against the job."""
        asked = cls.sound(body, command="true")
        return list(faults_of(asked.wanted(), call.rota.config.jobs, now=call.rota.engine.now()))

    def wanted(self) -> JobWanted:
        """The job."""
        return JobWanted(
            command=self.command if isinstance(self.command, str) else tuple(self.command),
            name=self.name,
            cwd=self.cwd,
            env=self.env,
            timeout=None if self.timeout is None else timedelta(seconds=self.timeout),
            stdin=self.stdin,
            pty=self.pty,
            tags=tuple(self.tags),
            at=self.at,
        )


@routes.post(
    "/api/jobs",
    name="start_job",
    tags=["jobs"],
    summary="Start a job",
    **starts("jobs-off", "job-refused"),
)
async def start_job(
    call: Call,
    body: JobBody,
    query: StartQuery,
    headers: StartHeaders,
) -> Any:
    """Runs a command that stands in no file, and answers with its run, pending or already further.

    Everything that runs have is there for it: log, stop, input, events. While `[jobs] max_concurrent` jobs
    run, it waits, and `waiting_for` names them. With `wait=true` the answer comes when it has ended; how it
    went does not change the status. A client that goes away leaves it going.
    """
    meaning = body.model_dump(mode="json", exclude={"schema_", "env"}, exclude_defaults=True)
    if headers.key is not None and body.env:
        meaning["env"] = await kept(call.rota, body.env)
    triggered = await start(
        call.rota,
        body.wanted(),
        caller=call.caller,
        triggered_by=front_end(call),
        request=request_of(call, headers.key, meaning),
    )
    return await answer_started(call, triggered, query)
