"""A refusal: what a tool cannot do, said so that the agent can mend it."""

from __future__ import annotations

from rota.model.error import Invalid, RotaError, RunEnded

#: What REST calls otherwise than the tools do.
_OUR_NAMES = {"since": "cursor", "q": "text"}


class Refusal(RotaError):
    """The sentence that the agent reads: what is wrong, and what to do next."""


def sentence_of(error: RotaError) -> str:
    """What an agent reads of any of Rota's errors."""
    if isinstance(error, Invalid):
        return "; ".join(f"{_place(fault.location)}: {fault.message}" for fault in error.faults)
    if isinstance(error, RunEnded):
        return f'{error}. get_job_output(job_id="{error.run_id}") reads what it wrote.'
    return str(error)


def _place(location: str) -> str:
    """`env.HOME` of `body.env.HOME`: an agent knows no parts of a request."""
    part, _, place = location.partition(".")
    return _OUR_NAMES.get(place, place or part)
