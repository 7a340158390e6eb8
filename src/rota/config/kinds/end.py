"""Ends of runs: which are a success, which are a failure, which are tried again."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from rota.config.kinds.kind import TEXT
from rota.config.shown import shown
from rota.model.retry import RETRIED
from rota.model.run import EndReason
from rota.timing.unreadable import Unreadable


def _failure(value: EndReason) -> EndReason:
    if value is EndReason.SUCCESS:
        raise Unreadable("a success is no failure; exit_codes says which ends are one", "another end reason")
    return value


def _retried_on(value: Any) -> EndReason | int:
    reasons = [each.value for each in EndReason if each in RETRIED]
    allowed = f"{', '.join(reasons)}, or an exit code from 1 to 255"
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 255:
        return value
    if isinstance(value, str) and value in reasons:
        return EndReason(value)
    near = get_close_matches(value, reasons, n=1) if isinstance(value, str) else []
    raise Unreadable(f"{shown(value)} is not what a retry can mend", allowed, near[0] if near else None)


ExitCode = Annotated[int, Field(ge=0, le=255)]
Failure = Annotated[
    EndReason,
    Field(strict=False),
    AfterValidator(_failure),
    WithJsonSchema(TEXT | {"enum": [each for each in EndReason if each is not EndReason.SUCCESS]}),
]
RetriedOn = Annotated[
    EndReason | int,
    PlainValidator(_retried_on),
    WithJsonSchema({
        "anyOf": [
            TEXT | {"enum": [each for each in EndReason if each in RETRIED]},
            {"type": "integer", "minimum": 1, "maximum": 255},
        ]
    }),
]  # fmt: skip
