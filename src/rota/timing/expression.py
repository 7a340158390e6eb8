"""A cron expression: its text expanded into six fields, and a helpful sentence for each mistake in it."""

from __future__ import annotations

import re
from difflib import get_close_matches

from cronsim import CronSimError
from cronsim.cronsim import Field

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
    r".*\?.*": "the ? of Quartz is written * here",
    r".*~.*": "a random ~ is not offered; choose one value",
    r"H([(/].*)?": "the hashed H of Jenkins is not offered; choose one value",
    r"[0-9]*W": "the nearest weekday W is not offered, only LW, the last weekday of the month",
}


def six_fields(text: str) -> list[str]:
    """The fields second to weekday, in capitals, of an expression without mistakes; else ValueError."""
    lower = text.strip().lower()
    if lower.startswith("@"):
        if lower not in NICKNAMES:
            raise ValueError(_unknown_nickname(lower))
        lower = NICKNAMES[lower]
    fields = lower.upper().split()
    if len(fields) not in (5, 6) or "=" in fields[0]:
        raise ValueError(_wrong_count(text, fields))
    if len(fields) == 5:
        fields.insert(0, "0")
    # SUN is 0 in a cron's mind, which would make MON-SUN run backwards.
    fields[5] = re.sub(r"-SUN\b", "-7", fields[5])
    return fields


def why_refused(fields: list[str]) -> str:
    """The sentence for an expression that cronsim refused: which field, what of it, what is allowed."""
    for field, text in zip(Field, fields, strict=True):
        for term in text.split(","):
            try:
                field.parse(term)
            except CronSimError:
                return f'{_NAMES[field]} "{term or text}": {_why_term(field, term)}'
    return "it never comes: none of its months has such a day"


def _why_term(field: Field, term: str) -> str:
    if term == "":
        return "there is a comma too many"
    for pattern, hint in _FOREIGN.items():
        if re.fullmatch(pattern, term):
            return hint
    body, _, step = term.partition("/")
    if step == "0":
        return "a step is at least 1"
    if term.startswith("/"):
        return f'a step needs a start; write "*{term}"'
    first, dash, last = body.partition("-")
    if dash and _is(field, first) and _is(field, last):
        return f"the range runs backwards; write it as two, such as {_two_ranges(field, first, last)}"
    return f"not allowed; write {_RANGES[field]}, * for each, or ranges 1-5, lists 1,3, steps */10"


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


def _unknown_nickname(nickname: str) -> str:
    if nickname == "@reboot":
        return "@reboot is not a time; a task starts by its schedule or when it is asked to"
    near = get_close_matches(nickname.split()[0], [*NICKNAMES, "@every"], n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f'"{nickname}" is not a schedule; there are {" ".join(NICKNAMES)} and @every{hint}'


def _wrong_count(text: str, fields: list[str]) -> str:
    if fields and fields[0].startswith(("TZ=", "CRON_TZ=")):
        return f'"{text}" names a time zone; write it as the key timezone'
    if len(fields) == 7:
        return f'"{text}" has seven fields; a year is not offered, write {ALLOWED}'
    return f'"{text}" has {len(fields)} field{"s" * (len(fields) != 1)}; write {ALLOWED}'
