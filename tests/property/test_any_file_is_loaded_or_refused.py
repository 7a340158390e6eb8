"""Whatever stands in a file, it is loaded, or refused with faults whose places are in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from rota.config.load import ConfigInvalid, load
from rota.config.tables.server import ServerTable
from rota.config.tables.task import TaskTable
from rota.timing.schedule import parse_schedule
from rota.timing.unreadable import Unreadable

if TYPE_CHECKING:
    from pathlib import Path

KEYS = [
    *TaskTable.model_fields,
    *ServerTable.model_fields,
    "env",
    "tasks",
    "server",
    "defaults",
    "a.b",
    "é",
    "",
]

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
scalars = (
    st.booleans()
    | st.integers(-10, 70_000)
    | st.floats()
    | texts
    | st.dates()
    | st.sampled_from(["1h", "@daily"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | texts, inner, max_size=4)
    ),
    max_leaves=12,
)
documents = st.dictionaries(
    st.sampled_from(["server", "defaults", "tasks", "task"]),
    values | st.dictionaries(st.sampled_from(KEYS), values | st.dictionaries(st.sampled_from(KEYS), values)),
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config") / "rota.toml"


def check(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="")
    lines = text.split("\n")
    try:
        load(file, {})
    except ConfigInvalid as told:
        assert told.faults
        for fault in told.faults:
            assert fault.message
            if fault.line is not None and fault.column is not None:
                assert 1 <= fault.line <= len(lines)
                assert 1 <= fault.column <= len(lines[fault.line - 1]) + 1


@given(document=documents)
def test_any_toml_is_loaded_or_refused_with_places_inside_the_file(
    file: Path, document: dict[str, Any]
) -> None:
    check(file, tomlkit.dumps(document))


@given(text=texts | st.text("[]{}=\"'\n.#ab1,- ", max_size=40))
def test_any_text_is_loaded_or_refused_with_places_inside_the_file(file: Path, text: str) -> None:
    check(file, text)


@given(
    st.text("0123456789*/-,LW#?H~@ ", max_size=30)
    | st.lists(st.text("0123456789*/-,LW#MON", max_size=6), min_size=5, max_size=6).map(" ".join)
    | texts
)
def test_any_expression_is_a_schedule_or_refused(text: str) -> None:
    try:
        schedule = parse_schedule(text, "UTC")
    except Unreadable as refused:
        assert refused.wrong
        assert refused.allowed
    else:
        assert schedule.explain()
