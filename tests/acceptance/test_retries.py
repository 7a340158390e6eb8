"""Retries, with the installed program: counted, waited for, followed, cancelled, and kept over a kill -9."""

from __future__ import annotations

import os
import signal
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from installed import until_gone, until_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from installed import Installed

#: Fails twice, then succeeds; each attempt says which it is.
THIRD_TIME = """
run = 'echo "attempt $ROTA_ATTEMPT"; test "$ROTA_ATTEMPT" = 3'
"""


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_wait_idempotency_key_and_location_go_by_the_whole_chain(
    install: Callable[[str], Installed],
) -> None:
    rota = install(f'[tasks.job]{THIRD_TIME}retry = {{ attempts = 3, delay = "100ms" }}\n').start()
    key = {"Idempotency-Key": "once"}

    status, last, answer = rota.http("POST", "/api/tasks/job/run?wait=true", headers=key)
    again_status, again, again_answer = rota.http("POST", "/api/tasks/job/run", headers=key)

    first_id = last["retry_of_run_id"]
    assert (status, again_status) == (201, 201)
    assert (last["end_reason"], last["retry_attempt"], last["is_failure"]) == ("success", 2, False)
    assert answer.headers["Location"] == again_answer.headers["Location"] == f"/api/runs/{first_id}"
    assert again["id"] == last["id"]
    first = rota.run(first_id)
    second = rota.run(first["next_attempt_run_id"])
    assert [run["retry_attempt"] for run in (first, second)] == [0, 1]
    assert second["next_attempt_run_id"] == last["id"]
    assert [run["triggered_by"] for run in (first, second, last)] == ["api", "retry", "retry"]
    assert len(rota.runs()) == 3
    assert moment(second["start_at"]) - moment(first["end_at"]) >= timedelta(milliseconds=100)
    for number, run in enumerate((first, second, last), 1):
        assert rota.log(run["id"]) == f"attempt {number}\n"


def test_rota_run_follows_the_attempts_and_exits_as_the_last(install: Callable[[str], Installed]) -> None:
    rota = install(f'[tasks.job]{THIRD_TIME}retry = {{ attempts = 3, delay = "0s" }}\n').start()

    done = rota.rota("run", "job")

    assert (done.returncode, done.stdout) == (0, "attempt 1\nattempt 2\nattempt 3\n")
    assert done.stderr.count("it is tried again as run") == 2
    listed = rota.rota("runs", "job").stdout
    assert "retry 1\n" in listed
    assert "retry 2\n" in listed


#: Its first attempt fails where there is a file `fail-NAME`; otherwise it goes on until there is a file `go`.
GATED = '''
run = """
echo $ROTA_RUN_ID >> "order-$ROTA_TASK"
if rm "fail-$ROTA_TASK"; then exit 1; fi
until test -e go; do sleep 0.05; done
"""
retry = { attempts = 2, delay = "1s" }
'''

RULES = f"""
[defaults]
grace = "0s"
[tasks.queueing]{GATED}max_queued = 1
[tasks.skipping]{GATED}on_overlap = "skip"
[tasks.replacing]
run = "exit 1"
on_overlap = "replace"
retry = {{ attempts = 2, delay = "1h" }}
[tasks.timed]
run = "sleep 1000"
timeout = "300ms"
retry = {{ attempts = 2, delay = "0s" }}
[tasks.growing]
run = "exit 1"
retry = {{ attempts = 4, delay = "200ms", backoff = "exponential", max_delay = "300ms" }}
[tasks.chosen]
run = "exit 7"
retry = {{ attempts = 3, on = ["timeout", 8] }}
"""


def test_an_attempt_is_in_nobodys_way_in_its_delay_and_goes_first_when_it_is_due(
    install: Callable[[str], Installed],
) -> None:
    rota = install(RULES).start()
    retries, behind = {}, {}
    for name in ("queueing", "skipping"):
        (rota.folder / f"fail-{name}").touch()
        first = rota.until_ended(rota.trigger(name)["id"])
        retries[name], behind[name] = first["next_attempt_run_id"], [first["id"], rota.trigger(name)["id"]]
        assert rota.run(retries[name])["waiting_for"]["kind"] == "time"
        assert rota.until_running(behind[name][1])["status"] == "running"  # the slot is free
    waiting = rota.trigger("queueing")["id"]  # there is room in its queue of one
    for name, retry in retries.items():
        due = rota.until(retry, lambda run: run["waiting_for"]["kind"] != "time")
        assert due["waiting_for"] == {"kind": "task", "name": name, "run_ids": behind[name][1:]}

    (rota.folder / "go").touch()

    for run_id in (*retries.values(), waiting):
        assert rota.until_ended(run_id)["end_reason"] == "success"
    order = [*behind["queueing"], retries["queueing"], waiting]
    assert (rota.folder / "order-queueing").read_text().split() == order
    assert rota.runs(end_reason="skipped") == []


def test_replacing_cancels_an_attempt_and_timeout_backoff_and_on_are_for_each(
    install: Callable[[str], Installed],
) -> None:
    rota = install(RULES).start()
    replaced = rota.until_ended(rota.trigger("replacing")["id"])["next_attempt_run_id"]
    rota.trigger("replacing")
    cancelled = rota.until_ended(replaced)
    timed = rota.trigger("timed", "?wait=true")
    rota.trigger("growing", "?wait=true")
    chosen = rota.trigger("chosen", "?wait=true")

    assert (cancelled["end_reason"], cancelled["message"]) == ("stopped", "a newer run took its place")
    both = [timed, rota.run(timed["retry_of_run_id"])]
    assert [run["end_reason"] for run in both] == ["timeout", "timeout"]
    assert all(0.3 <= run["duration"] < 5 for run in both)
    growing = sorted(rota.runs(task_name="growing"), key=lambda run: run["retry_attempt"])
    delays = [moment(after["due_at"]) - moment(before["end_at"]) for before, after in pairwise(growing)]
    assert delays == [timedelta(milliseconds=each) for each in (200, 300, 300)]
    assert (chosen["retry_attempt"], chosen["next_attempt_run_id"]) == (0, None)
    rota.rota("stop", "--all")


def test_a_kill_9_of_the_server_in_the_delay_changes_nothing(install: Callable[[str], Installed]) -> None:
    rota = install('[tasks.job]\nrun = "false"\nretry = { attempts = 2, delay = "4s" }\n').start()
    first = rota.until_ended(rota.trigger("job")["id"])
    pending = rota.run(first["next_attempt_run_id"])
    assert (pending["status"], pending["waiting_for"]["kind"]) == ("pending", "time")

    rota.kill()
    rota.start()

    second = rota.until_ended(pending["id"])
    assert second["end_reason"] == "failed"
    late = moment(second["start_at"]) - moment(pending["due_at"])
    assert timedelta(seconds=-0.1) < late < timedelta(seconds=20)
    assert len(rota.runs()) == 2


def test_an_attempt_in_its_delay_is_cancelled_by_its_id(install: Callable[[str], Installed]) -> None:
    rota = install('[tasks.job]\nrun = "false"\nretry = { attempts = 2, delay = "1h" }\n').start()
    first = rota.until_ended(rota.trigger("job")["id"])

    refused = rota.rota("stop", first["id"])
    done = rota.rota("stop", first["next_attempt_run_id"])

    assert refused.returncode != 0
    assert first["next_attempt_run_id"] in refused.stderr
    assert done.returncode == 0
    assert rota.run(first["next_attempt_run_id"])["end_reason"] == "stopped"


def test_a_lost_run_is_tried_again_after_what_is_left_of_it_has_ended(
    install: Callable[[str], Installed],
) -> None:
    script = "echo $$ >> pids; exec sleep 1000"
    rota = install(f"[tasks.job]\nrun = '{script}'\nretry = {{ attempts = 2, delay = \"0s\" }}\n").start()
    run = rota.until_running(rota.trigger("job")["id"])
    pids = rota.folder / "pids"
    until_true(pids.exists, "it has begun")

    os.kill(rota.keeper(), signal.SIGKILL)

    lost = rota.until_ended(run["id"])
    assert lost["end_reason"] == "lost"
    until_gone(run["pid"])
    second = rota.until_running(lost["next_attempt_run_id"])
    assert moment(second["start_at"]) >= moment(lost["end_at"])
    until_true(lambda: len(pids.read_text().split()) == 2, "the second attempt has begun")


def test_a_queue_of_50_goes_on_where_it_stood_after_a_kill_9(install: Callable[[str], Installed]) -> None:
    rota = install('[tasks.job]\nrun = "echo $ROTA_RUN_ID >> order; test -e go || sleep 1000"\n').start()
    holder = rota.until_running(rota.trigger("job")["id"])
    queue = [rota.trigger("job")["id"] for _ in range(50)]

    rota.kill()
    rota.start()

    assert sorted(run["id"] for run in rota.runs(status="pending")) == sorted(queue)
    assert rota.run(holder["id"])["pid"] == holder["pid"]
    (rota.folder / "go").touch()
    rota.rota("stop", holder["id"])
    for run_id in queue:
        assert rota.until_ended(run_id)["end_reason"] == "success"
    assert (rota.folder / "order").read_text().split() == [holder["id"], *queue]


def test_tasks_run_after_others_and_a_kill_9_in_between_neither_loses_nor_doubles_a_run(
    install: Callable[[str], Installed],
) -> None:
    rota = install(
        """
        [tasks.extract]
        run = "sleep 1"
        [tasks.clean]
        run = "true"
        [tasks.load]
        run = 'echo "after $ROTA_UPSTREAM_RUN_ID"'
        after = ["extract", "clean"]
        [tasks.report]
        run = "false"
        after = "load"
        [tasks.page]
        run = "true"
        after_failure = "report"
        """
    ).start()
    assert rota.http("POST", "/api/tasks/clean/run?wait=true")[1]["end_reason"] == "success"
    extract = rota.until_running(rota.trigger("extract")["id"])

    rota.kill()
    until_gone(extract["pid"])
    rota.start()

    until_true(lambda: len(rota.runs(task_name="page", status="ended")) == 1, "the last of the chain")
    of_task = {run["task_name"]: run for run in rota.runs()}
    assert len(rota.runs()) == len(of_task) == 5
    assert of_task["load"]["upstream_run_id"] == extract["id"]
    assert rota.log(of_task["load"]["id"]) == f"after {extract['id']}\n"
    assert of_task["report"]["upstream_run_id"] == of_task["load"]["id"]
    assert of_task["page"]["upstream_run_id"] == of_task["report"]["id"]
    assert {of_task[name]["triggered_by"] for name in ("load", "report", "page")} == {"upstream"}
    assert (
        "it starts only when it is asked to, or when load has ended well" in rota.rota("why", "report").stderr
    )
