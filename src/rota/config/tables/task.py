"""`[tasks.NAME]` and `[groups.NAME]`: what runs to its end, and the limits that tasks share."""

from __future__ import annotations

from pydantic import Field

from rota.config.kinds.name import CalendarNames, TaskNames
from rota.config.kinds.process import Command
from rota.config.kinds.text import Label, Text
from rota.config.kinds.time import Bound, Crons
from rota.config.tables.defaults import DefaultsTable
from rota.config.tables.param import ParamTable
from rota.config.tables.table import Table, optional


class TaskTable(DefaultsTable):
    """A task: what to run, when, and under which rules."""

    run: Command = Field(
        description="What to run: text for the shell, "
        "or a list of a program and its arguments, without a shell.",
        examples=["pg_dump shop > shop.sql", ["/usr/bin/rsync", "-a", "/srv/", "backup:/srv/"]],
    )
    cron: Crons = optional(
        "When it is due: one expression or several. Five fields (minute, hour, day, month, weekday), six "
        "with leading seconds, `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, "
        "`@annually`, or `@every` with a duration, counted from the Unix epoch. Left out: only when asked.",
        "30 2 * * *",
        ["0 9 * * MON-FRI", "0 12 * * SAT"],
        "@every 90s",
        default=[],
    )
    except_: CalendarNames = optional(
        "Calendars on whose days it is not due: the name of one, or a list.",
        "holidays",
        ["weekends", "holidays"],
        default=[],
        alias="except",
    )
    only: CalendarNames = optional(
        "Calendars on whose days alone it is due: the name of one, or a list of which one has the day.",
        "workdays",
        default=[],
    )
    not_before: Bound | None = optional(
        "It is due from this day, or moment, on. What names no zone is in the task's.",
        "2026-07-01",
        "2026-07-01T08:00",
    )
    not_after: Bound | None = optional(
        "It is due until this moment, or to the end of this day.", "2026-12-31", "2026-12-31T18:00:00Z"
    )
    after: TaskNames = optional(
        "Tasks that it comes after, the name of one or a list: it runs when each of them has ended well "
        "since its last run of this kind.",
        "extract",
        ["extract", "clean"],
        default=[],
    )
    after_failure: TaskNames = optional(
        "Tasks after whose failure it runs: when one of them has failed, and is not tried again.",
        "backup",
        default=[],
    )
    run_on_start: bool = optional(
        "Whether it runs once at each start of the keeper: at Rota's, but not when only the server restarts.",
        True,
        default=False,
    )
    description: Text | None = optional(
        "What it is for, in a sentence for people.", "Dumps the shop's database"
    )
    group: Label | None = optional(
        "A label to show tasks together by, and to pause them by. Where there is a table [groups.NAME] of "
        "that name, they share its slots.",
        "backups",
    )
    priority: int = optional(
        "Who goes first to a slot that tasks share, be it their group's or the server's: the higher number, "
        "and of equal ones whoever has waited longer.",
        10,
        -5,
        default=0,
        ge=-1000,
        le=1000,
    )
    tags: list[Label] = optional("Labels to find tasks by.", ["nightly", "database"], default=[])
    params: list[ParamTable] = optional(
        "The values that a run of it may be given, in the order of its arguments.",
        [{"env": "LEVEL", "choices": ["low", "high"], "default": "low"}, {"arg": "who", "required": True}],
        default=[],
    )


class GroupTable(Table):
    """What holds for the tasks of a group together."""

    max_concurrent: int = Field(
        description="How many runs of the group's tasks may be running at once, of all of them together.",
        examples=[1, 4],
        ge=1,
        le=10_000,
    )
