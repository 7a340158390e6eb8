"""Parameters in the file: what they mean, every fault in them, and what is hardly meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rota.config.load import ConfigInvalid, load
from rota.model.param import Param, ParamKind, ParamType
from rota.model.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from rota.config.config import Config
    from rota.config.fault import ConfigFault


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rota.toml"


def loaded(file: Path, text: str) -> Config:
    file.write_text(text, encoding="utf-8")
    return load(file, {})


def faults(file: Path, text: str) -> list[ConfigFault]:
    with pytest.raises(ConfigInvalid) as told:
        loaded(file, text)
    return told.value.faults


def task(*params: str, run: str = 'x "$@"', more: str = "") -> str:
    tables = "".join(f"[[tasks.a.params]]\n{each}\n" for each in params)
    return f"[tasks.a]\nrun = '''{run}'''\n{more}\n{tables}"


def test_every_key_of_a_parameter_reaches_the_model(file: Path) -> None:
    config = loaded(
        file,
        task(
            'option = "--level"\ntype = "integer"\nrequired = true\ndefault = 5\nchoices = [1, 5, 5]\n'
            'allow_custom = true\npattern = "[0-9]"\nmin = 1\nmax = 9\ndescription = "How loud"',
            'env = "WHO"\nchoices = ["me", "you"]',
            'arg = "since"\ntype = "date"\nmin = 2026-01-01\ndefault = 2026-02-01',
            'arg = "at"\ntype = "datetime"\nmax = "2030-01-01T00:00:00Z"\ndefault = 2026-02-01T12:00:00Z',
            'flag = "-n"\ndefault = true',
            'flag = "--dry-run"\ntype = "boolean"',
            'env = "TOKEN"\ntype = "secret"\ndefault = "hunter2"',
        ),
    )

    assert config.tasks["a"].params == (
        Param(
            kind=ParamKind.OPTION, name="--level", type=ParamType.INTEGER, required=True, default="5",
            choices=("1", "5"), allow_custom=True, pattern="[0-9]", min=1, max=9, description="How loud",
        ),
        Param(kind=ParamKind.ENV, name="WHO", type=ParamType.ENUM, choices=("me", "you")),
        Param(
            kind=ParamKind.ARG, name="since", type=ParamType.DATE, min="2026-01-01", default="2026-02-01"
        ),
        Param(
            kind=ParamKind.ARG, name="at", type=ParamType.DATETIME, max="2030-01-01T00:00:00Z",
            default="2026-02-01T12:00:00+00:00",
        ),
        Param(kind=ParamKind.FLAG, name="-n", type=ParamType.BOOLEAN, default="true"),
        Param(kind=ParamKind.FLAG, name="--dry-run", type=ParamType.BOOLEAN, default="false"),
        Param(kind=ParamKind.ENV, name="TOKEN", type=ParamType.SECRET, default=Secret("hunter2")),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("param", "key", "sentence"),
    [
        ('type = "string"', "", "the parameter has no name; allowed: one of env, arg, option and flag"),
        ('env = "A"\narg = "b"', "arg", "the parameter has a name already, as env"),
        ('env = "1A"', "env", "cannot be the name of an environment variable"),
        ('env = "ROTA_TASK"', "env", "names that begin with ROTA_ are Rota's own"),
        ('arg = "--level"', "arg", "an option is declared by option"),
        ('option = "level"', "option", 'cannot be an option; allowed: such as "--level"'),
        ('option = "--level="', "option", "cannot be an option"),
        ('flag = "--"', "flag", "cannot be an option"),
        ('flag = "-n"\nrequired = true', "required", "a flag is there or not"),
        ('flag = "-n"\ntype = "string"', "type", "a flag is there or not"),
        ('flag = "-n"\ndefault = "maybe"', "default", "allowed: true or false"),
        ('env = "A"\ntype = "int"', "type", 'did you mean integer? allowed: "string", "integer"'),
        ('env = "A"\ntype = "enum"', "type", "there are no choices"),
        ('env = "A"\nchoices = []\ntype = "enum"', "choices", "there are no choices"),
        ('env = "A"\nallow_custom = true', "allow_custom", "there are no choices"),
        ('env = "A"\nchoices = ["a", 2]', "choices", "the number 2 does not fit; allowed: text"),
        ('env = "A"\nchoices = ["a"]\ndefault = "b"', "default", 'the text "b" is not one of them'),
        ('env = "A"\ntype = "boolean"\nchoices = [true]', "choices", "a boolean has no choices"),
        ('env = "A"\ntype = "secret"\nchoices = ["hunter2"]', "choices", "a secret has no choices"),
        ('arg = "a"\ntype = "secret"', "type", "every user of this machine can read the arguments"),
        ('env = "A"\nmin = 1', "min", "a string has no min; allowed: it with an integer"),
        ('env = "A"\ntype = "integer"\nmin = 1.5', "min", "the number 1.5 does not fit"),
        ('env = "A"\ntype = "integer"\nmin = 2\nmax = 1', "max", "the number 1 is before min"),
        ('env = "A"\ntype = "date"\nmax = "1st"', "max", "allowed: a date such as"),
        ('env = "A"\ntype = "integer"\nmax = 5\ndefault = 6', "default", "the number 6 is too large"),
        ('env = "A"\npattern = "("', "pattern", "it is no regular expression"),
        ('env = "A"\npattern = "a"\ndefault = "b"', "default", "does not match"),
        ('env = "A"\ndefault = []', "default", "a list cannot be a value"),
        ('env = "A"\ndefault = 12:00:00', "default", "cannot be a value"),
        ('env = "A"\nrequried = true', "requried", "did you mean required?"),
    ],
)
def test_a_fault_is_told_with_its_place(file: Path, param: str, key: str, sentence: str) -> None:
    (fault,) = faults(file, task('env = "FIRST"', param))

    line = next((n for n, text in enumerate(param.split("\n"), start=7) if key and text.startswith(key)), 6)
    assert sentence in str(fault)
    assert (fault.line, fault.column) == (line, 1 if key else 11)
    assert fault.key == f"tasks.a.params[1]{'.' if key else ''}{key}"


def test_what_is_wrong_with_a_secret_s_default_is_told_without_it(file: Path) -> None:
    for default in ('"abc"', "4711", '"hun\\u0000ter2"', '["hunter2"]'):
        (fault,) = faults(file, task(f'env = "A"\ntype = "secret"\ndefault = {default}'))

        assert fault.key == "tasks.a.params[0].default"
        assert not any(secret in str(fault) for secret in ("abc", "4711", "hun"))


def test_a_name_is_given_once(file: Path) -> None:
    (fault,) = faults(file, task('env = "A"', 'arg = "A"'))

    assert (fault.key, fault.line) == ("tasks.a.params[1].arg", 7)
    assert 'there is a parameter "A" already' in fault.message


@pytest.mark.parametrize(
    ("more", "shared", "wrong"),
    [
        ('cron = "@daily"', "", True),
        ('cron = "@daily"\nenabled = false', "", False),
        ('cron = "@daily"', "[defaults]\nenabled = false\n", False),
        ("", "", False),
    ],
)
def test_a_task_that_starts_by_itself_has_a_default_for_what_it_requires(
    file: Path, more: str, shared: str, wrong: bool
) -> None:
    text = shared + task('env = "A"\nrequired = true', 'env = "B"\nrequired = true\ndefault = ""', more=more)

    if wrong:
        (fault,) = faults(file, text)
        assert (fault.key, fault.line) == ("tasks.a.params[0].required", 6)
        assert "nobody gives it this value" in fault.message
    else:
        loaded(file, text)


@pytest.mark.parametrize(
    ("shell", "wrong"), [("fish", False), ("python3", False), ("pwsh", True), ("nu", True)]
)
def test_only_a_shell_that_keeps_arguments_apart_from_its_script_is_given_some(
    file: Path, shell: str, wrong: bool
) -> None:
    text = task('env = "A"', 'arg = "b"', run="argv", more=f'shell = "{shell}"')

    if wrong:
        (fault,) = faults(file, text)
        assert fault.key == "tasks.a.params[1].arg"
        assert "would take an argument for a part of the script" in fault.message
    else:
        loaded(file, text)


def test_faults_that_keys_make_together_are_told_with_all_others(file: Path) -> None:
    found = faults(
        file,
        '[server]\nport = -1\n[tasks.b]\nrun = ""\n'
        + task('env = "A"\nrequired = true', more='cron = "@daily"'),
    )

    assert [fault.key for fault in found] == ["server.port", "tasks.b.run", "tasks.a.params[0].required"]


def test_a_place_is_found_in_a_list_of_tables_written_in_any_way(file: Path) -> None:
    inline = faults(file, '[tasks.a]\nrun = "x"\nparams = [\n  { env = "A" },\n  { env = "B", type = 5 },\n]')
    headed = faults(
        file,
        '[tasks.a]\nrun = "x"\n[[tasks.a.params]]\nenv = "A"\n[[tasks.b.params]]\nenv = 5\n'
        '[[tasks.a.params]]\nenv = "B"\ntype = 5\n[tasks.b]\nrun = "x"',
    )

    assert [(fault.line, fault.column) for fault in inline] == [(5, 16)]
    assert [(fault.line, fault.column) for fault in headed] == [(6, 1), (9, 1)]


UNREAD = "the script never reads it"


@pytest.mark.parametrize(
    ("run", "params", "doubted"),
    [
        ("make all", ('arg = "a"', 'env = "B"'), ["params[0].arg"]),
        ("make all", ('flag = "-n"', 'option = "--x"'), ["params[0].flag", "params[1].option"]),
        ('make "$1"', ('arg = "a"\nrequired = true', 'arg = "b"'), ["params[1].arg"]),
        ('make "$1"', ('flag = "-n"', 'option = "--x"'), []),
        ('make "$@"', ('arg = "a"',), []),
        ("make ${1:-all}", ('arg = "a"',), []),
        ("for each; do make $each; done", ('arg = "a"',), []),
        ("while getopts n o; do :; done", ('flag = "-n"',), []),
        ("echo $# $0", ('arg = "a"',), ["params[0].arg"]),
        ("make all", ('env = "A"',), []),
        ("ls | awk '{ print $1 }'", ('arg = "a"',), ["params[0].arg"]),
        ("make all  # not $1", ('arg = "a"',), ["params[0].arg"]),
        ("echo \"it's $1\"; echo 'done'", ('arg = "a"',), []),
        ("echo it\\'s $1 isn\\'t", ('arg = "a"',), []),
        ("trap 'echo $1' EXIT", ('arg = "a"',), []),
        ("cat <<.\ndon't $1 don't\n.", ('arg = "a"',), []),
        (". ./main.sh", ('arg = "a"',), []),
    ],
)
def test_an_argument_that_the_script_never_reads_is_doubted(
    file: Path, run: str, params: tuple[str, ...], doubted: list[str]
) -> None:
    warnings = loaded(file, task(*params, run=run)).warnings

    assert [warning.key for warning in warnings] == [f"tasks.a.{key}" for key in doubted]
    assert all(UNREAD in warning.message and warning.line is not None for warning in warnings)


@pytest.mark.parametrize(
    ("run", "count"), [("print(1)", 1), ("import sys; print(sys.argv)", 0), ("import argparse", 0)]
)
def test_a_script_in_another_language_reads_them_in_its_own_way(file: Path, run: str, count: int) -> None:
    assert len(loaded(file, task('arg = "a"', run=run, more='shell = "python3"')).warnings) == count


def test_a_program_s_own_way_with_arguments_is_not_doubted(file: Path) -> None:
    text = '[tasks.a]\nrun = ["make"]\nparams = [{ arg = "target" }]'

    assert loaded(file, text).warnings == ()


def test_an_argument_that_may_be_missing_before_another_is_doubted(file: Path) -> None:
    (warning,) = loaded(file, task('arg = "a"', 'arg = "b"', run='cp "$@"')).warnings

    assert (warning.key, warning.line) == ("tasks.a.params[0].arg", 5)
    assert "the arguments after it take its place" in warning.message
