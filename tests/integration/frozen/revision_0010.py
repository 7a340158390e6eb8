"""What stands in `revision_0010.sql`: a row or more in every table, as today's words call it.

The SQL is history and stays as it is. When the model changes, what is said here changes with it.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rota.model.definition import Revision
from rota.model.job import Job
from rota.model.limit import HeldBy, Limit
from rota.model.pause import Pause, PauseKind, Scope
from rota.model.run import Actor, ActorKind, EndReason, HandOver, Kind, Run, RunId, Status, TriggeredBy
from rota.model.service import Remembered, Rest, Wanted
from rota.model.task import Stdin
from rota.storage.requests import Request
from rota.storage.sequel import Chained, Sequel
from rota.storage.waits import StoredWait, WaitStatus

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STORE_ID = "7f0c2b1e-5a53-4c57-9c0e-3d1f5b8a6e21"
KEEPER = HandOver(attempt="4f" * 16, keeper_id="keeper-7", boot_id="9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a")
ANN = Actor(kind=ActorKind.USER, name="ann")
AGENT = Actor(kind=ActorKind.MCP, name="claude-desktop")


def id_of(number):
    digits = f"{int((NOON + number * SECOND).timestamp() * 1000):012x}7abc{0x8000000000000000 + number:016x}"
    return RunId(f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}")


def run(number, **said):
    made = {"task_name": "backup", "triggered_by": TriggeredBy.CRON, "created_at": NOON + number * SECOND}
    return Run(id=id_of(number), **made | said)


def over(number, end_reason, **said):
    """A run that had a process, and has ended."""
    at = NOON + number * SECOND
    spent = {"start_at": at, "end_at": at + 2 * SECOND, "duration": timedelta(seconds=2, microseconds=3)}
    measured = {"pid": 4000 + number, "cpu_time": timedelta(milliseconds=40), "max_rss": 9_437_184}
    is_failure = end_reason not in (EndReason.SUCCESS, EndReason.STOPPED)
    return run(
        number,
        status=Status.ENDED,
        end_reason=end_reason,
        is_failure=is_failure,
        **{"hand_over": KEEPER, "revision": 2} | spent | measured | said,
    )


def never_started(number, end_reason, **said):
    at = NOON + number * SECOND
    return run(number, status=Status.ENDED, end_reason=end_reason, end_at=at, **{"is_failure": False} | said)


#: The end whose sequel is written with it: a retry, and half of what `report` waits for.
FAILING = run(
    30, task_name="flaky", hand_over=KEEPER, revision=1, status=Status.RUNNING, start_at=NOON, pid=4030
)
RETRY = run(
    31,
    task_name="flaky",
    triggered_by=TriggeredBy.RETRY,
    retry_attempt=1,
    retry_of_run_id=id_of(30),
    scheduled_at=NOON + timedelta(minutes=1),
    params={"LEVEL": "high", "NOTE": None},
    sealed="v1:c2VhbGVk",
)
FAILED = over(30, EndReason.FAILED, task_name="flaky", revision=1, start_at=NOON, exit_code=3)
FAILED = FAILED.followed_by(RETRY)
EXTRACTING = run(32, task_name="extract", hand_over=KEEPER, revision=1, status=Status.RUNNING,
                 start_at=NOON, pid=4032)  # fmt: skip
EXTRACTED = over(32, EndReason.SUCCESS, task_name="extract", revision=1, start_at=NOON, exit_code=0)
REPORT = run(33, task_name="report", triggered_by=TriggeredBy.UPSTREAM, upstream_run_id=id_of(32))

ENDED = [
    over(1, EndReason.SUCCESS, exit_code=0, scheduled_at=NOON, due_at=NOON + SECOND),
    over(2, EndReason.FAILED, signal="SIGSEGV", triggered_by=TriggeredBy.API, actor=ANN),
    over(3, EndReason.TIMEOUT, signal="SIGKILL", triggered_by=TriggeredBy.UI),
    over(4, EndReason.STOPPED, signal="SIGTERM", triggered_by=TriggeredBy.CLI, actor=ANN),
    never_started(5, EndReason.SKIPPED, scheduled_at=NOON + 5 * SECOND),
    never_started(6, EndReason.QUEUE_FULL, triggered_by=TriggeredBy.WEBHOOK),
    never_started(
        7,
        EndReason.MISSED,
        is_failure=True,
        scheduled_at=NOON,
        missed_ticks=12,
        missed_since=NOON - timedelta(hours=1),
        message="Rota was not running",
    ),
    never_started(
        8, EndReason.START_FAILED, is_failure=True, message="there is no folder /srv/shop", revision=2,
        hand_over=KEEPER, triggered_by=TriggeredBy.STARTUP,
    ),
    over(9, EndReason.LOG_OVERFLOW, signal="SIGKILL", triggered_by=TriggeredBy.TUI),
    over(
        10,
        EndReason.OUT_OF_MEMORY,
        signal="SIGKILL",
        triggered_by=TriggeredBy.MCP,
        actor=AGENT,
        limits={
            "memory_max": Limit(max=4_194_304, held_by=HeldBy.CGROUP),
            "cpu_max": Limit(max=0.5, held_by=HeldBy.RLIMIT),
            "tasks_max": Limit(max=64, held_by=HeldBy.NOTHING),
        },
    ),
    never_started(
        11, EndReason.LOST, is_failure=True, start_at=NOON, pid=4011, hand_over=KEEPER,
        triggered_by=TriggeredBy.CATCH_UP, scheduled_at=NOON - SECOND,
    ),
    over(12, EndReason.SUCCESS, exit_code=3, rerun_of_run_id=id_of(2), despite_pause="it was paused",
         triggered_by=TriggeredBy.SUBSCRIPTION),
    over(
        13, EndReason.SUCCESS, exit_code=0, kind=Kind.JOB, task_name=None, triggered_by=TriggeredBy.MCP,
        actor=AGENT, revision=None,
        job=Job(command=("make", "-k", "test"), cwd="/srv/shop", name="build", tags=("ci", "nightly"),
                env=("TOKEN",), timeout=timedelta(minutes=5), stdin=Stdin.PIPE, pty=True),
    ),
    over(15, EndReason.SUCCESS, exit_code=0, task_name="publish", triggered_by=TriggeredBy.UPSTREAM,
         upstream_run_id=id_of(1)),
    over(14, EndReason.FAILED, exit_code=1, kind=Kind.SERVICE, task_name="web", instance_index=1,
         triggered_by=TriggeredBy.SERVICE),
]  # fmt: skip
OPEN = [
    run(20, hand_over=KEEPER, revision=2, status=Status.RUNNING, start_at=NOON, pid=4020),
    run(21, triggered_by=TriggeredBy.API, params={"LEVEL": "low"}, scheduled_at=NOON + timedelta(days=1)),
    run(22, triggered_by=TriggeredBy.API, hand_over=KEEPER, revision=2),
    run(
        23, kind=Kind.JOB, task_name=None, triggered_by=TriggeredBy.API, actor=ANN, sealed="v1:am9i",
        job=Job(command="sleep 60; echo ä€", cwd="/", tags=("ci",), env=("A", "B"), stdin=Stdin.NONE),
    ),
    run(24, kind=Kind.SERVICE, task_name="web", instance_index=0, triggered_by=TriggeredBy.SERVICE,
        hand_over=KEEPER, revision=1, status=Status.RUNNING, start_at=NOON, pid=4024),
]  # fmt: skip
#: Written with a tag, deleted, and still to be restored.
DELETED = [
    over(
        40, EndReason.SUCCESS, exit_code=0, kind=Kind.JOB, task_name=None, triggered_by=TriggeredBy.CLI,
        revision=None, job=Job(command="true", cwd="/", tags=("ci",), stdin=Stdin.NONE),
    ),
    over(41, EndReason.FAILED, exit_code=2),
]  # fmt: skip
#: Gone, but for its files.
REMOVED = over(42, EndReason.SUCCESS, exit_code=0)

RUNS = [*ENDED, *OPEN, FAILED, RETRY, EXTRACTED]
LOG_SIZES = {id_of(30): 70_000, id_of(32): 512}

FINGERPRINTS = {"backup": "b1", "flaky": "f1", "extract": "e1", "clean": "c1", "report": "r1", "web": ""}
OLD = {name: f'{{"name":"{name}","run":"true"}}' for name in FINGERPRINTS}
NEW = OLD | {"backup": '{"name":"backup","run":"pg_dump shop","exit_codes":[0,3],"secrets":["PGPASSWORD"]}'}
REVISIONS = [
    Revision(name="backup", number=2, since=NOON, definition={
        "name": "backup", "run": "pg_dump shop", "exit_codes": [0, 3], "secrets": ["PGPASSWORD"],
    }),
    Revision(name="backup", number=1, since=NOON - timedelta(days=1),
             definition={"name": "backup", "run": "true"}),
]  # fmt: skip

PAUSES = [
    Pause(scope=Scope(kind=PauseKind.ALL, name=None), reason="moving house", actor=ANN, via=TriggeredBy.CLI,
          since=NOON - timedelta(hours=3), resumed_at=NOON - timedelta(hours=2)),
    Pause(scope=Scope(kind=PauseKind.GROUP, name="nightly"), reason=None, actor=None, via=TriggeredBy.API,
          since=NOON),
    Pause(scope=Scope(kind=PauseKind.TASK, name="backup"), reason="the disk is full", actor=AGENT,
          via=TriggeredBy.MCP, since=NOON + SECOND),
]  # fmt: skip
WANTED = {
    "web": Wanted(running=True, scale=2, stale=frozenset({id_of(24)}), rolling=True, declared=4,
                  fingerprint="w1"),
    "mail": Wanted(running=False),
}  # fmt: skip
INSTANCES = {
    "web": [
        Remembered(index=0, run_id=id_of(24), was_healthy=True, restarts=2),
        Remembered(index=1, run_id=id_of(14), ill_run_id=id_of(14), failures=10, at_rest=Rest.GAVE_UP),
    ],
    "mail": [Remembered(index=0, at_rest=Rest.DONE)],
}
REQUEST = Request(key="k-1", method="POST", path="/api/tasks/backup/run", body_hash="5d41402a",
                  run_id=id_of(21), status_code=201, at=NOON)  # fmt: skip
WAITS = [
    StoredWait(id="w-open", wanted='{"run_id":"x"}', created_at=NOON, changed_at=NOON),
    StoredWait(id="w-over", wanted='{"run_id":"y"}', status=WaitStatus.OVER, outcome='{"is":"over"}',
               created_at=NOON, changed_at=NOON),
    StoredWait(id="w-cancelled", wanted='{"run_id":"z"}', status=WaitStatus.CANCELLED, created_at=NOON,
               changed_at=NOON),
]  # fmt: skip
HORIZON = NOON + timedelta(minutes=3)
EVENT_IDS = 100  #: so many were taken


async def write(store):
    """Everything of it; for whoever freezes it."""
    await store.register_tasks(dict(FINGERPRINTS), OLD, NOON - timedelta(days=1))
    await store.register_tasks(dict(FINGERPRINTS), NEW, NOON)
    for each in (*ENDED, *(each for each in OPEN if each.id != REQUEST.run_id), *DELETED, REMOVED):
        await store.create(each)
    [asked] = [each for each in OPEN if each.id == REQUEST.run_id]
    await store.create(asked, request=REQUEST)
    await _end(store, FAILING, FAILED, Sequel(retry=RETRY))
    half = Chained(run=REPORT, upstream_name="extract", others=frozenset({"clean"}))
    await _end(store, EXTRACTING, EXTRACTED, Sequel(chained=(half,)))
    await store.set_aside([each.id for each in DELETED], NOON)
    await store.delete([REMOVED.id])
    await store.give_up_logs([id_of(32)], NOON)
    await store.removed([id_of(32)])
    for pause in PAUSES:
        await store.put_pause(pause)
    await store.begin_services_anew(KEEPER.boot_id)
    await store.save_services(WANTED)
    for name, instances in INSTANCES.items():
        await store.save_instances(name, instances)
    for wait in WAITS:
        await store.add_wait(replace(wait, status=WaitStatus.OPEN, outcome=None))
        if wait.status is not WaitStatus.OPEN:
            await store.close_wait(wait.id, wait.status, wait.outcome)
    await store.save_horizon(HORIZON)
    await store.create_many([], keeper_id=KEEPER.keeper_id)
    await store.reserve_event_ids(EVENT_IDS)


async def complete_the_chain(store):
    """The other half of what `report` waits for; what was written down with it."""
    before = run(50, task_name="clean", hand_over=KEEPER, status=Status.RUNNING, start_at=NOON, pid=4050)
    after = over(50, EndReason.SUCCESS, task_name="clean", revision=None, start_at=NOON, exit_code=0)
    report = run(51, task_name="report", triggered_by=TriggeredBy.UPSTREAM, upstream_run_id=before.id)
    chained = Chained(run=report, upstream_name="clean", others=frozenset({"extract"}))
    await store.create(before)
    return (await store.move(before, after, sequel=Sequel(chained=(chained,)))).follow


async def _end(store, before, after, sequel):
    await store.create(before)
    await store.move(before, after, log_size=LOG_SIZES[after.id], sequel=sequel)
