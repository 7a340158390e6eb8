"""Runs are stopped, run again, deleted and restored: one, several, thousands of them."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from installed import is_alive, until_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from installed import Installed

CONFIG = """
[tasks.hello]
run = "echo hello $WHO"
max_concurrent = 4
max_queued = 10000
[[tasks.hello.params]]
env = "WHO"
default = "you"

[tasks.secret]
run = 'test "$TOKEN" = hunter2'
[[tasks.secret.params]]
env = "TOKEN"
type = "secret"

[tasks.slow]
run = "exec sleep 300"

[tasks.fails]
run = "exit 3"
"""

MANY = 20_000  #: of a hundred thousand the same is true, and takes five times as long
VERBS = ("delete", "restore")


def files(rota: Installed, run_id: str) -> list[str]:
    return sorted(path.suffix for path in (rota.data / "runs" / run_id[:7]).glob(f"{run_id}.*"))


def test_a_rerun_does_again_what_the_run_did(lend: Callable[[str], Installed]) -> None:
    rota = lend(CONFIG)
    _, run, _ = rota.http("POST", "/api/tasks/hello/run?wait=true", {"params": {"WHO": "ann"}})

    again = rota.rota("rerun", run["id"][-8:], "--wait")
    other = rota.rota("rerun", run["id"], "-p", "WHO=bob").stdout.strip()

    assert again.returncode == 0, again.stderr
    [first] = rota.runs(task_name="hello", triggered_by="cli", created_before=rota.run(other)["created_at"])
    assert (first["rerun_of_run_id"], rota.log(first["id"])) == (run["id"], "hello ann\n")
    rota.until_ended(other)
    assert rota.log(other) == "hello bob\n"


def test_a_rerun_asks_again_for_what_was_secret(lend: Callable[[str], Installed]) -> None:
    rota = lend(CONFIG)
    _, run, _ = rota.http("POST", "/api/tasks/secret/run?wait=true", {"params": {"TOKEN": "hunter2"}})
    _, job, _ = rota.http("POST", "/api/jobs?wait=true", {"command": "test $A = b", "env": {"A": "b"}})

    refused = rota.rota("rerun", run["id"], job["id"])
    given = rota.rota("rerun", run["id"], "-p", "TOKEN=hunter2", "--wait")
    job_given = rota.rota("rerun", job["id"], "-e", "A=b", "--wait")

    assert refused.returncode == 1
    assert "TOKEN" in refused.stderr
    assert "body.env.A" in refused.stderr
    assert "give it again" in refused.stderr
    assert given.returncode == job_given.returncode == 0, given.stderr + job_given.stderr
    assert len(rota.runs()) == 4


def test_a_deleted_run_is_gone_and_comes_back_with_its_log(
    lend: Callable[[str], Installed],
) -> None:
    rota = lend(CONFIG)
    run = rota.trigger("hello", "?wait=true")

    deleted = rota.rota("delete", run["id"])

    assert (deleted.returncode, deleted.stdout) == (0, "deleted 1 run\n")
    assert rota.rota("show", run["id"]).returncode == 1
    assert run["id"] in rota.rota("runs", "--deleted").stdout

    rota.kill()
    rota.start()
    restored = rota.rota("restore", run["id"][-8:])

    assert (restored.returncode, restored.stdout) == (0, "restored 1 run\n")
    assert rota.run(run["id"])["exit_code"] == 0
    assert rota.log(run["id"]) == "hello you\n"


def test_after_its_time_a_deleted_run_is_gone_for_good_with_its_files(
    install: Callable[[str], Installed],
) -> None:
    rota = install('[storage]\nkeep_deleted = "1s"\n' + CONFIG).start()
    run = rota.trigger("hello", "?wait=true")
    assert files(rota, run["id"])

    rota.rota("delete", run["id"])
    until_true(lambda: not files(rota, run["id"]), "the files of the deleted run are gone")

    assert "could be restored" in rota.rota("restore", run["id"]).stderr


def test_what_runs_cannot_be_deleted_and_the_others_are(lend: Callable[[str], Installed]) -> None:
    rota = lend(CONFIG)
    ended, slow = rota.trigger("hello", "?wait=true"), rota.trigger("slow")
    rota.until_running(slow["id"])

    deleted = rota.rota("delete", ended["id"], slow["id"])

    assert (deleted.returncode, deleted.stdout) == (1, "deleted 1 run\n")
    assert f"run {slow['id']} is running; stop it first" in deleted.stderr


def test_a_filter_stops_many_and_starts_none_of_those_that_wait(lend: Callable[[str], Installed]) -> None:
    rota = lend(CONFIG)
    first = rota.until_running(rota.trigger("slow")["id"])
    waiting = [rota.trigger("slow")["id"] for _ in range(20)]

    would = rota.rota("stop", "--task", "slow", "--dry-run")
    stopped = rota.rota("stop", "--task", "slow")

    assert would.stdout == "would have stopped 21 runs\n"
    assert stopped.returncode == 0, stopped.stderr
    assert not is_alive(first["pid"])
    runs = [rota.run(each) for each in waiting]
    assert {(run["end_reason"], run["start_at"]) for run in runs} == {("stopped", None)}


def test_a_filter_says_which_failed_runs_are_run_again(lend: Callable[[str], Installed]) -> None:
    rota = lend(CONFIG)
    failed = [rota.trigger("fails", "?wait=true")["id"] for _ in range(2)]
    rota.trigger("hello", "?wait=true")

    again = rota.rota("rerun", "--end-reason", "failed", "--wait")

    assert again.returncode == 1
    reruns = [run for run in rota.runs(task_name="fails") if run["rerun_of_run_id"]]
    assert sorted(run["rerun_of_run_id"] for run in reruns) == sorted(failed)


def test_all_of_them_are_only_meant_when_that_is_said(install: Callable[[str], Installed]) -> None:
    rota = install(CONFIG).start()
    rota.trigger("hello", "?wait=true")

    status, problem, _ = rota.http("POST", "/api/runs/bulk/delete", {"filter": {}})
    misused = rota.rota("delete")
    said = rota.rota("delete", "--all")

    assert status == 422
    assert "all: true" in problem["detail"]
    assert misused.returncode == 2
    assert said.stdout == "deleted 1 run\n"


def fill(rota: Installed, count: int) -> None:
    """Copies of one ended run, in a database that no server has open."""
    with sqlite3.connect(rota.data / "rota.db") as connection:
        connection.row_factory = sqlite3.Row
        row = dict(connection.execute("SELECT * FROM runs").fetchone())
        marks = ", ".join(f":{name}" for name in row)
        begin = int(row["id"].replace("-", "")[:12], 16)

        def copies() -> Any:
            for number in range(count):
                digits = f"{begin - count + number:012x}7000{0x8000000000000000 + number:016x}"
                at = (begin - count + number) * 1000
                run_id = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
                yield row | {"id": run_id, "created_at": at}

        connection.executemany(f"INSERT INTO runs VALUES ({marks})", copies())
    connection.close()


def memory(pid: int) -> int:
    """Megabytes that are a process's own."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["RssAnon"].split()[0]) // 1000


def test_thousands_of_runs_are_deleted_and_restored_while_the_server_answers(
    install: Callable[[str], Installed],
) -> None:
    rota = install(CONFIG).start()
    rota.trigger("hello", "?wait=true")
    rota.terminate()
    fill(rota, MANY)
    rota.start()
    assert rota.server is not None
    rota.http("POST", "/api/runs/bulk/delete", {"filter": {"task_name": "hello"}, "dry_run": True})
    before, most, slowest = memory(rota.server.pid), 0, 0.0
    answers: list[dict[str, Any]] = []

    def work() -> None:
        answers.extend(rota.client.bulk(verb, {"filter": {"task_name": "hello"}}) for verb in VERBS)

    begun = time.monotonic()
    worker = threading.Thread(target=work)
    worker.start()
    while worker.is_alive():
        asked = time.monotonic()
        rota.trigger("fails", "?wait=true")
        slowest = max(slowest, time.monotonic() - asked)
        most = max(most, memory(rota.server.pid))
    took = time.monotonic() - begun

    print(json.dumps({"took": took, "slowest": slowest, "before": before, "most": most}))
    assert [(each["matched"], each["done"], each["refused"]) for each in answers] == [
        (MANY + 1, MANY + 1, 0)
    ] * 2
    assert slowest < 2
    assert most - before < 60
    assert rota.rota("runs", "hello", "-n", "1", "--json").stdout.count('"id"') == 1
