"""Names: of tasks, services, calendars, variables and arguments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, PlainValidator, WithJsonSchema

from rota.config.kinds.kind import ONE_OR_MANY, TEXT
from rota.config.kinds.text import Text
from rota.config.shown import shown
from rota.model.task import NAME
from rota.timing.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

ENV_NAME = re.compile(r"^(?!ROTA_)[A-Za-z_][A-Za-z0-9_]*$")


def _name_of(what: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if not NAME.fullmatch(value):
            raise Unreadable(
                f'"{value}" cannot be the name of a {what}',
                "1 to 100 of the letters a to z, A to Z, digits, . _ : -",
            )
        return value

    return read


def _names_of(what: str) -> Callable[[Any], list[str]]:
    def read(value: Any) -> list[str]:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise Unreadable(f"{shown(value)} is not a {what}", f"the name of a {what}, or a list of such")
        return names

    return read


def _env_name(value: str) -> str:
    if value.startswith("ROTA_"):
        raise Unreadable("names that begin with ROTA_ are Rota's own", "another name")
    if not ENV_NAME.fullmatch(value):
        raise Unreadable(
            f'"{value}" cannot be the name of an environment variable',
            "letters, digits and _, not beginning with a digit",
        )
    return value


def _argument_name(value: str) -> str:
    if not re.fullmatch(r"[^\s=.-][^\s=]{0,99}", value):
        raise Unreadable(
            f'"{value}" cannot be the name of an argument',
            "up to 100 characters without space and =, not beginning with -; an option is declared by option",
        )
    return value


def _option_name(value: str) -> str:
    if not re.fullmatch(r"-{1,2}[^\s=-][^\s=]{0,99}", value):
        raise Unreadable(
            f'"{value}" cannot be an option',
            'such as "--level" or "-l": it begins with -, without space and =',
        )
    return value


TaskName = Annotated[str, AfterValidator(_name_of("task")), WithJsonSchema(TEXT | {"pattern": NAME.pattern})]
CalendarName = Annotated[
    str, AfterValidator(_name_of("calendar")), WithJsonSchema(TEXT | {"pattern": NAME.pattern})
]
TaskNames = Annotated[list[str], PlainValidator(_names_of("task")), WithJsonSchema(ONE_OR_MANY)]
ServiceNames = Annotated[list[str], PlainValidator(_names_of("service")), WithJsonSchema(ONE_OR_MANY)]
CalendarNames = Annotated[list[str], PlainValidator(_names_of("calendar")), WithJsonSchema(ONE_OR_MANY)]
EnvName = Annotated[str, AfterValidator(_env_name), WithJsonSchema(TEXT | {"pattern": ENV_NAME.pattern})]
ArgName = Annotated[Text, AfterValidator(_argument_name)]
OptionName = Annotated[Text, AfterValidator(_option_name)]
