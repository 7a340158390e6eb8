"""Loading a configuration: what the file says is what the tasks are."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from rota.config.config import Server
from rota.config.load import ConfigInvalid, load
from rota.model.backoff import Backoff
from rota.model.retry import Retry
from rota.model.run import EndReason
from rota.model.task import Overlap, Task

if TYPE_CHECKING:
    from pathlib import Path

    from rota.config.config import Config

UTC = {"TZ": "UTC"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rota.toml"


def loaded(file: Path, text: str) -> Config:
    file.write_text(text, encoding="utf-8")
    return load(file, UTC)


def test_a_task_that_says_nothing_but_run_has_the_defaults_of_the_model(file: Path) -> None:
    config = loaded(file, '[tasks.hello]\nrun = "echo hello"\n')

    assert config.path == file
    assert config.server == Server()
    assert config.tasks == {"hello": Task(name="hello", run="echo hello", working_dir=str(file.parent))}
    assert config.warnings == ()


def test_every_key_of_a_task_reaches_the_model(file: Path) -> None:
    config = loaded(
        file,
        """
        [server]
        host = "::1"
        port = 0
        timezone = "Asia/Tokyo"

        [tasks."shop.backup"]
        run = ["/usr/bin/pg_dump", "shop"]
        cron = ["30 2 * * *", "@every 90s", "30 2 * * *"]
        timezone = "Europe/Paris"
        description = "Dumps the shop"
        group = "backups"
        tags = ["nightly", "database", "nightly"]
        env = { PGHOST = "db", EMPTY = "" }
        working_dir = "../dumps"
        shell = "bash"
        timeout = "1h30m"
        stop_signal = "INT"
        grace = 0.5
        exit_codes = [0, 3]
        failures = ["failed", "stopped"]
        keep_children = true
        merge_stderr = true
        stdin = true
        pty = true
        user = "backup:adm"
        umask = "027"
        nice = -5
        memory_max = "512mib"
        cpu_max = "150%"
        tasks_max = 64
        enabled = false
        manual_trigger = true
        max_concurrent = 4
        max_queued = 0
        on_overlap = "queue"
        """,
    )

    assert config.server == Server(host="::1", port=0, timezone="Asia/Tokyo")
    assert config.tasks["shop.backup"] == Task(
        name="shop.backup",
        run=("/usr/bin/pg_dump", "shop"),
        cron=("30 2 * * *", "@every 90s"),
        timezone="Europe/Paris",
        description="Dumps the shop",
        group="backups",
        tags=("nightly", "database"),
        env={"PGHOST": "db", "EMPTY": ""},
        working_dir=str(file.parent.parent / "dumps"),
        shell="bash",
        timeout=timedelta(minutes=90),
        stop_signal="SIGINT",
        grace=timedelta(milliseconds=500),
        exit_codes=frozenset({0, 3}),
        failures=frozenset({EndReason.FAILED, EndReason.STOPPED}),
        keep_children=True,
        merge_stderr=True,
        stdin=True,
        pty=True,
        user="backup:adm",
        umask=0o27,
        nice=-5,
        memory_max=512 * 1024 * 1024,
        cpu_max=1.5,
        tasks_max=64,
        enabled=False,
        manual_trigger=True,
        max_concurrent=4,
        max_queued=0,
        on_overlap=Overlap.QUEUE,
    )


def test_a_limit_of_0_is_none_whatever_the_defaults_say(file: Path) -> None:
    config = loaded(
        file,
        """
        [jobs]
        cpu_max = 2
        [defaults]
        memory_max = "1gb"
        cpu_max = 0.5
        tasks_max = 100
        [tasks.limited]
        run = "true"
        [tasks.free]
        run = "true"
        memory_max = 0
        cpu_max = 0
        tasks_max = 0
        """,
    )

    assert config.jobs.cpu_max == 2.0
    assert config.tasks["limited"].limits == {"memory_max": 10**9, "cpu_max": 0.5, "tasks_max": 100}
    assert config.tasks["free"].limits == {}


def test_defaults_hold_where_a_task_is_silent_and_env_is_merged(file: Path) -> None:
    config = loaded(
        file,
        """
        [defaults]
        timeout = "1h"
        on_overlap = "skip"
        exit_codes = [0, 1]
        env = { LANG = "C", LEVEL = "info" }
        working_dir = "work"

        [tasks.silent]
        run = "true"

        [tasks.loud]
        run = "true"
        timeout = 0
        on_overlap = "replace"
        exit_codes = [0]
        env = { LEVEL = "debug" }
        working_dir = "/"
        """,
    )

    silent, loud = config.tasks["silent"], config.tasks["loud"]
    assert (silent.timeout, silent.on_overlap, silent.exit_codes) == (
        timedelta(hours=1),
        Overlap.SKIP,
        frozenset({0, 1}),
    )
    assert silent.env == {"LANG": "C", "LEVEL": "info"}
    assert silent.working_dir == str(file.parent / "work")
    assert (loud.timeout, loud.on_overlap, loud.exit_codes) == (None, Overlap.REPLACE, frozenset({0}))
    assert loud.env == {"LANG": "C", "LEVEL": "debug"}
    assert loud.working_dir == "/"


def test_a_folder_below_the_home_is_found(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    config = loaded(file, '[tasks.a]\nrun = "true"\nworking_dir = "~/backups"\n')

    assert config.tasks["a"].working_dir == str(tmp_path / "home" / "backups")


def test_without_a_zone_in_the_file_the_machine_s_own_holds(file: Path) -> None:
    file.write_text('[tasks.a]\nrun = "true"\n')

    assert load(file, {"TZ": ":Europe/Paris"}).server.timezone == "Europe/Paris"


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(file: Path) -> None:
    file.write_bytes(b'\xef\xbb\xbf[tasks.a]\r\nrun = "true"\r\n')

    assert list(load(file, UTC).tasks) == ["a"]


@pytest.mark.parametrize(
    ("text", "key", "line", "sentence"),
    [
        ("", None, 1, "there is no task in this file"),
        ('[tasks.a]\nrun = "x"\nmanual_trigger = false', "tasks.a.manual_trigger", 3, "it has no cron"),
        (
            '[tasks.a]\nrun = "x"\ncron = "@daily"\nenabled = false\nmanual_trigger = false',
            "tasks.a.manual_trigger",
            5,
            "its schedule is off",
        ),
        ('[tasks.a]\nrun = """\n#!/usr/bin/env python3\nprint()\n"""', "tasks.a.run", 2, "python3 does not"),
        ('[tasks.a]\nrun = ["echo hello"]', "tasks.a.run", 2, 'a program whose name is "echo hello"'),
        ('[tasks.a]\nshell = "bash"\nrun = ["echo"]', "tasks.a.shell", 2, "no shell is used"),
        ('[tasks.a]\nrun = "x"\njitter = "5m"', "tasks.a.jitter", 3, "it has no cron, and so no ticks"),
        (
            '[tasks.a]\nrun = "x"\ncron = "@daily"\nmax_queued = 5\ncatch_up = 7',
            "tasks.a.catch_up",
            5,
            "not so many can run or wait at once: max_concurrent is 1, max_queued is 5",
        ),
        (
            '[tasks.a]\nrun = "x"\nmax_queued = 5\non_overlap = "skip"',
            "tasks.a.max_queued",
            3,
            'on_overlap is "skip"',
        ),
        (
            '[groups.up]\nmax_concurrent = 1\n[tasks]\nb.run = "x"\nb.group = "upp"\na={run="x",group="up"}',
            "tasks.b.group",
            5,
            'there is no [groups."upp"]; did you mean "up"?',
        ),
        (
            '[groups.backups]\nmax_concurrent = 1\n[tasks.a]\nrun = "x"',
            "groups.backups",
            1,
            'no task has group = "backups"',
        ),
        ('[tasks.a]\nrun = "x"\npriority = 5', "tasks.a.priority", 3, "it shares no slots"),
        (
            '[server]\nmax_concurrent = 2\n[tasks.a]\nrun = "x"\nmax_concurrent = 3',
            "tasks.a.max_concurrent",
            5,
            "never so many at once: [server] max_concurrent is 2",
        ),
    ],
)
def test_what_is_allowed_and_hardly_meant_is_a_warning(
    file: Path, text: str, key: str | None, line: int, sentence: str
) -> None:
    (warning,) = loaded(file, text).warnings

    assert (warning.key, warning.line) == (key, line)
    assert sentence in warning.message


@pytest.mark.parametrize(
    "text",
    [
        '[tasks.a]\nrun = "x"\ncron = "@daily"\nmanual_trigger = false',
        '[tasks.a]\nrun = """\n#!/bin/bash -e\ntrue\n"""\nshell = "/bin/bash"',
        '[tasks.a]\nrun = "x"\ngroup = "a mere label"',
        '[groups.g]\nmax_concurrent = 4\n[tasks.a]\nrun = "x"\ngroup = "g"\npriority = 5\nmax_concurrent = 4',
        '[defaults]\nmax_queued = 5\nshell = "bash"\n[tasks.a]\nrun = ["x"]\non_overlap = "skip"',
    ],
)
def test_what_is_meant_is_no_warning(file: Path, text: str) -> None:
    assert loaded(file, text).warnings == ()


def test_ten_thousand_tasks_with_schedules_load_in_well_under_a_second_and_a_half(file: Path) -> None:
    file.write_text(
        "".join(
            f'[tasks.job-{n}]\nrun = "echo {n}"\ncron = "{n % 60} {n // 60 % 24} * * *"\n'
            for n in range(10_000)
        )
    )
    started = time.process_time()

    config = load(file, UTC)

    assert time.process_time() - started < 1.5
    assert len(config.tasks) == 10_000


def test_ten_thousand_faults_are_told_within_seconds(file: Path) -> None:
    file.write_text("".join(f'[tasks.job-{n}]\nrun = "true"\ncorn = "@daily"\n' for n in range(10_000)))
    started = time.process_time()

    with pytest.raises(ConfigInvalid) as told:
        load(file, UTC)

    assert time.process_time() - started < 5
    assert [fault.line for fault in told.value.faults] == list(range(3, 30_001, 3))


def test_the_rules_for_jobs_are_loaded_with_folders_made_absolute_and_0_as_no_limit(tmp_path: Path) -> None:
    file = tmp_path / "rota.toml"
    file.write_text(
        """
[jobs]
enabled = true
max_concurrent = 3
timeout = 0
log_max_size = 0
allow = ["git", "~/bin/*"]
cwd_roots = ["src", "/srv/../opt"]
user = "nobody:adm"
"""
    )

    config = load(file, {"HOME": str(tmp_path)})

    jobs = config.jobs
    assert (jobs.enabled, jobs.max_concurrent, jobs.user) == (True, 3, "nobody:adm")
    assert (jobs.timeout, jobs.log_max_size) == (None, None)
    assert jobs.allow is not None
    assert jobs.allow[0] == "git"
    assert jobs.allow[1].endswith("/bin/*")
    assert jobs.cwd_roots == (f"{tmp_path}/src", "/opt")
    assert config.warnings == ()


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('allow = "git"', "list"),
        ('allow = ["bin/git"]', "names no program"),
        ('deny = [""]', "names no program"),
        ("max_concurrent = 0", "1"),
        ('enabled = "yes"', "true or false"),
        ('shell = "/bin/sh -e"', "without arguments"),
        ("enable = true", "enabled"),
    ],
)
def test_a_fault_of_the_rules_for_jobs_is_told(tmp_path: Path, line: str, wrong: str) -> None:
    file = tmp_path / "rota.toml"
    file.write_text(f"[jobs]\n{line}\n")

    with pytest.raises(ConfigInvalid) as raised:
        load(file, {})

    assert wrong in str(raised.value)
    assert raised.value.faults[0].line == 2


def test_what_a_task_says_of_retries_is_added_to_what_the_defaults_say(file: Path) -> None:
    config = loaded(
        file,
        """
        [defaults]
        retry = { attempts = 2, delay = "1m" }
        [tasks.silent]
        run = "true"
        [tasks.loud]
        run = "true"
        retry = { attempts = 5, backoff = "linear", on = ["timeout", 75] }
        """,
    )

    assert config.tasks["silent"].retry == Retry(attempts=2, delay=timedelta(minutes=1))
    assert config.tasks["loud"].retry == Retry(
        attempts=5,
        delay=timedelta(minutes=1),
        backoff=Backoff.LINEAR,
        on=frozenset({EndReason.TIMEOUT, 75}),
    )


@pytest.mark.parametrize(
    ("said", "doubt"),
    [
        ('retry = { delay = "1m" }', "nothing is retried: its attempts are 1"),
        ("retry = { attempts = 2, on = [3] }\nexit_codes = [0, 3]", "exit code 3 is not retried"),
        ('retry = { attempts = 2, on = ["lost"] }\nfailures = ["failed"]', "lost is not retried"),
        ('retry = { attempts = 2, on = [75] }\nfailures = ["lost"]', "exit code 75 is not retried"),
        ('retry = { attempts = 2 }\nfailures = ["missed"]', "nothing is retried: no end that can be"),
    ],
)
def test_a_retry_that_never_comes_is_doubted(file: Path, said: str, doubt: str) -> None:
    config = loaded(file, f'[tasks.a]\nrun = "true"\n{said}')

    assert [doubt in warning.message for warning in config.warnings] == [True]
