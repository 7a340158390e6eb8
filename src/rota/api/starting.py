"""What every request that starts a run has in common: whether to wait, its key, and its answers."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rota.api import answer
from rota.api.describe import WITH_BODY, answers
from rota.api.form import Flag, Form, Whole
from rota.api.problems import KINDS, Problem
from rota.api.shapes.run import Run
from rota.api.waiting import ended
from rota.model.run import EndReason, RunId
from rota.storage.requests import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rota.api.call import Call
    from rota.operations.once import Triggered

#: How a start that was turned away is said.
TURNED_AWAY = {EndReason.SKIPPED: KINDS["run-skipped"], EndReason.QUEUE_FULL: KINDS["queue-full"]}


class StartQuery(Form):
    """Whether to wait."""

    wait: Flag = Field(
        default=False,
        description="Answer when the run has ended, so that it says `exit_code` and `end_reason`; if it is "
        "retried, when its last attempt has.",
    )
    wait_timeout: Whole = Field(
        default=300,
        ge=1,
        le=3600,
        description="With `wait=true`: after so many seconds the run is answered as it stands, and goes on.",
    )


class StartHeaders(Form):
    """Which start this is."""

    key: str | None = Field(
        default=None,
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="Chosen by the client, anew for each start it means. For 24 hours a request with the "
        "same key starts nothing more, and is answered with the run of the first; `wait` may differ.",
    )


def starts(*problems: str) -> dict[str, Any]:
    """Settings of a route that starts a run, which can be refused with these problems, too."""
    return answers(
        201,
        Run,
        "The run: pending or further; with `wait=true` it has ended, unless the wait timed out or the server "
        "stops. If it failed and is retried, the newest attempt, and with `wait=true` the last.",
        *problems,
        "run-not-found",
        "key-reused",
        *WITH_BODY,
        "queue-full",
        "shutting-down",
        headers={"Location": "The run's own address; of one that was retried, its first attempt's."},
    )


def request_of(call: Call, key: str | None, meaning: Mapping[str, Any]) -> Request | None:
    """The request by its key. `meaning` is what the body means, not how it was written: order, white space
    and what is left out make no difference.
    """
    if key is None:
        return None
    return Request(
        key=key,
        method=call.method,
        path=call.scope["path"],
        body_hash=hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest(),
        run_id=RunId(""),
        status_code=201,
        at=datetime.now(UTC),
    )


async def answer_started(call: Call, triggered: Triggered, query: StartQuery) -> answer.Answer:
    """The run, once it has ended if that is asked for; or the problem that admission has with it."""
    run = triggered.run
    if triggered.turned_away is not None:
        problem = Problem(
            kind=TURNED_AWAY[triggered.turned_away],
            detail=run.message or TURNED_AWAY[triggered.turned_away].meaning,
            instance=f"/api/runs/{run.id}",
            run_id=run.id,
        )
        return answer.problem(problem, call.origin)
    if query.wait:
        run = await ended(call, run, query.wait_timeout)
    return answer.described(
        "Run",
        Run.as_json(run),
        call.origin,
        status=201,
        headers=[(b"location", f"/api/runs/{run.first_run_id}".encode())],
    )
