"""Times: schedules and their zones, days, durations."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainValidator, WithJsonSchema

from rota.config.kinds.kind import ONE_OR_MANY, TEXT
from rota.config.shown import shown
from rota.timing.calendar import DAY, Day, parse_day, parse_range, parse_weekday
from rota.timing.duration import ALLOWED, PATTERN, parse_duration
from rota.timing.expression import ALLOWED as CRON
from rota.timing.holiday import PATTERN as COUNTRY
from rota.timing.holiday import find_holidays
from rota.timing.schedule import parse_schedule
from rota.timing.unreadable import Unreadable
from rota.timing.zone import find_zone

_MOMENT = 'a day such as "2026-12-24", or a moment such as "2026-12-24T08:00" or "2026-12-24T08:00:00Z"'


def _zone(value: str) -> str:
    return find_zone(value).key


def _duration(value: Any) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Unreadable(f"{shown(value)} is not a duration", ALLOWED)
    return parse_duration(value)


def _cron(value: str) -> str:
    return parse_schedule(value, "UTC").text


def _crons(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise Unreadable(f"{shown(value)} is not a schedule", f"{CRON}, or a list of such")
    return value


def _bound(value: Any) -> date:
    if isinstance(value, date):
        return value
    try:
        text = value.strip().upper()
        return datetime.fromisoformat(text) if "T" in text or " " in text else date.fromisoformat(text)
    except (AttributeError, ValueError):
        raise Unreadable(f"{shown(value)} is not a time", _MOMENT) from None


def _countries(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Zone = Annotated[str, AfterValidator(_zone)]
Cron = Annotated[str, AfterValidator(_cron)]
Crons = Annotated[
    list[Cron],
    BeforeValidator(_crons),
    WithJsonSchema(ONE_OR_MANY),
]
Duration = Annotated[
    timedelta,
    PlainValidator(_duration),
    WithJsonSchema({"anyOf": [TEXT | {"pattern": PATTERN}, {"type": "number", "minimum": 0}]}),
]
Bound = Annotated[date, PlainValidator(_bound), WithJsonSchema(TEXT)]
OneDay = Annotated[Day, PlainValidator(parse_day), WithJsonSchema(TEXT | {"pattern": f"^{DAY}$"})]
Range = Annotated[
    str, AfterValidator(parse_range), WithJsonSchema(TEXT | {"pattern": rf"^{DAY}\s*/\s*{DAY}$"})
]
Weekday = Annotated[str, AfterValidator(parse_weekday), WithJsonSchema(TEXT)]
Country = Annotated[str, AfterValidator(find_holidays), WithJsonSchema(TEXT | {"pattern": COUNTRY})]
Countries = Annotated[
    list[Country],
    BeforeValidator(_countries),
    WithJsonSchema({"anyOf": [TEXT | {"pattern": COUNTRY}, {"type": "array", "items": TEXT}]}),
]
