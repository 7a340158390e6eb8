"""Runs for the tests of the store, with ids and times that are told, not read."""

from dataclasses import fields as fields_of
from datetime import UTC, datetime, timedelta

from rota.model.job import Job
from rota.model.run import Ending, EndReason, HandOver, Kind, Run, RunId, TriggeredBy
from rota.model.task import Stdin

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOB_FIELDS = {field.name for field in fields_of(Job)}
KEEPER = HandOver(attempt="a" * 32, keeper_id="keeper-1", boot_id="boot-1")


def run_id(number, at=NOW):
    """A UUIDv7 of this moment; ids of one moment stand in the order of their numbers."""
    digits = f"{int(at.timestamp() * 1000):012x}7000{0x8000000000000000 + number:016x}"
    return RunId(f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}")


def a_run(number=1, *, at=NOW, **fields):
    fields = {"task_name": "backup", "triggered_by": TriggeredBy.API} | fields
    return Run(id=run_id(number, at), created_at=at, **fields)


def a_tick(number=1, *, at=NOW, **fields):
    return a_run(number, at=at, triggered_by=TriggeredBy.CRON, scheduled_at=at, **fields)


def started(run):
    return run.handed_over(KEEPER).started(at=run.created_at + timedelta(seconds=1), pid=4711)


def ended(run, reason=EndReason.SUCCESS, *, exit_code=0):
    return run.ended(
        reason,
        Ending(
            exit_code=exit_code,
            end_at=run.created_at + timedelta(seconds=3),
            duration=timedelta(seconds=2, microseconds=1),
            cpu_time=timedelta(milliseconds=7),
            max_rss=9_000_000,
        ),
    )


def a_job(number=1, *, at=NOW, **fields):
    own = {name: fields.pop(name) for name in JOB_FIELDS if name in fields}
    job = Job(**{"command": "make test", "cwd": "/srv/shop", "stdin": Stdin.NONE} | own)
    return a_run(number, at=at, kind=Kind.JOB, task_name=None, job=job, **fields)
