"""Counts what agents are shown: the golden list of tools, its price, and what each tool says of itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from rota.cli.agent_guide import GUIDE
from rota.mcp.catalogue import TOOLS
from rota.mcp.facts import StatusWord
from rota.mcp.guide import INSTRUCTIONS
from rota.mcp.words import Word
from rota.model.tier import Tier

GOLDEN = Path(__file__).parent / "tools.json"
DOCS = Path(__file__).parents[2] / "docs" / "mcp.md"

#: How a tool's tier is said by the issue that it comes from.
TIERS = {
    Tier.ADMIN: {"execute_command", "interact_with_job", "save_task"},
    Tier.OPERATE: {"run_task", "run_task_async", "run_subscription", "kill_job", "control_service"},
}

LISTED: dict[str, dict[str, Any]] = {
    name: tool.listed.model_dump(mode="json", by_alias=True, exclude_none=True)
    for name, tool in TOOLS.items()
}


def test_the_list_of_tools_is_the_golden_one() -> None:
    """What a client is shown changes only on purpose; `python tests/census/write_tools.py` writes it anew."""
    assert list(LISTED.values()) == json.loads(GOLDEN.read_text())


def test_the_list_of_tools_is_worth_its_price() -> None:
    shown = [{key: tool[key] for key in ("name", "description", "inputSchema")} for tool in LISTED.values()]
    outputs = [tool["outputSchema"] for tool in LISTED.values()]

    assert tokens(shown) <= 6000
    assert tokens(outputs) <= 4000


def tokens(value: Any) -> float:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False)) / 4


@pytest.mark.parametrize("name", TOOLS)
def test_every_tool_says_what_it_is_for_and_every_argument_what_it_means(name: str) -> None:
    tool = LISTED[name]

    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", name)
    assert len(name) <= 64
    assert tool["title"]
    assert tool["description"].endswith(".")
    assert tool["inputSchema"]["additionalProperties"] is False
    for argument, schema in tool["inputSchema"]["properties"].items():
        assert schema.get("description"), f"{name}: {argument}"
    jsonschema_rs.meta.validate(tool["inputSchema"])
    jsonschema_rs.meta.validate(tool["outputSchema"])


@pytest.mark.parametrize("name", TOOLS)
def test_annotations_are_all_there_and_true(name: str) -> None:
    hints = LISTED[name]["annotations"]
    tier = TOOLS[name].tier

    assert set(hints) == {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}
    assert hints["readOnlyHint"] is (tier is Tier.READ)
    if hints["readOnlyHint"]:
        assert not hints["destructiveHint"]
        assert not hints["openWorldHint"]
    if name.startswith(("run_", "execute_", "interact_")):
        assert hints["openWorldHint"]
        assert not hints["idempotentHint"]


def test_tiers_are_as_they_were_meant() -> None:
    named = {tier: {name for name, tool in TOOLS.items() if tool.tier is tier} for tier in Tier}

    assert {tier: named[tier] for tier in TIERS} == TIERS


@pytest.mark.parametrize("text", [GUIDE, INSTRUCTIONS, *(tool["description"] for tool in LISTED.values())])
def test_no_text_speaks_of_a_tool_that_there_is_not(text: str) -> None:
    spoken = set(
        re.findall(
            r"\b(?:list|get|run|wait|search|execute|interact|kill|tail|diagnose|preview|save)_[a-z_]+", text
        )
    )

    assert spoken - {"run_id", "run_ids", "wait_seconds"} <= set(TOOLS)


def test_every_tool_is_documented() -> None:
    text = DOCS.read_text()

    assert [name for name in TOOLS if f"`{name}`" not in text] == []


def test_the_words_of_a_status_are_in_the_schema() -> None:
    assert set(StatusWord.__args__) == set(Word)


def test_the_instructions_are_short() -> None:
    assert len(INSTRUCTIONS.encode()) <= 2048
