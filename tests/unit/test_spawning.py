"""Spawning: a task and a run become arguments, an environment and a folder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rota.engine.spawning import argv_of, environment_of, inherited, spawn_of
from rota.model.run import HandOver, Run, RunId, TriggeredBy
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
    assert argv_of(task(shell=shell)) == (*argv, "make all")


def test_a_list_goes_through_no_shell() -> None:
    assert argv_of(task(run=("make", "-j", "4"))) == ("make", "-j", "4")


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
