"""The environment of a task in the file: its layers, references to elsewhere, and secrets that stay such."""

from __future__ import annotations

import copy
import json
import os
import pickle
from typing import TYPE_CHECKING

import pytest

from rota.config.load import ConfigInvalid, load
from rota.model.secret import Secret
from rota.model.task import EnvBase

if TYPE_CHECKING:
    from pathlib import Path

    from rota.config.config import Config
    from rota.config.fault import ConfigFault

ENVIRON = {"DB_PASS": "swordfish", "LEVEL": "info", "SHORT": "abc", "EMPTY": "", "TZONE": "Asia/Tokyo"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rota.toml"


def loaded(file: Path, text: str) -> Config:
    file.write_text(text, encoding="utf-8")
    return load(file, ENVIRON)


def faults(file: Path, text: str) -> list[ConfigFault]:
    with pytest.raises(ConfigInvalid) as told:
        loaded(file, text)
    return told.value.faults


def task(line: str) -> str:
    return f'[tasks.a]\nrun = "true"\n{line}\n'


def test_every_layer_reaches_the_model(file: Path) -> None:
    (file.parent / "common.env").write_text("A=1\nB=1\n")
    (file.parent / "own.env").write_text("export B='2 3'\n# no\n\nC=\"x\\ny\" # a comment\n")
    (file.parent / "keys.env").write_text("TOKEN=hunter2\nKEY=from-the-file\n")

    config = loaded(
        file,
        """
        [defaults]
        secrets = { KEY = "${DB_PASS}", SHARED = "of the defaults" }
        [tasks.a]
        run = "true"
        env_base = "clean"
        env_file = ["common.env", "own.env"]
        env = { LEVEL = "${LEVEL}" }
        secrets_file = "keys.env"
        secrets = { OWN = "4711x" }
        """,
    )

    found = config.tasks["a"]
    assert found.env_base is EnvBase.CLEAN
    assert found.env_file == (str(file.parent / "common.env"), str(file.parent / "own.env"))
    assert found.file_env == {"A": Secret("1"), "B": Secret("2 3"), "C": Secret("x\ny")}
    assert found.env == {"LEVEL": "info"}
    assert found.secrets_file == (str(file.parent / "keys.env"),)
    assert found.secrets == {
        "TOKEN": Secret("hunter2"),
        "KEY": Secret("swordfish"),
        "SHARED": Secret("of the defaults"),
        "OWN": Secret("4711x"),
    }


def test_a_file_of_the_defaults_is_replaced_by_the_task_s_own(file: Path) -> None:
    (file.parent / "shared.env").write_text("A=1\n")
    (file.parent / "own.env").write_text("B=2\n")

    config = loaded(
        file,
        '[defaults]\nenv_file = "shared.env"\n' + task('env_file = "own.env"') + '[tasks.b]\nrun = "true"',
    )

    assert config.tasks["a"].file_env == {"B": Secret("2")}
    assert config.tasks["b"].file_env == {"A": Secret("1")}
    assert config.tasks["b"].env_file == (str(file.parent / "shared.env"),)


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("${LEVEL}", "info"),
        ("<${LEVEL}${LEVEL}>", "<infoinfo>"),
        ("$${LEVEL}", "${LEVEL}"),
        ("$$${LEVEL}", "$${LEVEL}"),
        ("$LEVEL {} $", "$LEVEL {} $"),
        ("${EMPTY}", ""),
        ("${file:text}", "of a file\nof two lines"),
        ("${file:./text}!", "of a file\nof two lines!"),
        ("${file:literal}", "${LEVEL}"),
    ],
)
def test_a_reference_becomes_what_it_names(file: Path, written: str, means: str) -> None:
    (file.parent / "text").write_text("of a file\nof two lines\n")
    (file.parent / "literal").write_text("${LEVEL}")

    config = loaded(file, task(f'env = {{ A = "{written}" }}\ntags = ["{written or "x"}x"]'))

    assert config.tasks["a"].env == {"A": means}
    assert config.tasks["a"].tags == (means + "x",)


def test_a_reference_stands_in_every_text_but_a_command(file: Path) -> None:
    config = loaded(
        file,
        """
        [server]
        timezone = "${TZONE}"
        [tasks.a]
        run = "echo ${LEVEL} ${NOPE:-x}"
        description = "${LEVEL}"
        env = { run = "${LEVEL}" }
        [[tasks.a.params]]
        env = "B"
        default = "${LEVEL}"
        [tasks.b]
        run = ["echo", "${LEVEL}"]
        """,
    )

    assert config.server.timezone == "Asia/Tokyo"
    assert config.tasks["a"].run == "echo ${LEVEL} ${NOPE:-x}"
    assert config.tasks["a"].description == "info"
    assert config.tasks["a"].env == {"run": "info"}
    assert config.tasks["a"].params[0].default == "info"
    assert config.tasks["b"].run == ("echo", "${LEVEL}")


@pytest.mark.parametrize(
    ("line", "place", "sentence"),
    [
        ('env = { A = "x", B = "${NOPE}" }', (3, 18), "the environment variable NOPE is not set"),
        ('tags = [\n  "a",\n  "${NOPE}",\n]', (5, 3), "NOPE is not set"),
        ('group = "${LEVEL"', (3, 1), "a ${ has no }"),
        ('group = "${}"', (3, 1), "${} names nothing"),
        ('group = "${LEVEL:-x}"', (3, 1), "${LEVEL:-x} names nothing; allowed: ${NAME} of an"),
        ('group = "${file:nope}"', (3, 1), "there is no file"),
        ('group = "${file:}"', (3, 1), '"" names no file'),
        ('group = "${file:.}"', (3, 1), "is not a file"),
        ('group = "${file:a\\u0000}"', (3, 1), "names no file"),
        ('group = "${file:/dev/zero}"', (3, 1), "is not a file"),
        ('group = "${file:bytes}"', (3, 1), "is not UTF-8"),
        ('env_file = "nope.env"', (3, 1), "there is no file"),
        ('env_file = ["a.env", "nope.env"]', (3, 22), "there is no file"),
        ('secrets_file = ""', (3, 1), "it is empty"),
        ("env_file = 5", (3, 1), "the number 5 names no file"),
        ('env_base = "empty"', (3, 1), 'allowed: "inherit" or "clean"'),
        ('secrets = { A = "${SHORT}" }', (3, 13), "it has fewer than 4 characters"),
        ('secrets = { A = "${EMPTY}" }', (3, 13), "it has fewer than 4 characters"),
        ("secrets = { A = 47114711 }", (3, 13), "this is no text; allowed: text in quotes"),
        ('secrets = "hunter2"', (3, 1), "this does not fit here; allowed: a table"),
        ('secrets = { A = "hunter2\\u0000" }', (3, 13), "NUL"),
        ('secrets = { "A B" = "hunter2" }', (3, 13), "cannot be the name of an environment variable"),
        ('[[tasks.a.params]]\nenv = "A"\ntype = "secret"\ndefault = "${SHORT}"', (6, 1), "too short"),
    ],
)
def test_a_fault_is_told_with_its_place_and_without_a_value(
    file: Path, line: str, place: tuple[int, int], sentence: str
) -> None:
    (file.parent / "a.env").touch()
    (file.parent / "bytes").write_bytes(b"\xff")

    (fault,) = faults(file, task(line))

    assert (fault.line, fault.column) == place
    assert sentence in str(fault)
    assert not any(secret in str(fault) for secret in ("hunter2", "4711", "abc"))


def test_faults_of_references_are_told_with_all_others_and_once(file: Path) -> None:
    found = faults(
        file,
        '[server]\ntimezone = "${NOPE}"\nport = -1\n[defaults]\nenv = { A = "${NOPE}" }\n'
        + task('timezone = "${NOPE}"\nshell = "x y -z"'),
    )

    assert [fault.key for fault in found] == [
        "server.timezone",
        "server.port",
        "defaults.env.A",
        "tasks.a.timezone",
        "tasks.a.shell",
    ]


def test_the_faults_of_an_environment_file_are_told_with_their_lines_and_nothing_of_it(file: Path) -> None:
    env = file.parent / "keys.env"
    env.write_text(
        "GOOD=long enough\n\n  SHORT=abc\nKEY=-----BEGIN KEY-----\nMIIEvQIBADANBgkq==\nnothing\n"
        'ROTA_X=hunter2\nQUOTED="hunter2\n'
    )

    found = faults(file, task('secrets_file = "keys.env"'))

    assert [(fault.file, fault.line, fault.column) for fault in found] == [
        (str(env), 3, 3),
        (str(env), 5, 1),
        (str(env), 6, 1),
        (str(env), 7, 1),
        (str(env), 8, 1),
    ]
    assert "fewer than 4 characters" in found[0].message
    assert not any(text in str(fault) for fault in found for text in ("abc", "MII", "hunter2"))


def test_an_environment_file_may_hold_short_and_empty_values(file: Path) -> None:
    (file.parent / ".env").write_text("\ufeffA=\r\nB=1\r\nA=2\r\n", newline="")

    assert loaded(file, task('env_file = ".env"')).tasks["a"].file_env == {"A": Secret("2"), "B": Secret("1")}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(file: Path) -> None:
    (file.parent / "x").touch(mode=0)

    (fault,) = faults(file, task('env_file = "x"'))

    assert "cannot be read: Permission denied" in fault.message


def test_nothing_shows_a_secret_by_accident(file: Path) -> None:
    (file.parent / ".env").write_text("A=hunter2\n")
    config = loaded(
        file,
        task('secrets = { A = "swordfish" }\nenv_file = ".env"')
        + '[[tasks.a.params]]\nenv = "B"\ntype = "secret"\ndefault = "sesame seed"',
    )

    shown = f"{config!r} {config} {copy.deepcopy(config)}"

    assert "[redacted]" in shown
    assert not any(secret in shown for secret in ("swordfish", "hunter2", "sesame"))
    with pytest.raises(TypeError):
        json.dumps(config.tasks["a"].secrets)
    with pytest.raises(TypeError):
        pickle.dumps(config.tasks["a"].secrets["A"])
