"""README: a secret is given to the program, and shown nowhere: not by a surface, a log, or a file."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from typing import TYPE_CHECKING

from installed import ROTA, Installed, environment, until_true

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = """
[defaults]
secrets = { SHARED = "${file:shared.secret}" }

[tasks.show]
run = 'echo "$SHARED $OWN $FILED" >&2; test "${#SHARED}-${#OWN}-${#FILED}" = 14-16-9'
secrets_file = "keys.env"
secrets = { OWN = "open-sesame-4711" }

[tasks.given]
run = 'echo "$TOKEN"; echo "${#TOKEN}"'
params = [{ env = "TOKEN", type = "secret" }]

[tasks.wait]
run = 'printf "$SHARED"; sleep 600'

[tasks.fails]
run = ["/no/such/program"]
"""
SECRETS = ("swordfish-8150", "open-sesame-4711", "two words", "given-by-hand")


def installed(install: Callable[[str], Installed]) -> Installed:
    rota = install(CONFIG)
    (rota.folder / "shared.secret").write_text("swordfish-8150\n")
    (rota.folder / "keys.env").write_text("FILED='two words'\n")
    return rota.start()


def test_the_program_gets_its_secrets_and_nobody_else_does(install: Callable[[str], Installed]) -> None:
    rota = installed(install)
    waiting = rota.trigger("wait")["id"]
    rota.until_running(waiting)

    shown = rota.rota("run", "show")
    given = subprocess.run(
        [ROTA, "run", "given", "-p", "TOKEN", "--data", rota.data],
        input="given-by-hand\n", capture_output=True, text=True, env=environment(), check=True,
    )  # fmt: skip
    told = [
        rota.rota("run", "fails"),
        rota.rota("list", "--json"),
        rota.rota("runs", "--json"),
        given,
        rota.rota("show", waiting),
        rota.rota("show", rota.runs(task_name="given")[0]["id"]),
        rota.rota("logs", "show"),
        rota.rota("status"),
        rota.rota("validate", "--config", str(rota.config)),
        rota.rota("validate", "--json", "--config", str(rota.config)),
    ]
    answers = [
        rota.http("GET", path)[1]
        for path in ("/api/tasks", "/api/tasks/show", "/api/runs", "/api/info", f"/api/runs/{waiting}/log")
    ]
    rota.kill()
    rota.start()
    rota.client.stop(waiting)
    rota.until_ended(waiting)

    assert given.stdout == "[redacted]\n13\n"
    assert shown.returncode == 0
    assert "[redacted] [redacted] [redacted]" in shown.stderr
    assert answers[1]["secrets"] == ["FILED", "OWN", "SHARED"]
    said = json.dumps(answers) + "".join(each.stdout + each.stderr for each in (shown, *told))
    for secret in SECRETS:
        assert secret not in said
        assert _files_with(rota.data, secret) == []
        assert secret not in (rota.folder / "server.log").read_text()
    assert rota.log(waiting) == "[redacted]"


def test_a_file_with_a_fault_in_a_secret_is_refused_without_it(tmp_path: Path) -> None:
    config = tmp_path / "rota.toml"
    config.write_text(
        '[tasks.a]\nrun = "true"\nsecrets = { PIN = 90210, KEY = "xyz", GONE = "${NO_SUCH}" }\n'
    )

    done = subprocess.run(
        [ROTA, "validate", config], capture_output=True, text=True, env=environment(), check=False
    )

    assert done.returncode == 1
    assert [line.split(": ")[0].removeprefix(str(config)) for line in done.stdout.splitlines()] == [
        ":3:13",
        ":3:26",
        ":3:39",
    ]
    assert not any(secret in done.stdout for secret in ("90210", "xyz"))


def _files_with(folder: Path, text: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_a_job_s_environment_is_sealed_until_its_end_and_asked_for_again(
    install: Callable[[str], Installed],
) -> None:
    rota = install("[jobs]\nmax_concurrent = 1\n").start()
    holder = rota.http("POST", "/api/jobs", {"command": "sleep 600"})[1]["id"]
    body = {"command": 'echo "${#TOKEN}"; sleep 600', "env": {"TOKEN": "given-by-hand", "LEVEL": "1"}}
    job = rota.http("POST", "/api/jobs", body)[1]
    waiting = _sealed(rota, job["id"])

    rota.kill()
    rota.start()
    rota.client.stop(holder)
    until_true(lambda: rota.log(job["id"]) == "13\n", "it has its environment")
    running = _sealed(rota, job["id"])
    rota.client.stop(job["id"])
    rota.until_ended(job["id"])
    status, refused, _ = rota.http("POST", f"/api/runs/{job['id']}/rerun")
    again = {"env": {"TOKEN": "another", "LEVEL": "1"}}
    rerun = rota.http("POST", f"/api/runs/{job['id']}/rerun", again)[1]
    until_true(lambda: rota.log(rerun["id"]) == "7\n", "it has the other one")

    assert waiting is not None
    assert running is not None
    assert _sealed(rota, job["id"]) is None
    assert job["env"] == ["LEVEL", "TOKEN"]
    assert status == 422
    assert [each["location"] for each in refused["errors"]] == ["body.env.LEVEL", "body.env.TOKEN"]
    assert "given-by-hand" not in json.dumps([job, rota.run(job["id"])])
    assert _files_with(rota.data, "given-by-hand") == []


def _sealed(rota: Installed, run_id: str) -> str | None:
    with sqlite3.connect(rota.data / "rota.db") as connection:
        [(text,)] = connection.execute("SELECT sealed FROM runs WHERE id = ?", (run_id,))
    return text
