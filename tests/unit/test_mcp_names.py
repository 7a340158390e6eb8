"""A task is meant by its number or its name, and a removed one keeps both."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from rota.mcp.call import Call
from rota.mcp.names import configured_task, task_name
from rota.mcp.refusal import Refusal


class Store:
    async def task_ids(self) -> dict[str, int]:
        return {"backup": 1, "gone": 2, "7": 3, "report": 7}


def a_call() -> Call:
    engine = SimpleNamespace(
        tasks={"backup": None, "7": None, "report": None},
        services=SimpleNamespace(services={"web": None}),
    )
    return Call(rota=cast("Any", SimpleNamespace(store=Store(), engine=engine)), waits=cast("Any", None))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (1, "backup"),
        ("1", "backup"),
        ("backup", "backup"),
        (7, "report"),  # a number is a number
        ("7", "7"),  # and a text a name first
        ("3", "7"),
        ("gone", "gone"),
        (2, "gone"),
        ("web", "web"),  # a service has its name alone
    ],
)
async def test_a_number_is_the_number_and_a_text_the_name_first(said: int | str, meant: str) -> None:
    assert await task_name(a_call(), said) == meant


@pytest.mark.parametrize("said", [0, -1, 4, 10**30, "10" * 20, "", "bakup", "²", "-1"])
async def test_what_is_neither_is_refused_with_what_is_near(said: int | str) -> None:
    with pytest.raises(Refusal, match="There is no task") as refused:
        await task_name(a_call(), said)

    assert ("'backup'" in str(refused.value)) == (said == "bakup")


@pytest.mark.parametrize("said", [2, "gone"])
async def test_what_was_removed_is_known_and_cannot_be_started(said: int | str) -> None:
    with pytest.raises(Refusal, match="no longer configured"):
        await configured_task(a_call(), said)
