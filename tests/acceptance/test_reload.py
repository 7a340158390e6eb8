"""The configuration is loaded anew, all of it or nothing, with the installed program."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
from installed import until_gone, until_true

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from installed import Installed

BEFORE = """
[server]
timezone = "UTC"

[tasks.steady]
run = "while [ ! -e go ]; do sleep 0.05; done; exit 3"
exit_codes = [3]

[tasks.old]
run = "sleep 600"
grace = "0s"
"""
AFTER = """
[server]
timezone = "Europe/Paris"
port = 1

[tasks.steady]
run = "while [ ! -e go ]; do sleep 0.05; done; exit 3"
cron = "0 0 1 1 *"

[tasks.new]
run = "echo new"
"""


def fates(rota: Installed) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A run of each of two tasks that lives, and one that waits."""
    steady, old = rota.trigger("steady"), rota.trigger("old")
    waiting = rota.trigger("old")
    rota.until_running(steady["id"])
    rota.until_running(old["id"])
    return steady, old, waiting


def rewrite(rota: Installed, text: str) -> None:
    rota.config.write_text(text)


def test_a_reload_says_what_it_changes_and_a_dry_run_says_it_beforehand(
    install: Callable[[str], Installed],
) -> None:
    rota = install(BEFORE).start()
    _, _, waiting = fates(rota)
    rewrite(rota, AFTER)

    status, would, _ = rota.http("POST", "/api/reload?dry_run=true")
    assert status == 200
    assert rota.run(waiting["id"])["status"] == "pending"
    assert [task["name"] for task in rota.client.tasks()] == ["old", "steady"]
    status, did, _ = rota.http("POST", "/api/reload")

    assert status == 200
    assert (would.pop("dry_run"), did.pop("dry_run")) == (True, False)
    assert would == did
    assert did["added"] == [{"kind": "task", "name": "new"}]
    assert did["removed"] == [{"kind": "task", "name": "old"}]
    assert did["changed"] == [
        {"kind": "task", "name": "steady", "keys": ["cron", "exit_codes"]},
        {"kind": "table", "name": "server", "keys": ["timezone"]},
    ]
    assert did["stopped"] == [{"kind": "run", "name": "old", "run_id": waiting["id"]}]
    assert did["needs_server_restart"] == []  # --port has the last word on the port
    assert [task["name"] for task in rota.client.tasks()] == ["new", "steady"]
    assert rota.client.info()["timezone"] == "Europe/Paris"
    assert rota.rota("run", "new").stdout == "new\n"


def test_runs_in_flight_finish_under_their_definition_which_can_be_shown(
    install: Callable[[str], Installed],
) -> None:
    rota = install(BEFORE).start()
    steady, old, waiting = fates(rota)

    rewrite(rota, AFTER)
    assert rota.rota("reload").returncode == 0

    ended = rota.until_ended(waiting["id"])
    assert (ended["end_reason"], ended["start_at"]) == ("stopped", None)
    assert rota.run(old["id"])["status"] == "running"
    (rota.folder / "go").touch()
    ended = rota.until_ended(steady["id"])
    assert (ended["end_reason"], ended["exit_code"], ended["revision"]) == ("success", 3, 1)
    status, revision, _ = rota.http("GET", "/api/tasks/steady/revisions/1")
    assert status == 200
    assert revision["definition"]["exit_codes"] == [3]
    assert "cron" not in revision["definition"]
    shown = rota.rota("show", steady["id"], "--definition")
    assert ["exit_codes", "[3]"] in [line.split() for line in shown.stdout.splitlines()]
    again = rota.until_ended(rota.trigger("steady")["id"])
    assert (again["end_reason"], again["revision"]) == ("failed", 2)
    _, revisions, _ = rota.http("GET", "/api/tasks/steady/revisions")
    assert [each["revision"] for each in revisions["items"]] == [2, 1]
    assert rota.http("GET", "/api/tasks/steady/revisions/3")[0] == 404
    assert rota.http("GET", "/api/tasks/old/revisions/1")[0] == 200  # its runs are still there


def test_a_run_finishes_under_its_definition_though_the_server_was_killed_and_started_with_another_file(
    install: Callable[[str], Installed],
) -> None:
    rota = install(BEFORE).start()
    steady, _, _ = fates(rota)

    rota.kill()
    rewrite(rota, AFTER)
    rota.start()
    (rota.folder / "go").touch()

    assert rota.until_ended(steady["id"])["end_reason"] == "success"


def test_any_fault_refuses_all_of_it_and_each_is_named_with_its_line(
    install: Callable[[str], Installed],
) -> None:
    rota = install(BEFORE).start()
    rewrite(rota, AFTER + '\n[tasks.bad]\nrun = "true"\ncron = "nonsense"\n\n[tasks.worse]\nrnu = "true"\n')

    for path in ("/api/reload?dry_run=true", "/api/reload"):
        status, problem, answer = rota.http("POST", path)
        assert (status, answer.getheader("content-type")) == (422, "application/problem+json")
        assert problem["type"] == "/problems/configuration-refused"
        assert [error["location"] for error in problem["errors"]] == [
            f"{rota.config}:15:1", f"{rota.config}:18:1",
        ]  # fmt: skip
        assert "tasks.bad.cron" in problem["errors"][0]["message"]
    said = rota.rota("reload")

    assert said.returncode == 1
    assert f"{rota.config}:18:1: tasks.worse.rnu" in said.stderr
    assert [task["name"] for task in rota.client.tasks()] == ["old", "steady"]
    assert rota.client.info()["config_refused"]["by"] == "cli"


def test_sighup_reloads_and_its_refusal_shows_in_the_status_until_a_file_is_taken(
    install: Callable[[str], Installed],
) -> None:
    rota = install(BEFORE).start()
    assert rota.server is not None
    rewrite(rota, "[tasks.x]\nrnu = 1\n")

    rota.server.send_signal(signal.SIGHUP)
    until_true(lambda: rota.client.info()["config_refused"] is not None, "the refusal shows")

    refused = rota.client.info()["config_refused"]
    assert refused["by"] == "SIGHUP"
    assert [f"{rota.config}:2:1" in fault for fault in refused["faults"]] == [True]
    shown = rota.rota("status")
    assert (shown.returncode, f"{rota.config}:2:1: tasks.x.rnu" in shown.stdout) == (0, True)

    rewrite(rota, AFTER)
    rota.server.send_signal(signal.SIGHUP)
    until_true(lambda: rota.client.info()["config_refused"] is None, "the file is taken")
    assert [task["name"] for task in rota.client.tasks()] == ["new", "steady"]


def test_a_key_that_cannot_change_while_serving_is_named_until_the_server_starts_again(
    install: Callable[[str], Installed],
) -> None:
    rota = install(BEFORE).start()
    rewrite(rota, BEFORE.replace("[server]", '[server]\nhost = "localhost"'))

    answers = [json.loads(rota.rota("reload", "--json").stdout) for _ in range(2)]

    assert [answer["needs_server_restart"] for answer in answers] == [["server.host"]] * 2
    rota.terminate()
    rota.start()
    assert json.loads(rota.rota("reload", "--json").stdout)["needs_server_restart"] == []


@pytest.mark.parametrize("by", ["terminal", "signal"])
def test_a_terminal_that_is_closed_ends_the_server_and_nothing_else_does_so(
    install: Callable[[str], Installed], by: str
) -> None:
    rota = install(BEFORE)
    pid, terminal = os.forkpty()
    if pid == 0:
        from installed import ROTA

        words = ["serve", "--config", str(rota.config), "--data", str(rota.data), "--port", str(rota.port)]
        os.execv(ROTA, [ROTA, *words])
    try:
        until_true(lambda: (rota.data / "server.json").exists(), "it serves")
        loaded = rota.client.info()["config_loaded_at"]
        os.kill(pid, signal.SIGHUP)
        until_true(lambda: rota.client.info()["config_loaded_at"] != loaded, "it has reloaded")
        if by == "signal":
            os.kill(pid, signal.SIGTERM)
    finally:
        os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


WATCHED = '[server]\nwatch = true\n\n[tasks.a]\nrun = "echo one"\n'


def names(rota: Installed) -> list[str]:
    return [task["name"] for task in rota.client.tasks()]


def replace(path: Path, text: str) -> None:
    """As editors save: a file of its own, renamed over the old one."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text)
    draft.replace(path)


def test_a_watched_file_is_taken_by_itself_however_it_is_written(install: Callable[[str], Installed]) -> None:
    rota = install(WATCHED).start()

    replace(rota.config, WATCHED + '[tasks.b]\nrun = "true"\n')
    until_true(lambda: names(rota) == ["a", "b"], "a file that was renamed over it is taken")
    with rota.config.open("a") as file:
        file.write('[tasks.c]\nrun = "true"\n')
    until_true(lambda: names(rota) == ["a", "b", "c"], "a file that was written to is taken")
    rota.config.write_text(WATCHED + "[tasks.b]\n")
    until_true(lambda: rota.client.info()["config_refused"] is not None, "a fault is refused, and shown")

    refused = rota.client.info()["config_refused"]
    assert (refused["by"], names(rota)) == ("watch", ["a", "b", "c"])
    assert f"{rota.config}:6:8: tasks.b.run" in rota.rota("status").stdout
    rota.config.write_text(WATCHED)
    until_true(lambda: rota.client.info()["config_refused"] is None, "the next is taken")
    assert names(rota) == ["a"]


def test_included_and_environment_files_are_watched_and_new_ones_that_a_pattern_matches(
    install: Callable[[str], Installed],
) -> None:
    rota = install('include = "conf.d/*.toml"\n' + WATCHED)
    (rota.folder / "conf.d").mkdir()
    rota.start()

    (rota.folder / "conf.d" / "x.toml").write_text('[tasks.x]\nrun = "echo $A"\nenv_file = "x.env"\n')
    until_true(lambda: rota.client.info()["config_refused"] is not None, "its env_file is missing")
    (rota.folder / "conf.d" / "x.env").write_text("A=first\n")
    until_true(lambda: names(rota) == ["a", "x"], "a new file is taken as soon as all that it names is there")
    assert rota.rota("run", "x").stdout == "first\n"
    loaded = rota.client.info()["config_loaded_at"]
    replace(rota.folder / "conf.d" / "x.env", "A=second\n")
    until_true(lambda: rota.client.info()["config_loaded_at"] != loaded, "the environment file is read again")
    assert rota.rota("run", "x").stdout == "second\n"
    (rota.folder / "conf.d" / "x.toml").unlink()
    until_true(lambda: names(rota) == ["a"], "a file that is removed takes its tasks along")


def test_a_configuration_behind_links_is_watched_as_kubernetes_mounts_it(
    install: Callable[[str], Installed],
) -> None:
    rota = install("")
    for version, text in (("v1", WATCHED), ("v2", WATCHED.replace("tasks.a", "tasks.b"))):
        (rota.folder / version).mkdir()
        (rota.folder / version / "rota.toml").write_text(text)
    (rota.folder / "..data").symlink_to("v1")
    rota.config.unlink()
    rota.config.symlink_to("..data/rota.toml")
    rota.start()
    assert names(rota) == ["a"]

    (rota.folder / "..data_tmp").symlink_to("v2")
    (rota.folder / "..data_tmp").rename(rota.folder / "..data")

    until_true(lambda: names(rota) == ["b"], "the new version is taken")
    assert rota.client.info()["config"] == str(rota.config)


def test_without_watch_a_changed_file_is_only_told_of_until_it_is_loaded(
    install: Callable[[str], Installed],
) -> None:
    rota = install('include = ["conf.d/*.toml"]\n' + BEFORE)
    (rota.folder / "conf.d").mkdir()
    rota.start()
    assert rota.client.info()["config_changed"] is False

    (rota.folder / "conf.d" / "more.toml").write_text('[tasks.more]\nrun = "true"\n')

    assert rota.client.info()["config_changed"] is True
    assert "rota reload" in rota.rota("status").stdout
    added = json.loads(rota.rota("reload", "--json").stdout)["added"]
    assert added == [{"kind": "task", "name": "more"}]
    assert rota.client.info()["config_changed"] is False


SERVICES = """
[services.steady]
run = "exec sleep 600"

[services.web]
run = "exec sleep 600"
instances = 3
env = { COLOUR = "blue" }

[services.few]
run = "exec sleep 600"
instances = 2

[services.old]
run = "exec sleep 600"
"""


def lives(rota: Installed, name: str) -> list[int | None]:
    """The pids of a service's instances."""
    _, service, _ = rota.http("GET", f"/api/services/{name}")
    return [instance["pid"] for instance in service["instances"]]


def all_healthy(rota: Installed, *services: str) -> bool:
    found = [rota.http("GET", f"/api/services/{name}")[1] for name in services]
    return all(service["healthy"] == service["scale"] for service in found)


def test_services_restart_scale_stop_and_stay_as_their_definitions_say(
    install: Callable[[str], Installed],
) -> None:
    rota = install(SERVICES).start()
    until_true(lambda: all_healthy(rota, "steady", "web", "few", "old"), "all are healthy")
    before = {name: lives(rota, name) for name in ("steady", "web", "few", "old")}
    changed = (
        SERVICES.partition("[services.old]")[0]
        .replace("blue", "red")
        .replace("instances = 2", "instances = 4")
    )
    rota.config.write_text(changed + '[services.new]\nrun = "exec sleep 600"\n')

    would = json.loads(rota.rota("reload", "--dry-run", "--json").stdout)
    did = json.loads(rota.rota("reload", "--json").stdout)

    assert {**would, "dry_run": False} == did
    assert did["added"] == [{"kind": "service", "name": "new"}]
    assert did["removed"] == [{"kind": "service", "name": "old"}]
    assert did["changed"] == [
        {"kind": "service", "name": "web", "keys": ["env"]},
        {"kind": "service", "name": "few", "keys": ["instances"]},
    ]
    assert (did["restarted"], did["scaled"]) == (["web"], ["few"])
    assert did["stopped"] == [{"kind": "service", "name": "old", "run_id": None}]
    until_true(lambda: set(before["web"]).isdisjoint(lives(rota, "web")), "every instance is another")
    until_true(lambda: all_healthy(rota, "steady", "web", "few", "new"), "all are healthy")
    assert lives(rota, "steady") == before["steady"]
    assert lives(rota, "few")[:2] == before["few"]
    assert len(lives(rota, "few")) == 4
    [old] = before["old"]
    assert old is not None
    until_gone(old)
    assert rota.http("GET", "/api/services/old")[0] == 404
    assert [rota.run(run["id"])["revision"] for run in rota.runs(task_name="web", status="running")] == [
        2
    ] * 3


def test_a_service_that_was_stopped_stays_so_and_one_whose_description_changes_keeps_its_pids(
    install: Callable[[str], Installed],
) -> None:
    rota = install(SERVICES).start()
    until_true(lambda: all_healthy(rota, "steady", "web"), "they are healthy")
    rota.http("POST", "/api/services/web/stop")
    steady = lives(rota, "steady")
    text = SERVICES.replace("blue", "red").replace(
        "[services.steady]", "[services.steady]\ndescription = 'x'"
    )
    rota.config.write_text(text)

    did = json.loads(rota.rota("reload", "--json").stdout)

    assert did["restarted"] == []
    assert {"kind": "service", "name": "steady", "keys": ["description"]} in did["changed"]
    assert lives(rota, "steady") == steady
    until_true(lambda: lives(rota, "web") == [None] * 3, "it is stopped")


def test_a_fault_in_a_service_leaves_every_task_and_service_as_it_was(
    install: Callable[[str], Installed],
) -> None:
    rota = install(SERVICES).start()
    until_true(lambda: all_healthy(rota, "steady", "web"), "they are healthy")
    before = lives(rota, "web")
    rota.config.write_text(
        SERVICES.replace("blue", "red") + '[tasks.t]\nrun = "true"\n[services.bad]\nrnu = 1\n'
    )

    assert rota.rota("reload").returncode == 1

    assert lives(rota, "web") == before
    assert rota.client.tasks() == []
