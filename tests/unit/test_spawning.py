"""Spawning: a task and a run become arguments, an environment and a folder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rota.engine.spawning import argv_of, environment_of, inherited, spawn_of
from rota.model.param import Param, ParamKind, ParamType
from rota.model.run import HandOver, Run, RunId, TriggeredBy
from rota.model.secret import Secret
from rota.model.task import Stdin, Task

AT = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)


def task(**fields: object) -> Task:
    return Task(**{"name": "job", "run": "make all", **fields})  # type: ignore[arg-type]


def run(**fields: object) -> Run:
    about = {"id": RunId("r-1"), "task_name": "job", "triggered_by": TriggeredBy.API, "created_at": AT}
    return Run(**{**about, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shell", "argv"),
    [
        ("/bin/sh", ("/bin/sh", "-e", "-c")),
        ("/usr/bin/bash", ("/usr/bin/bash", "-e", "-c")),
        ("dash", ("dash", "-e", "-c")),
        ("/opt/zsh-5.9", ("/opt/zsh-5.9", "-e", "-c")),
        ("ksh93", ("ksh93", "-e", "-c")),
        ("busybox sh", ("busybox", "sh", "-e", "-c")),
        ("/usr/bin/env bash", ("/usr/bin/env", "bash", "-e", "-c")),
        ("bash --norc", ("bash", "--norc", "-e", "-c")),
        ("'/opt/my shells/bash'", ("/opt/my shells/bash", "-e", "-c")),
        ("/usr/bin/fish", ("/usr/bin/fish", "-c")),
        ("pwsh", ("pwsh", "-c")),
        ("python3", ("python3", "-c")),
        ("/home/bash/nu", ("/home/bash/nu", "-c")),
    ],
)
def test_text_goes_through_the_shell_and_posix_shells_stop_at_a_failure(
    shell: str, argv: tuple[str, ...]
) -> None:
    assert argv_of(run(), task(shell=shell)) == (*argv, "make all")


def test_a_list_goes_through_no_shell() -> None:
    assert argv_of(run(), task(run=("make", "-j", "4"))) == ("make", "-j", "4")


PARAMS = (
    Param(kind=ParamKind.OPTION, name="--level"),
    Param(kind=ParamKind.ENV, name="WHO"),
    Param(kind=ParamKind.FLAG, name="--dry", type=ParamType.BOOLEAN, default="false"),
    Param(kind=ParamKind.ARG, name="target"),
)
GIVEN = {"--level": "2; rm", "WHO": "me", "--dry": "true", "target": ""}


@pytest.mark.parametrize(
    ("shell", "argv"),
    [
        ("/bin/bash", ("/bin/bash", "-e", "-c", "make all", "bash")),
        ("fish", ("fish", "-c", "make all")),
        ("/usr/bin/python3.13", ("/usr/bin/python3.13", "-c", "make all")),
    ],
)
def test_arguments_follow_the_script_in_the_order_of_their_declarations(
    shell: str, argv: tuple[str, ...]
) -> None:
    given = run(params=GIVEN)

    assert argv_of(given, task(shell=shell, params=PARAMS)) == (*argv, "--level", "2; rm", "--dry", "")


def test_arguments_follow_those_of_a_list_and_what_was_left_out_is_not_there() -> None:
    declared = task(run=("make", "-j"), params=PARAMS)

    assert argv_of(run(params=GIVEN), declared) == ("make", "-j", "--level", "2; rm", "--dry", "")
    assert argv_of(run(params={"--level": None, "--dry": "false"}), declared) == ("make", "-j")


def test_a_parameter_wins_over_the_environment_of_the_task_and_without_a_value_leaves_it_alone() -> None:
    declared = task(env={"WHO": "you"}, params=PARAMS)

    assert environment_of(run(params=GIVEN), declared, {})["WHO"] == "me"
    assert environment_of(run(params={"WHO": ""}), declared, {})["WHO"] == ""
    assert environment_of(run(params={"WHO": None}), declared, {})["WHO"] == "you"
    assert environment_of(run(), declared, {})["WHO"] == "you"


def test_the_environment_is_the_servers_then_the_tasks_then_what_rota_says() -> None:
    base = inherited({"PATH": "/bin", "LANG": "C", "ROTA_TOKEN": "secret", "ROTA_RUN_ID": "another"})

    environment = environment_of(
        run(triggered_by=TriggeredBy.RETRY, retry_attempt=2),
        task(env={"LANG": "de_DE", "ROTA_TASK": "forged", "LEVEL": "1"}),
        base,
    )

    assert environment == {
        "PATH": "/bin",
        "LANG": "de_DE",
        "LEVEL": "1",
        "ROTA_RUN_ID": "r-1",
        "ROTA_TASK": "job",
        "ROTA_TRIGGERED_BY": "retry",
        "ROTA_ATTEMPT": "3",
    }


def test_each_layer_of_the_environment_wins_over_the_one_before() -> None:
    names = ("FILE", "ENV", "SECRET", "PARAM", "ROTA_TASK")
    layers = dict.fromkeys(("BASE", *names), "base")

    environment = environment_of(
        run(params={"PARAM": "param", "ROTA_TASK": "param"}),
        task(
            file_env={name: Secret("file") for name in names},
            env=dict.fromkeys(names[1:], "env"),
            secrets={name: Secret("secret") for name in names[2:]},
            params=[Param(kind=ParamKind.ENV, name=name) for name in names[3:]],
        ),
        layers,
    )

    assert {name: environment[name] for name in layers} == {
        "BASE": "base",
        "FILE": "file",
        "ENV": "env",
        "SECRET": "secret",
        "PARAM": "param",
        "ROTA_TASK": "job",
    }


def test_the_keeper_is_told_what_to_hide_and_nothing_prints_it() -> None:
    handed = run().handed_over(HandOver(attempt="a", keeper_id="k", boot_id="b"))
    secrets = {"A": Secret("hunter2"), "B": Secret("swordfish"), "C": Secret("hunter2")}

    spawn = spawn_of(handed, task(secrets=secrets), base={}, folder="/")

    assert spawn.secrets == ("hunter2", "swordfish")
    assert spawn.env["B"] == "swordfish"
    assert "hunter2" not in repr(spawn)
    assert "swordfish" not in repr(spawn)


def test_a_tick_is_told_in_rfc_3339() -> None:
    whole = environment_of(run(scheduled_at=AT), task(), {})
    broken = environment_of(run(scheduled_at=AT + timedelta(milliseconds=250)), task(), {})

    assert whole["ROTA_SCHEDULED_AT"] == "2026-03-02T12:30:00Z"
    assert broken["ROTA_SCHEDULED_AT"] == "2026-03-02T12:30:00.250000Z"


def test_the_folder_is_the_tasks_or_else_the_given_one() -> None:
    handed = run().handed_over(HandOver(attempt="a", keeper_id="k", boot_id="b"))

    assert spawn_of(handed, task(working_dir="/srv"), base={}, folder="/etc/rota").cwd == "/srv"
    assert spawn_of(handed, task(), base={}, folder="/etc/rota").cwd == "/etc/rota"


def test_the_rules_of_the_task_go_along() -> None:
    handed = run().handed_over(HandOver(attempt="token", keeper_id="k", boot_id="b"))
    rules = task(
        timeout=timedelta(minutes=5),
        stop_signal="SIGINT",
        grace=timedelta(seconds=9),
        keep_children=True,
        merge_stderr=True,
        stdin=True,
        pty=True,
    )

    spawn = spawn_of(handed, rules, base={}, folder="/")

    assert (spawn.run_id, spawn.attempt) == ("r-1", "token")
    assert (spawn.timeout, spawn.stop_signal, spawn.grace) == (
        timedelta(minutes=5),
        "SIGINT",
        timedelta(seconds=9),
    )
    assert (spawn.keep_children, spawn.merge_stderr) == (True, True)
    assert (spawn.stdin, spawn.pty) == (Stdin.PIPE, True)


def test_only_what_was_handed_over_can_be_spawned() -> None:
    with pytest.raises(ValueError, match="has not been handed over"):
        spawn_of(run(), task(), base={}, folder="/")
