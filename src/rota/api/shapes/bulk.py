"""What was done to many runs at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rota.api.shapes.problem import Fault
from rota.api.shapes.shape import Inner, RunIdText, Shape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rota.operations.bulk import Outcome


class BulkFault(Inner):
    """Why something was not done to a run."""

    run_id: RunIdText
    type: str = Field(description="Which problem; the document at this address says more.")
    detail: str
    errors: list[Fault] = Field(description="Every fault, where there are several: such as each secret.")


class BulkRerun(Inner):
    """A run that does again what another did."""

    run_id: RunIdText
    rerun_of_run_id: RunIdText


class BulkOutcome(Shape):
    """What was done to many runs, and what was not."""

    dry_run: bool = Field(description="Nothing was done: this is what would be.")
    matched: int = Field(ge=0, description="How many runs were meant, ids of none included.")
    done: int = Field(ge=0, description="To so many it was done.")
    refused: int = Field(ge=0, description="To so many it was not.")
    faults: list[BulkFault] = Field(description="Why, of the first 1,000 of those.")
    reruns: list[BulkRerun] = Field(description="The first 1,000 new runs.")
    broken_off: str | None = Field(
        description="Why it was ended before all runs were dealt with, if it was: the numbers are of those "
        "that were."
    )

    @staticmethod
    def as_json(it: Outcome, *, dry_run: bool, faults: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """How it is written; its faults are problems."""
        return {
            "dry_run": dry_run,
            "matched": it.matched,
            "done": it.done,
            "refused": it.refused,
            "faults": faults,
            "reruns": [{"run_id": new, "rerun_of_run_id": old} for old, new in it.reruns],
            "broken_off": it.broken_off,
        }
