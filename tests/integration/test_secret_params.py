"""Secret parameters: given once, kept sealed for as long as a run may need them, and shown nowhere."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

from api_bed import api_of
from engine_bed import bed_of

from rota.model.event import EventKind
from rota.model.param import Param, ParamKind, ParamType
from rota.model.run import EndReason, Run, TriggeredBy
from rota.model.secret import Secret
from rota.model.task import Task

if TYPE_CHECKING:
    from pathlib import Path

    from engine_bed import Bed

TOKEN = Param(kind=ParamKind.ENV, name="TOKEN", type=ParamType.SECRET, required=True)
KEY = Param(kind=ParamKind.ENV, name="KEY", type=ParamType.SECRET, default=Secret("of the configuration"))
JOB = Task(name="job", run=("deploy",), params=(TOKEN, KEY), secrets={"OWN": Secret("swordfish")})


def sealed(data: Path) -> list[str | None]:
    with sqlite3.connect(data / "rota.db") as connection:
        return [text for (text,) in connection.execute("SELECT sealed FROM runs ORDER BY id")]


def files_with(data: Path, text: str) -> list[Path]:
    return [path for path in data.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


async def reload(bed: Bed, *tasks: Task) -> None:
    bed.configure(tasks)
    await bed.engine.reloading.reload(bed.config)


async def trigger(bed: Bed, **params: object) -> Run:
    return await bed.engine.triggering.trigger("job", triggered_by=TriggeredBy.API, params=params)


async def test_the_program_gets_it_the_log_hides_it_and_the_run_shows_only_that_it_is_there(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, JOB) as bed:
        run = await trigger(bed, TOKEN="hunter2")

        spawn = await bed.keeper.next_spawn()
        assert run.params == {"TOKEN": "[redacted]", "KEY": "[redacted]"}
        assert (spawn.env["TOKEN"], spawn.env["KEY"]) == ("hunter2", "of the configuration")
        assert spawn.secrets == ("swordfish", "hunter2", "of the configuration")
        assert "hunter2" not in repr((run, spawn))
        assert files_with(tmp_path, "hunter2") == []


async def test_it_is_kept_until_the_run_ends_however_it_ends(tmp_path: Path) -> None:
    async with bed_of(tmp_path, JOB) as bed:
        running = await trigger(bed, TOKEN="hunter2")
        waiting = await trigger(bed, TOKEN="hunter3")
        await bed.until(EventKind.RUN_STARTED, running.id)
        assert all(sealed(tmp_path))

        await bed.engine.runs.stop(waiting.id, by="a test")
        bed.keeper.end(running.id)
        await bed.until(EventKind.RUN_ENDED, running.id)

        assert sealed(tmp_path) == [None, None]
        assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


async def test_it_survives_in_the_queue_over_a_restart_and_a_crash(tmp_path: Path) -> None:
    async with bed_of(tmp_path, JOB) as bed:
        first = await trigger(bed, TOKEN="hunter2")
        await trigger(bed, TOKEN="hunter3", KEY=None)
        await bed.until(EventKind.RUN_STARTED, first.id)

        await bed.crash()
        await bed.start()
        bed.keeper.end(first.id)

        spawns = [await bed.keeper.next_spawn() for _ in range(2)]
        assert spawns[1].env["TOKEN"] == "hunter3"
        assert "KEY" not in spawns[1].env


async def test_without_its_key_a_run_does_not_start_and_says_why(tmp_path: Path) -> None:
    async with bed_of(tmp_path, JOB) as bed:
        first = await trigger(bed, TOKEN="hunter2")
        second = await trigger(bed, TOKEN="hunter3")
        await bed.until(EventKind.RUN_STARTED, first.id)

        await bed.stop()
        (tmp_path / "key").unlink()
        await bed.start()
        bed.keeper.end(first.id)

        ended = (await bed.until(EventKind.RUN_ENDED, second.id)).run
        assert ended is not None
        assert ended.end_reason is EndReason.START_FAILED
        assert "its secrets cannot be read" in str(ended.message)
        assert "hunter" not in str(ended.message)


async def test_an_idempotency_key_knows_a_secret_again_and_its_hash_tells_nothing(tmp_path: Path) -> None:
    async with api_of(tmp_path, JOB) as api:

        async def post(token: str) -> tuple[int, str]:
            answer = await api.tcp.post(
                "/api/tasks/job/run", json={"params": {"TOKEN": token}}, headers={"Idempotency-Key": "k"}
            )
            return answer.status_code, answer.json().get("id")

        first = await post("hunter2")
        assert await post("hunter2") == first
        assert (await post("hunter3"))[0] == 409

        with sqlite3.connect(tmp_path / "rota.db") as connection:
            [(stored,)] = connection.execute("SELECT body_hash FROM requests")
        guess = json.dumps({"params": {"TOKEN": "hunter2"}}, sort_keys=True).encode()
        assert stored != hashlib.sha256(guess).hexdigest()


async def test_a_fault_of_a_secret_is_answered_without_it(tmp_path: Path) -> None:
    async with api_of(tmp_path, JOB) as api:
        for given in ({"TOKEN": "abc"}, {"TOKEN": ["hunter2"]}, {"TOKN": "hunter2"}, {"TOKEN": "hunter\0"}):
            answer = await api.tcp.post("/api/tasks/job/run?no=1", json={"params": given})

            assert answer.status_code == 422
            assert "abc" not in answer.text
            assert "hunter" not in answer.text
        shown = (await api.tcp.get("/api/tasks/job")).text
        assert "of the configuration" not in shown
        assert "swordfish" not in shown


async def test_what_was_given_as_a_secret_stays_one_whatever_its_task_says_of_it_since(
    tmp_path: Path,
) -> None:
    async with bed_of(tmp_path, JOB) as bed:
        first = await trigger(bed, TOKEN="hunter2")
        second = await trigger(bed, TOKEN="hunter3")
        plain = replace(TOKEN, type=ParamType.STRING)
        await reload(bed, replace(JOB, params=(plain, KEY)))
        bed.keeper.end(first.id)
        await bed.until(EventKind.RUN_ENDED, first.id)

        spawns = [await bed.keeper.next_spawn() for _ in range(2)]

        assert [spawn.run_id for spawn in spawns] == [first.id, second.id]
        assert spawns[1].env["TOKEN"] == "hunter3"
        assert "hunter3" in spawns[1].secrets


async def test_what_was_given_openly_is_a_secret_once_its_task_says_so(tmp_path: Path) -> None:
    plain = replace(TOKEN, type=ParamType.STRING)
    async with bed_of(tmp_path, replace(JOB, params=(plain,))) as bed:
        first = await trigger(bed, TOKEN="hunter2")
        await trigger(bed, TOKEN="hunter3")
        await reload(bed, replace(JOB, params=(TOKEN,)))
        bed.keeper.end(first.id)

        spawns = [await bed.keeper.next_spawn() for _ in range(2)]

        assert spawns[1].env["TOKEN"] == "hunter3"
        assert "hunter3" in spawns[1].secrets


async def test_a_secret_becomes_no_argument(tmp_path: Path) -> None:
    async with bed_of(tmp_path, JOB) as bed:
        first = await trigger(bed, TOKEN="hunter2")
        second = await trigger(bed, TOKEN="hunter3")
        await reload(bed, replace(JOB, params=(Param(kind=ParamKind.ARG, name="TOKEN"),)))
        bed.keeper.end(first.id)

        ended = (await bed.until(EventKind.RUN_ENDED, second.id)).run

        assert ended is not None
        assert ended.end_reason is EndReason.START_FAILED
        assert ended.message == "its parameter TOKEN was a secret, and is an argument now"


async def test_a_rerun_asks_for_what_was_a_secret_though_it_is_none_any_more(tmp_path: Path) -> None:
    async with api_of(tmp_path, JOB) as api:
        run = (await api.tcp.post("/api/tasks/job/run", json={"params": {"TOKEN": "hunter2"}})).json()
        await api.bed.until(EventKind.RUN_STARTED, run["id"])
        api.bed.keeper.end(run["id"])
        await api.bed.until(EventKind.RUN_ENDED, run["id"])
        await reload(api.bed, replace(JOB, params=(replace(TOKEN, type=ParamType.STRING), KEY)))

        refused = await api.tcp.post(f"/api/runs/{run['id']}/rerun")
        rerun = await api.tcp.post(f"/api/runs/{run['id']}/rerun", json={"params": {"TOKEN": "open"}})

        assert refused.status_code == 422
        assert [each["location"] for each in refused.json()["errors"]] == ["body.params.TOKEN"]
        assert rerun.json()["params"] == {"TOKEN": "open", "KEY": "[redacted]"}
