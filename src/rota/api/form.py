"""Forms: what a request may carry in path, query, headers and body, and the faults in what it does."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from rota.model.error import Fault
from rota.model.task import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import ErrorDetails

    from rota.api.call import Call

TaskName = Annotated[str, Field(pattern=NAME.pattern, description="The task's name.", examples=["backup"])]
GroupName = Annotated[
    str, Field(min_length=1, max_length=100, description="The `group` of tasks.", examples=["backups"])
]
ServiceName = Annotated[str, Field(pattern=NAME.pattern, description="The service's name.", examples=["web"])]
#: A run's id, or how it ends.
WHICH_RUN = r"^[0-9a-fA-F-]{4,36}$"
#: A run's id as a whole.
WHOLE_ID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
RunIdInPath = Annotated[
    str,
    Field(
        pattern=WHICH_RUN,
        description="The run's id, or an ending of it of at least 4 characters that no other of the newest "
        "10,000 runs has.",
    ),
]

#: Fields whose values are said nowhere: secrets may be among them.
SECRETS = frozenset({"env", "params", "text", "data"})

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


class Form(BaseModel):
    """A part of a request: a field that it does not name is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @classmethod
    def further_faults(cls, call: Call, body: object) -> list[Fault]:  # noqa: ARG003
        """What only its operation could tell of a body; asked for where there are other faults already."""
        return []

    @classmethod
    def sound(cls, body: object, **instead: object) -> Self:
        """The form of those fields of a body that have no faults; `instead` has what must not be missing."""
        given = body if isinstance(body, dict) else {}
        try:
            return cls.model_validate({**instead, **given})
        except ValidationError as error:
            faulty = {each["loc"][0] for each in error.errors(include_url=False, include_input=False)}
            rest = {name: value for name, value in given.items() if name not in faulty}
            return cls.model_validate({**instead, **rest})


class SentForm(Form):
    """A body that may name its own schema."""

    schema_: str | None = Field(
        default=None,
        alias="$schema",
        description="Where this object's JSON Schema is; nothing is done with it.",
    )


class Empty(Form):
    """Nothing at all."""


#: What an absent body means where none is taken.
NOTHING = Empty()


def _flag(text: object) -> object:
    if text in ("true", "false"):
        return text == "true"
    raise ValueError("it is either true or false")


def _whole(text: object) -> object:
    if isinstance(text, str) and _WHOLE.fullmatch(text):
        return int(text)
    raise ValueError("it is a whole number")


def _whole_in_body(given: object) -> object:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if isinstance(given, float) and given.is_integer():  # 3.0 is an integer too, says JSON Schema
        return int(given)
    raise ValueError("it is a whole number")


def _moment(text: object) -> object:
    if isinstance(text, str) and _MOMENT.fullmatch(text):
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):  # there is no such day, or it is none in UTC
            pass
    raise ValueError(f"{A_MOMENT} (in an address, + is written %2B)")


def _moment_in_body(text: object) -> object:
    try:
        return _moment(text)
    except ValueError:
        raise ValueError(A_MOMENT) from None


A_MOMENT = "it is a time such as 2026-11-22T20:36:03Z, its zone included"

#: `true` or `false`, in a query.
Flag = Annotated[bool, BeforeValidator(_flag)]
#: A whole number, in a query.
Whole = Annotated[int, BeforeValidator(_whole)]
#: What makes a number of a query out of an `int` with bounds that may be left out: it stands behind them.
AS_WHOLE = BeforeValidator(_whole)
#: What keeps text and booleans from being an `int` of a body: it stands behind its bounds.
AS_WHOLE_IN_BODY = BeforeValidator(_whole_in_body)
#: A time of RFC 3339 with its zone, in a query.
Moment = Annotated[datetime, BeforeValidator(_moment)]
#: The same, in a body.
MomentInBody = Annotated[datetime, BeforeValidator(_moment_in_body)]


def faults_of(error: ValidationError, part: str, names: Iterable[str]) -> list[Fault]:
    """What is wrong with one part of a request; `names` are those that it may carry."""
    secret = not SECRETS.isdisjoint(names)
    return [
        Fault(
            location=_location(part, each),
            message=_message(part, each, names),
            value=_value(each, secret=secret),
        )
        for each in error.errors(include_url=False, include_context=False)
    ]


def _value(error: ErrorDetails, *, secret: bool) -> object:
    """What was given; not the whole in which something is missing, and never a secret.

    Where there are secrets, one may stand under a name that is misspelt, or in what is no object at all.
    """
    if error["type"] == "missing" or not SECRETS.isdisjoint(map(str, error["loc"])):
        return None
    misplaced = secret and (error["type"] == "extra_forbidden" or not error["loc"])
    return None if misplaced and not isinstance(error["input"], bool) else error["input"]


def _location(part: str, error: ErrorDetails) -> str:
    return ".".join([part, *(str(step) for step in error["loc"])])


def _message(part: str, error: ErrorDetails, names: Iterable[str]) -> str:
    if error["type"] == "extra_forbidden":
        return unknown(part, str(error["loc"][-1]), names if len(error["loc"]) == 1 else ())
    return error["msg"].removeprefix("Value error, ")


def unknown(part: str, name: str, names: Iterable[str]) -> str:
    """That there is no such thing, and what may have been meant."""
    what = {"query": "query parameter", "body": "field"}.get(part, part)
    allowed = sorted(names)
    if part == "body" and name in ("wait", "wait_timeout"):
        return f"there is no such field; {name} goes into the query: ?{name}=…"
    if nearest := difflib.get_close_matches(name.lower(), allowed, n=1):
        return f"there is no such {what}; did you mean {nearest[0]}?"
    if allowed:
        return f"there is no such {what}; there is {', '.join(allowed)}"
    return f"there is no such {what}"


def names_of(form: type[BaseModel]) -> list[str]:
    """What a form's fields are called in a request."""
    return [field.alias or name for name, field in form.model_fields.items()]


def repeated_takes(form: type[BaseModel]) -> frozenset[str]:
    """The query parameters that may be given more than once."""
    return frozenset(
        field.alias or name
        for name, field in form.model_fields.items()
        if getattr(field.annotation, "__origin__", None) in (list, frozenset, set)
    )
