"""A cron expression: its text expanded into six fields, and a helpful sentence for each mistake in it."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from cronsim import CronSimError
from cronsim.cronsim import Field

from rota.timing.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

ALLOWED = (
    'five fields "minute hour day month weekday" (six with leading seconds), '
    "one of @hourly @daily @weekly @monthly @yearly, or @every with a duration"
)

NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_LONGEST = 1000

_RANGES = {
    Field.SECOND: "0 to 59",
    Field.MINUTE: "0 to 59",
    Field.HOUR: "0 to 23",
    Field.DAY: "1 to 31, L (the last day) or LW (the last weekday)",
    Field.MONTH: "1 to 12 or JAN to DEC",
    Field.DOW: "0 to 7 (0 and 7 are Sunday), SUN to SAT, MON#2 (the second Monday) or 5L (the last Friday)",
}
_NAMES = {
    Field.SECOND: "second",
    Field.MINUTE: "minute",
    Field.HOUR: "hour",
    Field.DAY: "day of month",
    Field.MONTH: "month",
    Field.DOW: "day of week",
}
_FOREIGN = {
    r".*\?.*": ("is from Quartz", "*"),
    r".*~.*": ("is random, which is not offered", "one value"),
    r"H([(/].*)?": ("is a hash of Jenkins, which is not offered", "one value"),
    r"[0-9]*W": (
        "is a nearest weekday, which is not offered",
        "a day, or LW for the last weekday of the month",
    ),
}


def six_fields(text: str) -> list[str]:
    """The fields second to weekday, in capitals, of an expression that has as many; else Unreadable."""
    if len(text) > _LONGEST:
        raise Unreadable(f"it is {len(text)} characters long", ALLOWED)
    lower = text.strip().lower()
    if lower.startswith("@"):
        if lower not in NICKNAMES:
            raise _unknown_nickname(lower)
        lower = NICKNAMES[lower]
    fields = lower.upper().split()
    if len(fields) not in (5, 6) or "=" in fields[0]:
        raise _wrong_count(text, fields)
    if len(fields) == 5:
        fields.insert(0, "0")
    # SUN is 0 in a cron's mind, which would make MON-SUN run backwards.
    fields[5] = re.sub(r"-SUN\b", "-7", fields[5])
    return fields


def why_refused(fields: Sequence[str]) -> Unreadable:
    """Why cronsim refused an expression: which field, what of it, what is allowed."""
    for field, text in zip(Field, fields, strict=True):
        for term in text.split(","):
            try:
                field.parse(term)
            except CronSimError:
                return _why_term(field, text, term)
    return never_comes("none of its months has such a day")


def never_comes(reason: str) -> Unreadable:
    """The refusal of an expression that means something which never is, such as 31 February."""
    return Unreadable(
        f"it never comes: {reason}", "days that its months have, or L for the last day of a month"
    )


def _why_term(field: Field, text: str, term: str) -> Unreadable:
    name = _NAMES[field]
    if term == "":
        return Unreadable(f'{name} "{text}" has a comma too many', "1,3 for a list")
    for pattern, (what, instead) in _FOREIGN.items():
        if re.fullmatch(pattern, term):
            return Unreadable(f'{name} "{term}" {what}', instead)
    body, _, step = term.partition("/")
    if step == "0":
        return Unreadable(f'{name} "{term}" has a step of 0', "a step of at least 1")
    if term.startswith("/"):
        return Unreadable(f'{name} "{term}" has a step without a start', f'"*{term}"')
    first, dash, last = body.partition("-")
    if dash and _is(field, first) and _is(field, last):
        return Unreadable(f'{name} "{body}" runs backwards', f"it as two, {_two_ranges(field, first, last)}")
    return Unreadable(
        f'{name} "{term}" does not fit', f"{_RANGES[field]}, * for each, ranges 1-5, lists 1,3, steps */10"
    )


def _is(field: Field, text: str) -> bool:
    try:
        field.int(text)
    except CronSimError:
        return False
    return True


def _two_ranges(field: Field, first: str, last: str) -> str:
    lowest, highest = {
        Field.HOUR: ("0", "23"),
        Field.DAY: ("1", "31"),
        Field.MONTH: ("1", "12"),
        Field.DOW: ("0", "6"),
    }.get(field, ("0", "59"))
    return f"{first}-{highest},{lowest}-{last}"


def _unknown_nickname(nickname: str) -> Unreadable:
    if nickname == "@reboot":
        return Unreadable("@reboot is not a time", ALLOWED)
    near = get_close_matches(nickname.split()[0], [*NICKNAMES, "@every"], n=1)
    return Unreadable(f'"{nickname}" is not a schedule', ALLOWED, near[0] if near else None)


def _wrong_count(text: str, fields: list[str]) -> Unreadable:
    if fields and fields[0].startswith(("TZ=", "CRON_TZ=")):
        return Unreadable(f'"{text}" names a time zone', "the zone as the key timezone")
    if len(fields) == 7:
        return Unreadable(f'"{text}" has seven fields; a year is not offered', ALLOWED)
    return Unreadable(f'"{text}" has {len(fields)} field{"s" * (len(fields) != 1)}', ALLOWED)
