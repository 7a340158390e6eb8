"""The shape of everything that the API answers or takes, as pydantic models: the source of every schema.

Answers are written by `rota.api.wire`, not through these models; a census test holds the two together.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AnyUrl, BaseModel, ConfigDict, Field

from rota.config.difference import Part as PartKind
from rota.engine.why import Outcome
from rota.logs.line import Stream
from rota.logs.searching import Stopped
from rota.model.backoff import Backoff
from rota.model.event import EventKind
from rota.model.limit import HeldBy
from rota.model.param import ParamKind, ParamType
from rota.model.pause import PauseKind
from rota.model.run import ActorKind, EndReason, Kind, Status, TriggeredBy, WaitKind
from rota.model.service import InstanceState, Restart
from rota.model.task import EnvBase, LogOnFull, Overlap, Stdin

RUN_ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

RunIdText = Annotated[
    str, Field(pattern=RUN_ID, examples=["0198c7a0-5b3e-7cc1-9a44-0d6f7a1b2c3d"], description="A UUIDv7.")
]
Seconds = Annotated[float, Field(ge=0, description="Seconds.")]


class Shape(BaseModel):
    """An object of the API; nothing stands in it that its schema does not name."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    schema_: Annotated[
        AnyUrl | None,
        Field(alias="$schema", description="Where this object's JSON Schema is; on the top object only."),
    ] = None


class Actor(BaseModel):
    """Who asked for a run."""

    model_config = ConfigDict(extra="forbid")

    kind: ActorKind
    name: str = Field(description="A user's login name, or what an MCP client calls itself.")


class WaitingFor(BaseModel):
    """What keeps a pending run from its start."""

    model_config = ConfigDict(extra="forbid")

    kind: WaitKind = Field(
        description="`time`: its `scheduled_at`; `task`, `group`, `server`, `jobs`: one of the slots that "
        "`run_ids` have; `pause`: the end of a pause; `keeper`: the keeper, or the database."
    )
    name: str | None = Field(
        description="Whose slots they are, or what is paused, where a name says it: a task or a group."
    )
    run_ids: list[RunIdText] = Field(description="Who has them; of more than 100 the oldest.")


class Limit(BaseModel):
    """How much of the machine a run may use."""

    model_config = ConfigDict(extra="forbid")

    max: float = Field(description="Bytes, processors, or processes and threads.")
    held_by: HeldBy = Field(
        description="`cgroup`: its control group, for all its processes together. `rlimit`: the kernel, for "
        "each process by itself. `nothing`: this machine cannot hold it."
    )


class Run(Shape):
    """One execution of a task or a job, from its trigger to its end. What is not known is null."""

    id: RunIdText
    kind: Kind
    task_name: str | None = Field(description="Null for a job.")
    name: str | None = Field(description="Of a job, if it was given one.")
    command: str | list[str] | None = Field(
        description="Of a job: text for the shell, or a program and its arguments. Null for a task's run."
    )
    cwd: str | None = Field(description="Of a job: the folder that it runs in.")
    env: list[str] = Field(description="Of a job: the names of its variables; the values are kept nowhere.")
    tags: list[str] = Field(description="Of a job.")
    timeout: float | None = Field(description="Of a job, in seconds; null is no limit.")
    stdin: Stdin | None = Field(description="Of a job; null for a task's run.")
    pty: bool | None = Field(description="Of a job: whether it has a terminal; null for a task's run.")
    status: Status
    end_reason: EndReason | None = Field(description="How it went; null until it has ended.")
    is_failure: bool | None = Field(
        description="Whether its task counts this end as a failure (`failures`); null until it has ended."
    )
    exit_code: int | None = Field(description="Null until there is one, and after a death by signal.")
    signal: str | None = Field(description="The signal that ended it, such as `SIGKILL`.")
    triggered_by: TriggeredBy
    actor: Actor | None = Field(description="Who asked for it; null when nobody did, or nobody knows.")
    waiting_for: WaitingFor | None = Field(description="What keeps it pending.")
    despite_pause: str | None = Field(
        description="Of one that was asked for in a pause, and did not keep to it: how the pause was."
    )
    params: dict[str, str | None] = Field(
        description="What it was given, defaults included; null was left out on purpose. "
        "Of a secret it says only that there is one."
    )
    created_at: datetime
    scheduled_at: datetime | None = Field(description="The tick, or for when it was asked for; else null.")
    due_at: datetime | None = Field(description="When it may start: `scheduled_at`, and what jitter adds.")
    missed_ticks: int | None = Field(description="Of the run that tells of a gap: how many went by, or more.")
    missed_since: datetime | None = Field(description="Of it: the first of them; `scheduled_at` is the last.")
    start_at: datetime | None
    end_at: datetime | None
    duration: float | None = Field(description="Seconds by a clock that never jumps, start to end.")
    retry_attempt: int = Field(ge=0, description="0 for the first attempt.")
    rerun_of_run_id: RunIdText | None = Field(description="The run that somebody wanted to have again.")
    retry_of_run_id: RunIdText | None = Field(description="The first attempt; null for that one itself.")
    next_attempt_run_id: RunIdText | None = Field(description="The attempt that follows this failed one.")
    upstream_run_id: RunIdText | None = Field(
        description="Whose end began it, of a task that its own is after."
    )
    instance_index: int | None
    pid: int | None
    cpu_time: float | None = Field(description="Seconds of processor time, its children's included.")
    max_rss: int | None = Field(description="Peak memory in bytes; null where it cannot be told truly.")
    limits: dict[str, Limit] | None = Field(
        description="Those of `memory_max`, `cpu_max` and `tasks_max` that it has; null for a run "
        "without any, and for one that has not started."
    )
    message: str | None = Field(description="One sentence on why it ended so, where there is one.")
    deleted_at: datetime | None = Field(description="Of a deleted run, which can be restored: since when.")
    revision: int | None = Field(description="Which of its task's definitions it was started under.")


class Pause(BaseModel):
    """A pause that lasts: what would start by itself does not."""

    model_config = ConfigDict(extra="forbid")

    kind: PauseKind = Field(description="A task, a group's tasks, or everything.")
    name: str | None = Field(description="Of the task or group; null for everything.")
    reason: str | None
    actor: Actor | None = Field(description="Who asked for it; null when nobody knows.")
    via: TriggeredBy = Field(description="By which way it was asked for.")
    since: datetime


class PauseState(Shape):
    """Whether a task, a group or everything is paused."""

    kind: PauseKind
    name: str | None = Field(description="Of the task or group; null for everything.")
    pauses: list[Pause] = Field(description="Those that hold it now, the narrowest first; none: it goes on.")


class Param(BaseModel):
    """A value that a run of a task may be given."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="Its key in `params`.")
    kind: ParamKind
    type: ParamType
    required: bool
    default: str | None = Field(
        description="As the program is given it; of a secret, only that there is one."
    )
    choices: list[str]
    allow_custom: bool
    pattern: str | None = Field(description="In RE2's syntax; the whole value has to match.")
    min: float | str | None
    max: float | str | None
    description: str | None


class Retry(BaseModel):
    """Another attempt for runs that fail."""

    model_config = ConfigDict(extra="forbid")

    attempts: int = Field(ge=1, description="Of one run, the first included.")
    delay: Seconds
    backoff: Backoff
    max_delay: Seconds = Field(description="No delay is longer, but for its jitter.")
    jitter: Seconds
    on: list[EndReason | int] | None = Field(description="End reasons and exit codes; null is every failure.")


class NextTick(BaseModel):
    """A start that is to come by itself."""

    model_config = ConfigDict(extra="forbid")

    task_name: str
    scheduled_at: datetime = Field(description="The tick, or for when a run was asked for.")
    due_at: datetime = Field(description="When it starts: `scheduled_at`, and what jitter adds.")
    run_id: RunIdText | None = Field(description="The pending run that is written down for it, if one is.")


class NextTicks(Shape):
    """What starts next by itself, in the order in which it is due."""

    items: list[NextTick]


class TickFate(BaseModel):
    """What became of a tick, or of several in a row of which the same became."""

    model_config = ConfigDict(extra="forbid")

    outcome: Outcome
    count: int = Field(ge=1, description="How many ticks; of a long gap, at least so many.")
    first: datetime = Field(description="The first of these ticks.")
    last: datetime
    run_id: RunIdText | None = Field(description="The run of the last of them; null when none tells of it.")
    end_reason: EndReason | None
    behind: list[RunIdText] = Field(description="The runs of the task that were in the way of the last.")
    message: str


class Why(Shape):
    """What became of a task's last ticks, and which come next."""

    task_name: str
    last: list[TickFate] = Field(description="The oldest first.")
    next: list[NextTick] = Field(description="Ten at most.")
    note: str | None = Field(description="Why nothing comes next, or why what comes will be missed.")
    pauses: list[Pause] = Field(description="Those that hold the task, the narrowest first.")


class Program(Shape):
    """What is run, how it begins, what it finds, how it ends, and what is kept of it."""

    name: str
    run: str | list[str] = Field(description="Text for the shell, or a program and its arguments.")
    description: str | None
    group: str | None
    tags: list[str]
    env_base: EnvBase
    env_file: list[str]
    env: dict[str, str]
    secrets_file: list[str]
    secrets: list[str] = Field(description="Their names; the values are shown nowhere.")
    working_dir: str | None
    shell: str
    stop_signal: str
    grace: Seconds
    exit_codes: list[int] = Field(description="The exit codes that are a success.")
    merge_stderr: bool
    stdin: bool = Field(description="Its runs take input; else they read `/dev/null`.")
    pty: bool = Field(description="Its runs have a terminal, and take input by that.")
    user: str | None = Field(description="Whose its runs are; null is Rota's own user.")
    umask: str | None = Field(description="An octal number; null is Rota's own.")
    nice: int | None = Field(description="From -20, the most urgent, to 19; null is Rota's own.")
    memory_max: int | None = Field(description="Bytes that a run may use; null is no limit.")
    cpu_max: float | None = Field(description="Processors that a run may use; null is no limit.")
    tasks_max: int | None = Field(description="Processes and threads of a run; null is no limit.")
    log_max_size: int | None = Field(description="Bytes that the log of a run may take; null is no limit.")
    log_on_full: LogOnFull
    keep_runs: int | None = Field(description="How many ended runs are kept; null is all of them.")
    keep_for: Seconds | None = Field(description="How long runs are kept after their end; null is for ever.")


class Task(Program):
    """A definition that runs to its end, by schedule or on demand, and how it stands now."""

    cron: list[str]
    timezone: str | None
    except_: list[str] = Field(alias="except", description="Calendars on whose days it is not due.")
    only: list[str] = Field(description="Calendars of which a day has to be in one.")
    not_before: str | None = Field(description="A day or moment; without a zone, in the task's.")
    not_after: str | None = Field(description="A day, to its end, or a moment.")
    catch_up: int = Field(ge=0, description="How many ticks that a gap has missed are run after it.")
    start_deadline: Seconds | None = Field(description="After its tick; what has not started then is missed.")
    jitter: Seconds = Field(description="By so much at most a run is due later than its tick.")
    after: list[str] = Field(description="Tasks; it runs when each has ended well since it last did so.")
    after_failure: list[str] = Field(description="Tasks; it runs when one of them has failed for good.")
    run_on_start: bool
    params: list[Param] = Field(description="What a run may be given, in the order of its arguments.")
    params_schema: dict[str, Any] = Field(description="The JSON Schema of `params` in a trigger's body.")
    timeout: Seconds | None
    failures: list[EndReason] = Field(description="The end reasons that count as failures.")
    retry: Retry
    keep_children: bool
    enabled: bool = Field(description="False stops the schedule only.")
    manual_trigger: bool
    max_concurrent: int
    max_queued: int
    priority: int = Field(description="The higher goes first to a slot that tasks share.")
    on_overlap: Overlap
    pauses: list[Pause] = Field(description="Those that hold it, the narrowest first; none: it goes on.")
    running: int = Field(ge=0, description="How many runs of it live now.")
    pending: int = Field(ge=0, description="How many wait for their turn.")
    next_ticks: list[NextTick] = Field(description="When it is due: one in the list of tasks, five alone.")
    last_runs: list[Run] = Field(description="Newest first: one in the list of tasks, ten alone.")


class HealthCheck(BaseModel):
    """How it is found out whether an instance is well; one of the first four is there."""

    model_config = ConfigDict(extra="forbid")

    command: str | list[str] | None = Field(description="It exits with 0.")
    http: str | None = Field(description="A GET of this address is answered with 200 to 399.")
    tcp: str | None = Field(description="A connection is accepted at this host and port.")
    notify: bool = Field(description="It says so itself (sd_notify).")
    interval: Seconds
    timeout: Seconds
    retries: int
    start_period: Seconds
    restart: bool = Field(description="Whether an instance that is unhealthy is started again.")


class Instance(BaseModel):
    """An instance of a service, as it stands."""

    model_config = ConfigDict(extra="forbid")

    index: int = Field(ge=0)
    state: InstanceState
    since: datetime = Field(description="When it came to stand so; after a restart of the server, that.")
    pid: int | None
    run_id: RunIdText | None = Field(description="Its life, or its last one.")
    port: int | None
    restarts: int = Field(
        ge=0, description="Lives begun by itself after another one, since it was asked for."
    )
    failures: int = Field(ge=0, description="Lives in a row that ended before they were healthy.")
    next_attempt_at: datetime | None = Field(description="With `backing_off`: when it is started again.")
    message: str | None = Field(description="One sentence on why it stands so, where there is one.")


class Restarting(BaseModel):
    """A restart that is under way."""

    model_config = ConfigDict(extra="forbid")

    rolling: bool = Field(description="One instance at a time, waiting for health; else all at once.")
    left: int = Field(ge=1, description="So many lives are yet to be replaced.")


class Service(Program):
    """A definition that is kept alive, and how its instances stand now."""

    state: InstanceState = Field(description="The worst of its instances' states.")
    wanted: bool = Field(description="Whether it is to live.")
    scale: int = Field(ge=1, description="How many instances are to live while it is wanted.")
    declared: int = Field(ge=1, description="How many the configuration says.")
    healthy: int = Field(ge=0, description="How many instances are healthy.")
    restarting: Restarting | None
    instances: list[Instance]
    restart: Restart
    restart_delay: Seconds
    restart_backoff: Backoff
    restart_attempts: int
    healthy_after: Seconds
    health: HealthCheck | None
    port: int | None
    autostart: bool
    depends_on: list[str]
    reload_signal: str | None


class RunPage(Shape):
    """Runs, newest first."""

    items: list[Run]
    next_cursor: str | None = Field(description="Give it as `cursor` for what follows; null at the end.")


class TaskPage(Shape):
    """Tasks, by name."""

    items: list[Task]
    next_cursor: str | None = Field(description="Give it as `cursor` for what follows; null at the end.")


class ServicePage(Shape):
    """Services, by name."""

    items: list[Service]
    next_cursor: str | None = Field(description="Give it as `cursor` for what follows; null at the end.")


class BulkFault(BaseModel):
    """Why something was not done to a run."""

    model_config = ConfigDict(extra="forbid")

    run_id: RunIdText
    type: str = Field(description="Which problem; the document at this address says more.")
    detail: str
    errors: list[Fault] = Field(description="Every fault, where there are several: such as each secret.")


class BulkRerun(BaseModel):
    """A run that does again what another did."""

    model_config = ConfigDict(extra="forbid")

    run_id: RunIdText
    rerun_of_run_id: RunIdText


class BulkOutcome(Shape):
    """What was done to many runs, and what was not."""

    dry_run: bool = Field(description="Nothing was done: this is what would be.")
    matched: int = Field(ge=0, description="How many runs were meant, ids of none included.")
    done: int = Field(ge=0, description="To so many it was done.")
    refused: int = Field(ge=0, description="To so many it was not.")
    faults: list[BulkFault] = Field(description="Why, of the first 1,000 of those.")
    reruns: list[BulkRerun] = Field(description="The first 1,000 new runs.")
    broken_off: str | None = Field(
        description="Why it was ended before all runs were dealt with, if it was: the numbers are of those "
        "that were."
    )


class InputTaken(Shape):
    """What was sent to a run was taken, all of it."""

    run_id: RunIdText
    unread: int = Field(ge=0, description="Bytes that were taken, by now or before, and not read yet.")


class TerminalSize(Shape):
    """The size of a run's terminal."""

    run_id: RunIdText
    rows: int = Field(ge=1)
    cols: int = Field(ge=1)


class LogLine(BaseModel):
    """A line of a log, or a piece of one."""

    model_config = ConfigDict(extra="forbid")

    n: int = Field(ge=1, description="Its number. The streams share one numbering, which counts from 1.")
    at: datetime = Field(description="When its newline, or its stream's end, arrived.")
    stream: Stream
    text: str = Field(description="What is not UTF-8 is replaced; `log/raw` has the bytes.")
    continued: bool = Field(description="The line goes on in the next piece, which has the same number.")
    match: bool | None = Field(None, description="Whether it matches; null where nothing was looked for.")


class OpenLine(BaseModel):
    """What a stream has written of a line that is not complete, as it looks now. It has no number yet."""

    model_config = ConfigDict(extra="forbid")

    at: datetime = Field(description="When its last bytes arrived.")
    stream: Stream
    text: str


class LogPage(Shape):
    """Some lines of a run's log."""

    lines: list[LogLine]
    open: list[OpenLine] | None = Field(description="With `progress=true`: what is still being written.")
    first_available: int = Field(
        ge=1,
        description="The number of the first line that is still there; behind others that were dropped it "
        "may have lost its beginning.",
    )
    total_lines: int = Field(ge=0, description="The number of the last complete line.")
    truncated: bool = Field(description="The log's beginning, or all of it, was dropped.")
    dropped_lines: int = Field(ge=0, description="So many lines went with the beginning.")
    dropped_bytes: int = Field(ge=0, description="And so many bytes.")
    removed_at: datetime | None = Field(description="When all of it was removed, for want of space.")
    finalized: bool = Field(description="The run has ended: no line follows the last.")
    stopped_early: bool = Field(description="The time for finding matches was over; go on with the cursor.")
    next_cursor: str | None = Field(description="Give it as `since` for what follows; null at the end.")


class ServiceLogLine(BaseModel):
    """A line of a service's log, and whose it is."""

    model_config = ConfigDict(extra="forbid")

    run_id: RunIdText
    instance_index: int = Field(ge=0)
    line: LogLine


class ServiceLogPage(Shape):
    """Some lines of a service's log, in the order of their arrival."""

    lines: list[ServiceLogLine]
    more: bool = Field(description="There are more already.")
    next_cursor: str = Field(description="Give it as `since` for what follows; a service's log has no end.")


class ServiceLife(Shape):
    """A life of an instance has begun or ended."""

    run_id: RunIdText
    instance_index: int = Field(ge=0)
    status: Status
    end_reason: EndReason | None


class LogMatch(BaseModel):
    """A line that was found."""

    model_config = ConfigDict(extra="forbid")

    run_id: RunIdText
    task_name: str | None
    line: LogLine = Field(description="As readers see it, without colours; of a very long one the beginning.")


class RunReached(BaseModel):
    """How far back a search got."""

    model_config = ConfigDict(extra="forbid")

    run_id: RunIdText
    created_at: datetime


class LogMatches(Shape):
    """What a search has found, newest runs first, and how far it got."""

    items: list[LogMatch]
    stopped: Stopped | None = Field(description="Why it ended early; null when everything was looked at.")
    runs: int = Field(ge=0, description="The logs of so many runs were looked at.")
    bytes: int = Field(ge=0, description="So much of them was.")
    reached: RunReached | None = Field(description="The oldest run that was looked at.")
    next_cursor: str | None = Field(description="Give it as `cursor` to go on; null at the end.")


class LogDropped(Shape):
    """Lines that are not in a stream of lines: their reader was too slow, or they went to keep a cap."""

    first: int = Field(ge=1)
    last: int = Field(ge=1)


class LogDone(Shape):
    """The run has ended, and every line of its log was told."""

    total_lines: int = Field(ge=0)
    status: Status
    end_reason: EndReason | None


class InstanceChange(BaseModel):
    """An instance of a service stands otherwise than before."""

    model_config = ConfigDict(extra="forbid")

    service: str
    index: int = Field(ge=0)
    state: InstanceState
    was: InstanceState
    run_id: RunIdText | None = Field(description="Its life, or its last one.")


class Event(Shape):
    """One change of state; `id` grows by the order of commits, over restarts too."""

    id: int = Field(ge=1)
    kind: EventKind
    at: datetime
    run: Run | None
    instance: InstanceChange | None = Field(description="With the kinds that begin with `service.`.")
    message: str | None


class Gap(Shape):
    """Events were missed: those before `first_available` can no longer be told. Look at the runs anew."""

    first_available: int = Field(ge=0)


class Health(Shape):
    """Whether Rota can do its work; when it cannot, the answer is a `Problem` with status 503."""

    ok: bool
    problems: list[str]


class ConfigRefused(BaseModel):
    """A configuration that was not taken."""

    model_config = ConfigDict(extra="forbid")

    at: datetime
    by: str = Field(description="Who wanted it loaded: `api`, `cli`, `mcp`, `SIGHUP`, `watch`.")
    faults: list[str] = Field(description="Each with its file, line and column.")


class Info(Shape):
    """The server that answers."""

    version: str
    pid: int
    started_at: datetime
    url: str
    data: str = Field(description="The data folder.")
    config: str | None = Field(description="The configuration file.")
    timezone: str = Field(description="The zone of schedules that name none.")
    store_id: str = Field(description="Made with the database; another one means another history.")
    tasks: int = Field(ge=0)
    warnings: list[str] = Field(description="What the configuration would better say otherwise.")
    pauses: list[Pause] = Field(description="All that last, the oldest first.")
    config_changed: bool = Field(
        description="Whether a file of the configuration has changed since it was last read."
    )
    config_loaded_at: datetime
    config_refused: ConfigRefused | None = Field(
        description="Why the configuration as it is now does not hold; null after the last load went well."
    )


class Part(BaseModel):
    """Something that a configuration has by its name."""

    model_config = ConfigDict(extra="forbid")

    kind: PartKind
    name: str = Field(description="Of a table that there is once, such as `jobs`, the table's.")


class ChangedPart(Part):
    """The same, of which the configuration says something else."""

    keys: list[str] = Field(description="Those that mean something else now, `[defaults]` counted in.")


class StoppedByReload(BaseModel):
    """A service that stops, or a run that ends before it has started."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["service", "run"]
    name: str = Field(description="The service's, or the run's task's.")
    run_id: RunIdText | None = Field(description="Of a run.")


class Reload(Shape):
    """What a reload has changed, or with `dry_run` would change."""

    dry_run: bool
    added: list[Part]
    removed: list[Part]
    changed: list[ChangedPart]
    restarted: list[str] = Field(
        description="Services whose processes see something else now: one instance after another."
    )
    scaled: list[str] = Field(description="Services with another number of instances.")
    stopped: list[StoppedByReload] = Field(
        description="Services that are gone, and runs that waited of such tasks."
    )
    needs_server_restart: list[str] = Field(
        description="Keys such as `server.port`, whose change waits for the next start of the server."
    )
    warnings: list[str] = Field(description="What the configuration would better say otherwise.")


class Revision(Shape):
    """One of the definitions that a task has had."""

    task_name: str
    revision: int = Field(ge=1)
    since: datetime = Field(description="When it was first loaded.")
    definition: dict[str, Any] = Field(
        description="By the names of `Task`; what is left out has its default, and of secrets there are the "
        "names."
    )


class Revisions(Shape):
    """The definitions that a task has had, the newest first."""

    items: list[Revision]


class Shutdown(Shape):
    """Everything is being ended: the runs, the keeper, the server."""

    pid: int
    running: int = Field(ge=0)
    pending: int = Field(ge=0)


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    model_config = ConfigDict(extra="forbid")

    location: str = Field(examples=["query.limit", "body.params.level"])
    message: str
    value: Any = Field(None, description="What was given; null when it is too long to say again.")


class Problem(Shape):
    """Why the answer is not what was asked for (RFC 9457)."""

    type: str = Field(description="Which problem; the document at this address says more.")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What is wrong here, and what to do next.")
    instance: str = Field(description="This occurrence of it.")
    errors: list[Fault] = Field(description="Every fault of the request, where it has any.")
    run_id: RunIdText | None = Field(None, description="The run that says the same, where one was recorded.")
    unread: int | None = Field(None, description="With `input-full`: so many bytes the run has not read.")


class ProblemType(Shape):
    """A kind of problem, as `type` names it."""

    name: str
    title: str
    status: int
    meaning: str


#: Everything that has a schema of its own at `/schemas/{Name}.json`.
SHAPES: dict[str, type[Shape]] = {
    shape.__name__: shape
    for shape in (
        *(BulkOutcome, Event, Gap, Health, Info, InputTaken, LogDone, LogDropped, LogMatches, LogPage),
        *(NextTicks, PauseState, Problem, ProblemType, Reload, Revision, Revisions, Run, RunPage),
        *(Service, ServiceLife, ServiceLogPage, ServicePage, Shutdown, Task, TaskPage, TerminalSize, Why),
    )
}

#: Those of routes that are the Unix socket's alone, of which `/openapi.json` says nothing.
OWNERS = frozenset({"Shutdown"})
