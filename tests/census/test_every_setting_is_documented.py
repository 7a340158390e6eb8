"""Every key of the file stands in the schema and in the docs, with one default; what the docs show loads."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from rota.config.config import MIN_FREE_SPACE, Jobs
from rota.config.load import load
from rota.config.schema import json_schema
from rota.model.run import FAILURES
from rota.model.service import KEEP_RUNS, HealthCheck, Service
from rota.model.size import parse_size
from rota.model.task import LOG_MAX_SIZE, Task

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
SCHEMA = json_schema()
SNIPPETS = re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)
TABLES = {
    "`[server]`": "ServerTable",
    "`[storage]`": "StorageTable",
    "`[jobs]`": "JobsTable",
    "`[calendars.NAME]`": "CalendarTable",
    "`[groups.NAME]`": "GroupTable",
    "`[tasks.NAME]`": "TaskTable",
}


def sections(title: str) -> dict[str, str]:
    """The keys that a chapter of the docs explains, each with its text."""
    chapter = re.split(r"^## ", DOCS.split(f"## {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    parts = re.split(r"^### `(\w+)`\n", chapter, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def keys(table: str) -> dict[str, dict[str, Any]]:
    return SCHEMA["$defs"][table]["properties"]


@pytest.mark.parametrize("title", TABLES)
def test_the_docs_explain_the_keys_that_there_are_and_no_other(title: str) -> None:
    assert set(sections(title)) == set(keys(TABLES[title]))


@pytest.mark.parametrize("title", TABLES)
def test_the_docs_tell_the_default_of_each_key_and_show_it_in_use(title: str) -> None:
    for key, text in sections(title).items():
        told = re.search(r"Default: `(.*?)`", " ".join(text.split()))
        assert (told and json.loads(told[1])) == keys(TABLES[title])[key].get("default"), key
        assert re.search(rf"^{key} = ", text, re.MULTILINE), key


def test_the_docs_name_the_keys_that_may_be_defaulted() -> None:
    named = re.search(r"These keys may stand here:(.*?)\. ", " ".join(DOCS.split()))

    assert named
    assert set(re.findall(r"`(\w+)`", named[1])) == set(keys("DefaultsTable"))


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_what_the_docs_show_is_a_file_without_fault(snippet: str, tmp_path: Path) -> None:
    if not snippet.startswith(("[", "#")):
        calendars = "[calendars]\nholidays = {}\nweekends = {}\nworkdays = {}\n"
        run = "" if "run = " in snippet else 'run = "true"\n'
        others = "".join(f'[tasks.{name}]\nrun = "true"\n' for name in ("extract", "clean", "backup"))
        snippet = f"{calendars}[tasks.example]\n{snippet}{run}{others}"
    file = tmp_path / "rota.toml"
    file.write_text(_with_its_files(snippet, tmp_path))

    load(file, {"PGPASSWORD": "hunter2", "USER": "me"})

    jsonschema_rs.Draft202012Validator(SCHEMA).validate(tomllib.loads(snippet))


def _with_its_files(snippet: str, folder: Path) -> str:
    """The snippet with the files that it names."""
    (folder / "named").write_text("NAME=a value\n")
    return re.sub(r"/(run/secrets|etc/shop)/[\w.-]+", "named", snippet)


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.toml")), ids=lambda path: path.name)
def test_the_examples_are_files_without_fault_or_doubt(example: Path) -> None:
    assert load(example, {}).warnings == ()

    jsonschema_rs.Draft202012Validator(SCHEMA).validate(tomllib.loads(example.read_text()))


OWN = set(keys("ServiceTable")) - set(keys("DefaultsTable")) | {"keep_runs"}


def test_the_docs_explain_the_keys_of_services_and_name_those_that_are_as_for_tasks() -> None:
    named = re.search(r"These keys are those of tasks, .*?: (.*?)\. ", " ".join(DOCS.split()))

    assert named
    assert set(sections("`[services.NAME]`")) == OWN
    assert set(re.findall(r"`(\w+)`", named[1])) == set(keys("ServiceTable")) - OWN


@pytest.mark.parametrize("key", sorted(OWN))
def test_the_docs_tell_the_default_of_each_key_of_services_and_show_it_in_use(key: str) -> None:
    text = sections("`[services.NAME]`")[key]
    told = re.search(r"Default:\s`(.*?)`", " ".join(text.split()))

    assert (told and json.loads(told[1])) == keys("ServiceTable")[key].get("default")
    assert re.search(rf"^{key} = ", text, re.MULTILINE)


def test_every_field_of_a_service_is_a_key_and_has_the_same_default() -> None:
    silent = {**asdict(Service(life=Task(name="silent", run="true"))), "keep_runs": KEEP_RUNS}
    own = OWN - {"run", "description", "group", "tags"}
    written = {"restart_delay": "1s", "healthy_after": "1s", "depends_on": []}

    assert {field.name for field in fields(Service)} - {"life"} | {"keep_runs"} == own
    for key in own:
        assert keys("ServiceTable")[key].get("default") == written.get(key, silent[key]), key


def test_the_docs_have_a_row_for_each_key_of_a_health_check_with_its_default() -> None:
    chapter = DOCS.split("## Health checks\n", 1)[1].split("\n## ", 1)[0]
    told = dict(re.findall(r"^\| `(\w+)` \| .* \|(.*)\|$", chapter, re.MULTILINE))
    declared = keys("HealthTable")

    assert declared.keys() == told.keys() == {field.name for field in fields(HealthCheck)}
    for key, schema in declared.items():
        default = schema.get("default")
        assert told[key].strip() == ("" if default is None else f"`{json.dumps(default)}`"), key


def test_every_field_of_the_rules_for_jobs_is_a_key_and_has_the_same_default() -> None:
    table = keys("JobsTable")
    written = {"deny": [], "log_max_size": "100mb"}

    assert {field.name for field in fields(Jobs)} == set(table)
    for key, schema in table.items():
        assert schema.get("default") == written.get(key, getattr(Jobs(), key)), key


@pytest.mark.parametrize("table", ["ParamTable", "RetryTable"])
def test_the_docs_have_a_row_for_each_key_of_a_table_within_with_its_default(table: str) -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| .* \|(.*)\|$", DOCS, re.MULTILINE)
    told = {key: default.strip() for names, default in rows for key in re.findall(r"\w+", names)}
    declared = keys(table)

    assert declared.keys() == told.keys() & declared.keys()
    for key, schema in declared.items():
        if "default" in schema:
            assert f"`{json.dumps(schema['default'])}`" == told[key], key


def test_every_field_of_a_task_is_a_key_and_has_the_same_default() -> None:
    written = {
        "grace": "5s", "jitter": "0s", "exit_codes": [0], "cron": [], "tags": [], "except": [], "only": [],
        "failures": sorted(FAILURES),
        "retry": {},
        "after": [],
        "after_failure": [],
        "params": [], "env": {}, "log_max_size": "100mb", "env_file": [], "secrets_file": [], "secrets": {},
    }  # fmt: skip
    assert parse_size("100mb") == LOG_MAX_SIZE
    assert parse_size(keys("StorageTable")["min_free_space"]["default"]) == MIN_FREE_SPACE
    table = keys("TaskTable")

    assert {field.name.removesuffix("_") for field in fields(Task)} - {"name", "file_env"} == set(table)
    silent = {"except": (), **asdict(Task(name="silent", run="true"))}
    for key, schema in table.items():
        if key != "run":
            assert schema.get("default") == written.get(key, silent[key]), key


@pytest.mark.parametrize(
    "table",
    [
        *("ServerTable", "StorageTable", "JobsTable", "CalendarTable"),
        *("DefaultsTable", "TaskTable", "ParamTable", "RetryTable", "ServiceTable", "HealthTable"),
    ],
)
def test_every_key_has_a_meaning_and_examples_that_are_valid(table: str) -> None:
    for key, schema in keys(table).items():
        assert schema["description"], key
        assert schema["examples"], key
        validator = jsonschema_rs.Draft202012Validator({**schema, "$defs": SCHEMA["$defs"]})
        for example in [*schema["examples"], *([schema["default"]] if "default" in schema else [])]:
            validator.validate(example)
