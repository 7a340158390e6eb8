"""`[calendars.NAME]`: a set of days."""

from __future__ import annotations

from rota.config.kinds.time import Countries, OneDay, Range, Weekday
from rota.config.tables.table import Table, optional


class CalendarTable(Table):
    """A calendar: a set of days, for tasks to keep to or to leave out."""

    dates: list[OneDay] = optional(
        "Single days; without a year, the same day of each year.", ["2026-12-24", "05-01"], default=[]
    )
    ranges: list[Range] = optional(
        "Days from the first to the last, both included; without years, each year.",
        ["2026-07-20/2026-07-31", "12-24/01-02"],
        default=[],
    )
    weekdays: list[Weekday] = optional("Days of the week.", ["SAT", "SUN"], default=[])
    holidays: Countries = optional(
        "The public holidays of a country, or of a part of it, by ISO 3166 code; or of several.",
        "DE-BY",
        ["US", "CA-ON"],
        default=[],
    )
