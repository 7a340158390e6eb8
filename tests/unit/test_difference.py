"""What differs between two configurations, by the keys that say so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rota.config.config import Config, Jobs, Mcp, Server, Storage
from rota.config.difference import Changed, Difference, Named, PartKind, difference, settled
from rota.model.secret import Secret
from rota.model.task import Task
from rota.model.tier import Tier
from rota.timing.calendar import Calendar


def task(name: str = "job", **said: Any) -> Task:
    return Task(name=name, run="true", **said)


def config(*tasks: Task, **tables: Any) -> Config:
    return Config(tasks={each.name: each for each in tasks}, **tables)


def test_equal_configurations_have_no_difference() -> None:
    both = [config(task(secrets={"KEY": Secret("hunter2")}), mcp=Mcp(tier=Tier.READ)) for _ in range(2)]

    assert not difference(*both)
    assert difference(*both) == Difference()


def test_tasks_and_calendars_come_and_go_by_name_in_the_order_of_their_file() -> None:
    before = config(task("a"), task("b"), calendars={"old": Calendar()})
    after = config(task("c"), task("b"), task("d"), calendars={"new": Calendar()})

    found = difference(before, after)

    assert [(each.kind, each.name) for each in found.added] == [
        (PartKind.TASK, "c"), (PartKind.TASK, "d"), (PartKind.CALENDAR, "new"),
    ]  # fmt: skip
    assert found.removed == (Named(kind=PartKind.TASK, name="a"), Named(kind=PartKind.CALENDAR, name="old"))
    assert found.changed == ()


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"cron": ("@daily",)}, "cron"),
        ({"except_": ("holidays",)}, "except"),
        ({"timeout": timedelta(1)}, "timeout"),
        ({"env": {"A": "1"}}, "env"),
        ({"file_env": {"A": Secret("1")}}, "env_file"),
        ({"secrets": {"A": Secret("hunter2")}}, "secrets"),
    ],
)
def test_a_change_is_told_by_the_keys_of_the_file(said: dict[str, Any], key: str) -> None:
    assert difference(config(task()), config(task(**said))).changed == (
        Changed(kind=PartKind.TASK, name="job", keys=(key,)),
    )


def test_a_secret_that_is_another_is_a_change_and_is_not_told() -> None:
    before, after = (config(task(secrets={"KEY": Secret(text)})) for text in ("hunter2", "swordfish"))

    found = difference(before, after)

    assert [each.keys for each in found.changed] == [("secrets",)]
    assert "swordfish" not in repr(found)


def test_tables_that_there_are_once_are_told_by_their_names() -> None:
    before = config(server=Server(timezone="UTC"))
    after = config(
        server=Server(timezone="Europe/Paris"), storage=Storage(max_size=9), jobs=Jobs(max_queued=1)
    )

    assert [(each.name, each.keys) for each in difference(before, after).changed] == [
        ("server", ("timezone",)), ("storage", ("max_size",)), ("jobs", ("max_queued",)),
    ]  # fmt: skip


def test_what_a_server_cannot_change_waits_for_its_next_start_and_is_told_until_then() -> None:
    before = config(server=Server(port=1))
    after = replace(before, server=Server(port=2, timezone="Asia/Tokyo"), storage=Storage(min_free_space=7))

    holds = settled(before, after)

    assert difference(before, after).needs_server_restart == ("server.port",)
    assert (holds.server.port, holds.server.timezone) == (1, "Asia/Tokyo")
    assert holds.storage.min_free_space == 7
    assert difference(holds, after).needs_server_restart == ("server.port",)
    assert difference(holds, after).changed == ()
