"""The whole file: the tables that it has."""

from __future__ import annotations

from pydantic import Field

from rota.config.kinds.name import CalendarName, TaskName
from rota.config.kinds.text import Files, GroupName
from rota.config.tables.calendar import CalendarTable
from rota.config.tables.defaults import DefaultsTable
from rota.config.tables.jobs import JobsTable
from rota.config.tables.server import McpTable, ServerTable, StorageTable
from rota.config.tables.service import ServiceTable
from rota.config.tables.table import Table, optional
from rota.config.tables.task import GroupTable, TaskTable


class FileTable(Table):
    """Rota's configuration: a server and its disk, what holds for jobs and agents, tasks and services."""

    include: Files = optional(
        "Other files that belong to the configuration, each a path or a pattern: absolute, below `~`, or "
        "relative to the folder of this file; in the order of their names. They hold tasks, services, "
        "groups and calendars.",
        ["conf.d/*.toml", "/etc/rota/shop.toml"],
        default=[],
    )
    server: ServerTable = Field(
        ServerTable(), description="Where Rota listens, and by which clock its tasks are due."
    )
    storage: StorageTable = Field(StorageTable(), description="How much of the disk Rota may use.")
    jobs: JobsTable = Field(
        JobsTable(), description="Ad-hoc commands: who may start them, which, and what holds for all of them."
    )
    mcp: McpTable = Field(McpTable(), description="What agents may do, through MCP.")
    defaults: DefaultsTable = Field(
        DefaultsTable(), description="What holds for every task and service that does not say otherwise."
    )
    calendars: dict[CalendarName, CalendarTable] = Field(
        {}, description="Sets of days, each by its name, for the `except` and `only` of tasks."
    )
    groups: dict[GroupName, GroupTable] = Field(
        {}, description="Limits that tasks share, each by the name that they have as their `group`."
    )
    tasks: dict[TaskName, TaskTable] = Field(
        {},
        description="The tasks, each by its name: up to 100 letters, digits, and `.` `_` `:` `-` (in quotes, "
        "if it has a dot or colon).",
    )
    services: dict[TaskName, ServiceTable] = Field(
        {}, description="The services, each by its name, as tasks have them; no two have the same."
    )
