"""Parameters and environment, with the installed program: what a program is given, and what of it is kept."""

from __future__ import annotations

import json
import os
import pwd
import sqlite3
import subprocess
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from agents import agent
from installed import ROTA, Installed, environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = r"""
[defaults]
env = { IN_DEFAULTS = "defaults", IN_ENV = "defaults" }

[tasks.show]
run = 'printf "[%s]" "$@"; env | grep ^P_ | sort'
params = [
  { arg = "who", default = "world" },
  { option = "--level", choices = ["low", "high"], default = "low" },
  { option = "-n", type = "integer", min = 1, max = 10 },
  { flag = "--dry-run" },
  { flag = "-v", default = true },
  { env = "P_TEXT" },
  { env = "P_NUMBER", type = "number", max = 99.5 },
  { env = "P_TRUTH", type = "boolean" },
  { env = "P_DAY", type = "date", min = 2026-01-01 },
  { env = "P_AT", type = "datetime" },
  { env = "P_FREE", choices = ["x", "y"], allow_custom = true },
  { env = "P_CODE", pattern = "[a-z]+-[0-9]+" },
]

[tasks.needs]
run = ["/usr/bin/printf", "<%s>"]
params = [{ arg = "what", required = true, description = "What to print" }]

[tasks.again]
run = 'echo "$1 ${#TOKEN} $COUNT"; false'
retry = { attempts = 2, delay = "2s" }
params = [
  { arg = "what", required = true },
  { env = "TOKEN", type = "secret", required = true },
  { env = "COUNT", type = "integer", default = 1 },
]

[tasks.layers]
run = 'env'
env_base = "inherit"
env_file = "plain.env"
secrets_file = "secret.env"
secrets = { IN_SECRETS = "the secrets", IN_PARAMS = "the secrets" }
params = [{ env = "IN_PARAMS" }]

[tasks.layers.env]
IN_ENV = "env"
IN_SECRETS_FILE = "env"
IN_SECRETS = "env"
IN_PARAMS = "env"
EXPANDED = "<${FROM_SERVER}>"
KEPT = "$${HOME}"

[tasks.clean]
run = 'env'
env_base = "clean"

[tasks.other]
run = 'id -un; id -gn; umask; nice; echo "$HOME $USER $LOGNAME $SHELL"; pwd'
user = "nobody:daemon"
umask = "027"
nice = 5
env = { LOGNAME = "mine" }
working_dir = "/"

[tasks.nobody-at-all]
run = "true"
user = "no-such-user"
"""
NAMES = ("IN_FILE", "IN_ENV", "IN_SECRETS_FILE", "IN_SECRETS", "IN_PARAMS")


SERVER = {"FROM_SERVER": "server", **dict.fromkeys(("IN_BASE", *NAMES), "server")}


@pytest.fixture(scope="module")
def rota(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    rota = Installed(tmp_path_factory.mktemp("parameters"), CONFIG)
    (rota.folder / "plain.env").write_text("".join(f"{name}='the file'\n" for name in NAMES))
    (rota.folder / "secret.env").write_text("".join(f"{name}='the secret file'\n" for name in NAMES[2:]))
    rota.start(**SERVER)
    yield rota
    rota.end()


def run(rota: Installed, task: str, params: dict[str, Any] | None = None) -> tuple[dict[str, Any], str]:
    status, run, _ = rota.http("POST", f"/api/tasks/{task}/run?wait=true", {"params": params or {}})
    assert status == 201, run
    return run, rota.log(run["id"])


# --- parameters


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({}, "[world][--level][low][-v]"),
        ({"who": None, "--level": None, "-v": None}, "[]"),
        ({"who": "", "-v": False, "--dry-run": True}, "[][--level][low][--dry-run]"),
        ({"who": 'a; $(b) "c"\nd \'', "-n": 3.0, "-v": "false"}, '[a; $(b) "c"\nd \'][--level][low][-n][3]'),
        ({"P_TEXT": "", "P_NUMBER": -1.5}, "[world][--level][low][-v]P_NUMBER=-1.5\nP_TEXT=\n"),
        (
            {"P_TRUTH": True, "P_DAY": "2026-02-28"},
            "[world][--level][low][-v]P_DAY=2026-02-28\nP_TRUTH=true\n",
        ),
        (
            {"P_AT": "2026-02-28T10:00:00+01:00", "P_FREE": "z", "P_CODE": "ab-1"},
            "[world][--level][low][-v]P_AT=2026-02-28T10:00:00+01:00\nP_CODE=ab-1\nP_FREE=z\n",
        ),
    ],
)
def test_a_program_finds_what_a_trigger_gives_and_the_run_keeps_it(
    rota: Installed, given: dict[str, Any], written: str
) -> None:
    ended, log = run(rota, "show", given)

    assert log == written
    assert {name for name, value in ended["params"].items() if value is None} == {
        name for name, value in given.items() if value is None and name != "-v"
    }
    assert ended["params"]["-v"] in ("true", "false")


def test_every_fault_is_told_at_once_with_those_of_the_rest_of_the_request(rota: Installed) -> None:
    given = {
        "nope": 1, "who": 3, "--level": "mid", "-n": "11", "--dry-run": "maybe", "-v": "", "P_NUMBER": 1e300,
        "P_TRUTH": 1, "P_DAY": "2025-12-31", "P_AT": "2026-01-01T00:00:00", "P_CODE": "ab-1\n",
        "P_TEXT": "a\0",
    }  # fmt: skip

    status, problem, _ = rota.http("POST", "/api/tasks/show/run?wiat=1", {"params": given, "force": True})
    missing = rota.http("POST", "/api/tasks/needs/run")
    null = rota.http("POST", "/api/tasks/needs/run", {"params": {"what": None}})

    assert status == 422
    found = {fault["location"] for fault in problem["errors"]}
    assert found == {"query.wiat", "body.force", *(f"body.params.{name}" for name in given)}
    assert [each[0] for each in (missing, null)] == [422, 422]
    assert run(rota, "needs", {"what": ""})[1] == "<>"


async def test_an_agent_finds_the_schema_of_each_task_and_gives_its_values_in_one_object(
    rota: Installed,
) -> None:
    async with agent(rota) as one:
        listed = {task["name"]: task for task in (await one.use("list_tasks"))["tasks"]}
        shown = await one.use("get_task_status", task_id="show")
        told = await one.use("run_task", task_id="show", params={"who": "agent", "-n": 2, "-v": None})
        refused = await one.refused("run_task", task_id="show", params={"-n": 11, "whom": "x"})

    schema = rota.http("GET", "/api/tasks/show")[1]["params_schema"]
    assert listed["show"]["params_schema"] == shown["params_schema"] == schema
    assert listed["needs"]["params_schema"]["required"] == ["what"]
    for params, fits in (
        ({"-n": 2}, True),
        ({"-n": 11}, False),
        ({"whom": "x"}, False),
        ({"who": None}, True),
    ):
        assert jsonschema_rs.is_valid(schema, params) is fits
    assert rota.log(told["run_id"]) == "[agent][--level][low][-n][2]"
    assert "-n" in refused
    assert "did you mean who?" in refused


def test_a_retry_gets_what_the_first_attempt_got_over_a_kill_9_and_a_rerun_asks_for_the_secret(
    rota: Installed,
) -> None:
    words = ["run", "again", "--no-wait", "-p", "what=a b", "-p", "TOKEN", "--null", "COUNT"]
    started = subprocess.run(
        [ROTA, *words, "--data", rota.data],
        input="hunter2-4711\n", capture_output=True, text=True, env=environment(), check=True,
    )  # fmt: skip
    first = rota.until_ended(started.stdout.strip())
    kept = [sealed(rota, run_id) for run_id in (first["id"], first["next_attempt_run_id"])]
    rota.kill()
    rota.start(**SERVER)
    second = rota.until_ended(first["next_attempt_run_id"])

    refused = rota.rota("rerun", first["id"])
    _, rerun, _ = rota.http("POST", f"/api/runs/{first['id']}/rerun", {"params": {"TOKEN": "other-4711"}})
    cancelled = rota.until_ended(rerun["id"])["next_attempt_run_id"]
    rota.client.stop(cancelled)

    assert kept[0] is None
    assert "hunter2" not in str(kept[1])
    assert [sealed(rota, run_id) for run_id in (second["id"], cancelled)] == [None, None]
    shown = {"what": "a b", "TOKEN": "[redacted]", "COUNT": None}
    assert first["params"] == second["params"] == rerun["params"] == shown
    assert rota.log(first["id"]) == rota.log(second["id"]) == "a b 12 \n"
    assert rota.log(rerun["id"]) == "a b 10 \n"
    assert "body.params.TOKEN: it is a secret, which is not kept: give it again" in refused.stderr
    files = [path for path in rota.data.rglob("*") if path.is_file()]
    assert not any(b"4711" in path.read_bytes() for path in files)


def sealed(rota: Installed, run_id: str) -> str | None:
    with sqlite3.connect(rota.data / "rota.db") as connection:
        [(text,)] = connection.execute("SELECT sealed FROM runs WHERE id = ?", (run_id,))
    return text


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ('cron = "@daily"\nparams = [{ arg = "who", required = true }]', "nobody gives it this value"),
        ('run_on_start = true\nparams = [{ env = "WHO", required = true }]', "nobody gives it this value"),
        ('after = "job"\nparams = [{ env = "WHO", required = true }]', "nobody gives it this value"),
        ('params = [{ arg = "a", env = "A" }]', "the parameter has a name already, as env"),
        ('params = [{ type = "integer" }]', "the parameter has no name"),
        ('params = [{ env = "A", type = "integer", default = 5, max = 4 }]', "is too large"),
        ('params = [{ arg = "key", type = "secret" }]', "can read the arguments of a process"),
        ('params = [{ env = "A", type = "secret", default = "abc" }]', "too short to be hidden"),
        ('params = [{ env = "A", choices = ["x"] }, { arg = "A" }]', 'there is a parameter "A" already'),
        ('shell = "/usr/bin/tclsh"\nparams = [{ arg = "a" }]', "would take an argument for a part of"),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_refused(tmp_path: Path, task: str, said: str) -> None:
    config = tmp_path / "rota.toml"
    config.write_text(f"[tasks.job]\nrun = 'true'\n[tasks.it]\nrun = 'echo \"$@\"'\n{task}\n")

    done = subprocess.run([ROTA, "validate", config], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert said in done.stdout


def test_an_argument_that_the_script_never_reads_is_warned_about(tmp_path: Path) -> None:
    config = tmp_path / "rota.toml"
    config.write_text("[tasks.it]\nrun = 'ls | wc -l'\nparams = [{ arg = 'where' }, { env = 'HOW' }]\n")

    done = subprocess.run([ROTA, "validate", config], capture_output=True, text=True, check=False)

    assert done.returncode == 0
    assert "the script never reads it" in done.stdout + done.stderr


# --- the environment


def test_each_layer_of_the_environment_wins_over_the_one_before(rota: Installed) -> None:
    plain = variables(rota.log(run(rota, "layers")[0]["id"]))
    given = variables(rota.log(run(rota, "layers", {"IN_PARAMS": "the parameter"})[0]["id"]))

    assert [plain[name] for name in ("IN_BASE", "IN_DEFAULTS", "IN_FILE", "IN_ENV")] == [
        "server",
        "defaults",
        "the file",
        "env",
    ]
    assert plain["IN_SECRETS_FILE"] == plain["IN_SECRETS"] == plain["IN_PARAMS"] == "[redacted]"
    assert given["IN_PARAMS"] == "the parameter"
    assert (plain["EXPANDED"], plain["KEPT"]) == ("<server>", "${HOME}")
    shown = rota.http("GET", "/api/tasks/layers")[1]
    assert shown["secrets"] == ["IN_PARAMS", "IN_SECRETS", "IN_SECRETS_FILE"]
    assert "the file" not in json.dumps(shown)


def test_a_clean_environment_is_that_of_a_login(rota: Installed) -> None:
    found = variables(run(rota, "clean")[1])

    assert {name for name in found if not name.startswith("ROTA_")} == {
        *("HOME", "LANG", "LOGNAME", "PATH", "SHELL", "USER"),
        *("IN_DEFAULTS", "IN_ENV"),
        "PWD",  # the shell's own
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="another user takes root")
def test_a_task_runs_as_its_user_with_its_umask_and_niceness(rota: Installed) -> None:
    home = pwd.getpwnam("nobody")

    _, log = run(rota, "other")

    assert log.splitlines() == [
        *("nobody", "daemon", "0027", "5"),
        f"{home.pw_dir} nobody mine {home.pw_shell}",
        "/",
    ]


def test_a_user_that_there_is_not_is_told_on_the_command_line(rota: Installed) -> None:
    done = rota.rota("run", "nobody-at-all")

    assert done.returncode == 125
    assert "could not be started: this machine has no user 'no-such-user'" in done.stderr


def variables(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
