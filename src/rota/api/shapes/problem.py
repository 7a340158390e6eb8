"""Problems (RFC 9457), and their kinds."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rota.api.shapes.shape import Inner, RunIdText, Shape


class Fault(Inner):
    """One thing that is wrong with a request."""

    location: str = Field(examples=["query.limit", "body.params.level"])
    message: str
    value: Any = Field(None, description="What was given; null when it is too long to say again.")


class Problem(Shape):
    """Why the answer is not what was asked for (RFC 9457)."""

    type: str = Field(description="Which problem; the document at this address says more.")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What is wrong here, and what to do next.")
    instance: str = Field(description="This occurrence of it.")
    errors: list[Fault] = Field(description="Every fault of the request, where it has any.")
    run_id: RunIdText | None = Field(None, description="The run that says the same, where one was recorded.")
    unread: int | None = Field(None, description="With `input-full`: so many bytes the run has not read.")


class ProblemType(Shape):
    """A kind of problem, as `type` names it."""

    name: str
    title: str
    status: int
    meaning: str
