"""`docs/cli.md` has every verb, every flag and every exit code; the code has nothing that it does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rota.cli.app import VERBS, app
from rota.cli.exit_code import ExitCode

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
NAMES = [name for name, _, _ in VERBS]


def test_the_page_has_the_verbs_that_there_are():
    assert sorted(re.findall(r"^### `rota ([\w-]+)", PAGE, re.MULTILINE)) == sorted(NAMES)


def test_each_verb_has_a_file_of_its_own_name():
    for name, function, _ in VERBS:
        assert function.startswith(f"rota.cli.{name.replace('-', '_')}:")


@pytest.mark.parametrize("name", NAMES)
def test_the_page_has_each_flag_of(name: str):
    section = PAGE.partition(f"### `rota {name}")[2].partition("\n#")[0] + PAGE.partition("## Tasks")[0]
    for argument in app[name].assemble_argument_collection().filter_by(parse=True):
        for flag in argument.names:
            if flag.startswith("-") and not flag.startswith("--no-"):
                negative = flag.replace("--", "--no-", 1)
                assert f"`{flag}" in section or f"`{negative}" in section, f"{flag} of rota {name}"


@pytest.mark.parametrize("flag", ["config", "data", "host", "port"])
def test_the_page_has_the_flags_that_go_everywhere_with_their_variables(flag: str):
    assert re.search(rf"\| `--{flag} [A-Z]+` \| `ROTA_{flag.upper()}` \|", PAGE)


def test_the_page_has_the_exit_codes_that_there_are():
    rows = re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", PAGE, re.MULTILINE)

    assert [(int(code), name) for code, name in rows] == [(code.value, code.name) for code in ExitCode]


def test_each_verb_says_what_it_does_in_its_first_line():
    for name in NAMES:
        first = app[name].help.strip().splitlines()[0]
        assert first[0].isupper(), name
        assert first.endswith((".", ":")), name
