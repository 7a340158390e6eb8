"""The JSON Schema: it accepts what the loader accepts, and refuses what it can tell."""

from __future__ import annotations

import tomllib

import jsonschema_rs
import pytest

from rota.config.schema import json_schema

VALIDATOR = jsonschema_rs.Draft202012Validator(json_schema())


def test_it_is_a_schema_of_draft_2020_12() -> None:
    schema = json_schema()

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert jsonschema_rs.meta.is_valid(schema)


def test_toml_has_no_null_and_neither_has_the_schema() -> None:
    assert "null" not in str(json_schema())
    assert "None" not in str(json_schema())


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[tasks.a]\nrun = "x"\ntimeout = "1h30m"\ngrace = 0.5\nstop_signal = "INT"',
        '[tasks."a.b:c"]\nrun = ["x", ""]\ncron = "@daily"\nenv = { A = "" }',
    ],
)
def test_it_accepts(text: str) -> None:
    VALIDATOR.validate(tomllib.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        "servr = {}",
        "[server]\nport = 65536",
        "[tasks.a]",
        '[tasks.a]\nrun = " "',
        "[tasks.a]\nrun = []",
        '[tasks.a]\nrun = [""]',
        '[tasks.a]\nrun = "x"\ncorn = "x"',
        '[tasks.a]\nrun = "x"\ntimeout = "5"',
        '[tasks.a]\nrun = "x"\ntimeout = -1',
        '[tasks.a]\nrun = "x"\nstop_signal = "SIGSTOP"',
        '[tasks.a]\nrun = "x"\nexit_codes = []',
        '[tasks.a]\nrun = "x"\nenv = { ROTA_X = "1" }',
        '[tasks.a]\nrun = "x"\nenv = { A = 1 }',
        '[tasks."a b"]\nrun = "x"',
        '[defaults]\nrun = "x"',
    ],
)
def test_it_refuses(text: str) -> None:
    assert not VALIDATOR.is_valid(tomllib.loads(text))
