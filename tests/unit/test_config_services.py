"""Services in the file: what they say, what they share with tasks, and every way to get them wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from rota.config.config import Config
from rota.config.load import ConfigInvalid, load
from rota.model.backoff import Backoff
from rota.model.service import HealthCheck, Restart


def read(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "rota.toml"
    file.write_text(text)
    return load(file, {})


def faults(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigInvalid) as refused:
        read(tmp_path, text)
    return [f"{fault.key}: {fault.message}" for fault in refused.value.faults]


def warnings(tmp_path: Path, text: str) -> list[str]:
    return [f"{warning.key}: {warning.message}" for warning in read(tmp_path, text).warnings]


def test_a_service_says_little_and_has_the_rest_by_default(tmp_path: Path) -> None:
    it = read(tmp_path, "[services.web]\nrun = 'serve'").services["web"]

    assert (it.name, it.life.run, it.life.working_dir) == ("web", "serve", str(tmp_path))
    assert (it.instances, it.restart, it.restart_backoff) == (1, Restart.ALWAYS, Backoff.EXPONENTIAL)
    assert (it.restart_attempts, it.restart_delay, it.healthy_after) == (
        10,
        timedelta(seconds=1),
        timedelta(seconds=1),
    )
    assert (it.health, it.port, it.autostart, it.depends_on) == (None, None, True, ())
    assert it.life.keep_runs == 1000


def test_a_service_says_all_that_it_may(tmp_path: Path) -> None:
    it = read(
        tmp_path,
        """
        [services.db]
        run = "x"
        [services.web]
        run = ["serve", "--well"]
        instances = 3
        restart = "on_failure"
        restart_delay = "2s"
        restart_backoff = "linear"
        restart_attempts = 0
        healthy_after = "5s"
        port = 8000
        autostart = false
        depends_on = "db"
        reload_signal = "HUP"
        tags = ["a", "a"]
        keep_runs = 5
        [services.web.health]
        tcp = "{port}"
        interval = "1s"
        restart = false
        """,
    ).services["web"]

    assert (it.instances, it.restart, it.restart_attempts) == (3, Restart.ON_FAILURE, 0)
    assert (it.port_of(2), it.autostart, it.depends_on, it.reload_signal) == (8002, False, ("db",), "SIGHUP")
    assert it.health == HealthCheck(tcp="127.0.0.1:{port}", interval=timedelta(seconds=1), restart=False)
    assert (it.life.run, it.life.tags, it.life.keep_runs) == (("serve", "--well"), ("a",), 5)


def test_the_defaults_hold_for_services_as_far_as_these_have_such_keys(tmp_path: Path) -> None:
    it = read(
        tmp_path,
        """
        [defaults]
        env = { A = "1", B = "2" }
        timeout = "1h"
        grace = "9s"
        keep_runs = 7
        on_overlap = "skip"
        [services.web]
        run = "serve"
        env = { B = "3" }
        """,
    ).services["web"]

    assert dict(it.life.env) == {"A": "1", "B": "3"}
    assert (it.life.timeout, it.life.grace, it.life.keep_runs) == (None, timedelta(seconds=9), 7)


def test_a_check_looks_at_one_thing(tmp_path: Path) -> None:
    table = "[services.web]\nrun = 'serve'\nhealth = "

    assert faults(tmp_path, table + "{}") == ["services.web.health: nothing is looked at"]
    assert faults(tmp_path, table + "{ tcp = 80, notify = true }") == [
        "services.web.health: it is looked at tcp already, and not at notify"
    ]
    assert faults(tmp_path, table + "{ tcp = 80, interval = 0 }") == [
        "services.web.health: an interval of 0 would never rest"
    ]


@pytest.mark.parametrize(
    ("health", "wrong"),
    [
        ('{ tcp = "db" }', 'tcp: the text "db" is no host and port'),
        ("{ tcp = 70000 }", "tcp: there is no port 70000"),
        ('{ http = "localhost" }', 'http: "localhost" is no address'),
        ('{ http = "http://127.0.0.1:{port}/" }', "http: {port} is not known: the service has no port"),
        ('{ command = ["ask", "{port}"] }', "command: {port} is not known: the service has no port"),
        ("{ notify = false }", "notify: false does not fit here"),
        ('{ tcp = 80, every = "5s" }', "every: there is no key every in [services.web.health]"),
    ],
)
def test_what_is_wrong_with_a_check_is_named(tmp_path: Path, health: str, wrong: str) -> None:
    text = f"[services.web]\nrun = 'serve'\nhealth = {health}"

    assert faults(tmp_path, text) == [f"services.web.health.{wrong}"]


def test_what_else_notify_may_be_is_said_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        read(tmp_path, "[services.web]\nrun = 'serve'\nhealth = { notify = false }")

    assert [fault.allowed for fault in refused.value.faults] == ["true"]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("stopwaitsecs", "grace"), ("restart_sec", "restart_delay"), ("startsecs", "healthy_after")],
)
def test_what_other_supervisors_call_it_is_known(tmp_path: Path, theirs: str, ours: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        read(tmp_path, f"[services.web]\nrun = 'serve'\n{theirs} = 3")

    assert [fault.nearest for fault in refused.value.faults] == [ours]


def test_a_circle_of_dependence_is_told_once_with_its_way(tmp_path: Path) -> None:
    text = "\n".join(
        f"[services.{name}]\nrun = 'x'\ndepends_on = {list(others)}"
        for name, others in {"a": "b", "b": "c", "c": "a", "d": "a", "e": "e"}.items()
    )

    assert faults(tmp_path, text) == [
        "services.a.depends_on: none of these can be the first: a waits for b waits for c waits for a",
        "services.e.depends_on: none of these can be the first: e waits for e",
    ]


def test_what_is_depended_on_has_to_be_a_service(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        read(
            tmp_path,
            """
            [tasks.job]
            run = "x"
            [services.database]
            run = "x"
            [services.web]
            run = "x"
            depends_on = ["databse", "job"]
            """,
        )

    first, second = refused.value.faults
    assert (first.message, first.nearest) == ('there is no service "databse"', "database")
    assert second.message == '"job" is a task, which is never healthy'


def test_tasks_and_services_share_their_names(tmp_path: Path) -> None:
    assert faults(tmp_path, "[tasks.web]\nrun = 'x'\n[services.web]\nrun = 'y'") == [
        'services.web: there is a task "web" too, and tasks and services share their names'
    ]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("instances = 65", "instances: the number 65 is too large"),
        ("instances = 0", "instances: the number 0 is too small"),
        ('restart = "sometimes"', 'restart: the text "sometimes" is not one of them'),
        ("port = 65530\ninstances = 9", "port: the last of 9 instances would have the port 65538"),
        ('reload_signal = "HOP"', 'reload_signal: "HOP" is not a signal to send'),
        ("replicas = 3", "replicas: there is no key replicas in [services.web]"),
        ('cron = "@daily"', "cron: cron has no place in [services.web]"),
    ],
)
def test_what_is_wrong_with_a_service_is_named(tmp_path: Path, line: str, wrong: str) -> None:
    assert faults(tmp_path, f"[services.web]\nrun = 'serve'\n{line}") == [f"services.web.{wrong}"]


def test_what_is_probably_not_meant_is_doubted(tmp_path: Path) -> None:
    text = """
    [services.a]
    run = "serve &"
    port = 8000
    instances = 2
    [services.b]
    run = "serve"
    port = 8001
    restart = "never"
    restart_attempts = 3
    """

    assert warnings(tmp_path, text) == [
        "services.a.run: it goes to the background, and its life is over at once; leave out the &",
        'services.b.restart_attempts: nothing is started again: restart is "never"',
        'services.b.port: two cannot listen at one port: 8001 is also of "a"',
    ]


def test_the_command_of_a_check_is_left_to_its_shell(tmp_path: Path) -> None:
    text = """[services.web]
run = "serve ${X}"
health = { command = "test -n ${Y}" }"""

    it = read(tmp_path, text).services["web"]

    assert it.health is not None
    assert (it.life.run, it.health.command) == ("serve ${X}", "test -n ${Y}")
