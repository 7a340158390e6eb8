"""`POST /api/runs/bulk/{verb}`: what can be done to one run, done to many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, StrictBool, StringConstraints, model_validator

from rota.api import answer
from rota.api.call import Call
from rota.api.describe import WITH_BODY, answers
from rota.api.form import WHOLE_ID, Form, MomentInBody
from rota.api.front_end import front_end
from rota.api.problems import fault_of_run
from rota.api.route import Routes
from rota.api.routes.list_runs import RunsFilter
from rota.api.shapes.bulk import BulkOutcome
from rota.api.starting import StartHeaders, request_of
from rota.model.run import RunId
from rota.operations.bulk import Verb, Wanted
from rota.operations.bulk import bulk as do
from rota.storage.page import RunFilter

if TYPE_CHECKING:
    from rota.storage.requests import Request

#: More ids than a body has room for.
MOST_IDS = 25_000

routes = Routes()


class BulkFilter(RunsFilter):
    """The filters of `GET /api/runs`; a run is meant if all of them let it through."""

    is_failure: StrictBool | None = Field(
        default=None, description="Ended ones that their task counts as failures, or those that it does not."
    )
    created_after: MomentInBody | None = Field(
        default=None, description="Created at this time or later (RFC 3339)."
    )
    created_before: MomentInBody | None = Field(
        default=None, description="Created before this time (RFC 3339)."
    )


class BulkBody(Form):
    """Which runs: by their ids, by a filter, or all of them."""

    ids: list[Annotated[str, StringConstraints(pattern=WHOLE_ID, to_lower=True)]] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_IDS,
        description="Whole ids; one that comes twice counts once.",
    )
    filter: BulkFilter | None = Field(
        default=None,
        description="Of what it lets through those to which this can be done: a stop is of pending and "
        "running runs, a rerun and a deletion of ended ones, a restoration of deleted ones.",
    )
    all: StrictBool = Field(default=False, description="Every run: what a filter that is empty needs.")
    dry_run: StrictBool = Field(default=False, description="Do nothing, and say what would be done.")

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if self.ids is not None and (self.filter is not None or self.all):
            raise ValueError("give either ids, or a filter (or all), not both")
        empty = self.filter is None or self.filter.wanted() == RunFilter()
        if self.ids is None and empty and not self.all:
            raise ValueError("give ids or a filter; an empty filter means every run, and needs all: true")
        return self

    def wanted(self, call: Call, key: str | None = None) -> Wanted:
        """What is asked for."""

        def request(run_id: RunId) -> Request | None:
            # Each rerun has a key of its own: a request that is repeated goes on where the first was cut off.
            return None if key is None else request_of(call, f"{key}/{run_id}", {})

        return Wanted(
            ids=None if self.ids is None else [RunId(each) for each in dict.fromkeys(self.ids)],
            filter=None if self.filter is None else self.filter.wanted(),
            dry_run=self.dry_run,
            caller=call.caller,
            triggered_by=front_end(call),
            request=request,
        )


def _bulk(verb: Verb, meaning: str) -> dict[str, Any]:
    return {
        "path": f"/api/runs/bulk/{verb}",
        "name": f"bulk_{verb}",
        "tags": ["runs"],
        "summary": f"{verb.capitalize()} many runs",
        "description": f"{meaning}\n\nIt is answered when all are dealt with, a batch at a time. What was "
        "refused to single runs is told in `faults`.",
        **answers(200, BulkOutcome, "What was done, and what was not.", *WITH_BODY),
    }


@routes.post(
    **_bulk(
        Verb.STOP,
        "Stops running runs as `POST /api/runs/{run_id}/stop` does, and cancels pending ones first.",
    )
)
async def stop(call: Call, body: BulkBody) -> Any:
    return await _answer(call, Verb.STOP, body.wanted(call))


@routes.post(
    **_bulk(
        Verb.RERUN,
        "Runs ended runs again as `POST /api/runs/{run_id}/rerun` does. Those that need a secret again are "
        "refused. Once the overlap rule or the queue of a task has turned one away, its others are left.",
    )
)
async def rerun(call: Call, headers: StartHeaders, body: BulkBody) -> Any:
    return await _answer(call, Verb.RERUN, body.wanted(call, headers.key))


@routes.post(**_bulk(Verb.DELETE, "Deletes ended runs as `DELETE /api/runs/{run_id}` does."))
async def delete(call: Call, body: BulkBody) -> Any:
    return await _answer(call, Verb.DELETE, body.wanted(call))


@routes.post(**_bulk(Verb.RESTORE, "Restores deleted runs as `POST /api/runs/{run_id}/restore` does."))
async def restore(call: Call, body: BulkBody) -> Any:
    return await _answer(call, Verb.RESTORE, body.wanted(call))


async def _answer(call: Call, verb: Verb, wanted: Wanted) -> Any:
    outcome = await do(call.rota, verb, wanted)
    faults = [fault_of_run(run_id, error) for run_id, error in outcome.faults]
    return answer.described(
        "BulkOutcome", BulkOutcome.as_json(outcome, dry_run=wanted.dry_run, faults=faults), call.origin
    )
