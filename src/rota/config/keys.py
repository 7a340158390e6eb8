"""The keys of the file: each with its type, meaning, default and example. The only list of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from rota.config import value
from rota.config.config import HOST, KEEP_DELETED, MIN_FREE_SPACE, PORT
from rota.config.health import wrong_in_health
from rota.config.param import wrong_in
from rota.model.backoff import Backoff
from rota.model.job import MAX_CONCURRENT
from rota.model.param import ParamType
from rota.model.retry import MOST_ATTEMPTS, RETRIED
from rota.model.run import FAILURES, EndReason
from rota.model.secret import SHORTEST, Secret
from rota.model.service import KEEP_RUNS, MOST_INSTANCES, SIGNALS, Restart
from rota.model.size import PATTERN as SIZE
from rota.model.task import LOG_MAX_SIZE, NAME, STOP_SIGNALS, EnvBase, LogOnFull, Overlap
from rota.model.tier import Tier
from rota.timing.calendar import DAY, Day
from rota.timing.duration import PATTERN
from rota.timing.holiday import PATTERN as COUNTRY

_TEXT = {"type": "string"}

Text = Annotated[str, AfterValidator(value.text)]
Label = Annotated[Text, AfterValidator(value.label)]
GroupName = Annotated[Label, WithJsonSchema(_TEXT | {"pattern": r"\S"})]
Zone = Annotated[str, AfterValidator(value.zone)]
Shell = Annotated[Text, AfterValidator(value.shell)]
Folder = Annotated[Text, AfterValidator(value.folder)]
Program = Annotated[Text, AfterValidator(value.program)]
Host = Annotated[str, AfterValidator(value.host)]
Cron = Annotated[str, AfterValidator(value.cron)]
Failure = Annotated[
    EndReason,
    Field(strict=False),
    AfterValidator(value.failure),
    WithJsonSchema(_TEXT | {"enum": [each for each in EndReason if each is not EndReason.SUCCESS]}),
]
RetriedOn = Annotated[
    EndReason | int,
    PlainValidator(value.retried_on),
    WithJsonSchema({
        "anyOf": [
            _TEXT | {"enum": [each for each in EndReason if each in RETRIED]},
            {"type": "integer", "minimum": 1, "maximum": 255},
        ]
    }),
]  # fmt: skip
ExitCode = Annotated[int, Field(ge=0, le=255)]
TaskName = Annotated[str, AfterValidator(value.task_name), WithJsonSchema(_TEXT | {"pattern": NAME.pattern})]
EnvName = Annotated[
    str, AfterValidator(value.env_name), WithJsonSchema(_TEXT | {"pattern": value.ENV_NAME.pattern})
]
ArgName = Annotated[Text, AfterValidator(value.argument_name)]
OptionName = Annotated[Text, AfterValidator(value.option_name)]
ParamScalar = Annotated[
    str | int | float | bool | date | datetime | None,
    PlainValidator(value.scalar),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "number"}, {"type": "boolean"}]}),
]
SecretText = Annotated[Secret, PlainValidator(value.secret), WithJsonSchema(_TEXT | {"minLength": SHORTEST})]
Files = Annotated[
    list[Annotated[str, AfterValidator(value.file)]],
    BeforeValidator(value.files),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}),
]
ManagedFile = Annotated[str, AfterValidator(value.file), AfterValidator(value.folder)]
Duration = Annotated[
    timedelta,
    PlainValidator(value.duration),
    WithJsonSchema({"anyOf": [_TEXT | {"pattern": PATTERN}, {"type": "number", "minimum": 0}]}),
]
_SIZE = WithJsonSchema({"anyOf": [_TEXT | {"pattern": SIZE}, {"type": "integer", "minimum": 0}]})
Size = Annotated[int, PlainValidator(value.size), _SIZE]
LogSize = Annotated[int, PlainValidator(value.log_size), _SIZE]
User = Annotated[str, AfterValidator(value.user), WithJsonSchema(_TEXT | {"pattern": value.USER.pattern})]
Memory = Annotated[int, PlainValidator(value.memory), _SIZE]
Processors = Annotated[
    float,
    PlainValidator(value.processors),
    WithJsonSchema({
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": value.MOST_PROCESSORS},
            _TEXT | {"pattern": f"^{value.PERCENT.pattern}$"},
        ]
    }),
]  # fmt: skip
Umask = Annotated[int, PlainValidator(value.umask), WithJsonSchema(_TEXT | {"pattern": value.UMASK.pattern})]
Signal = Annotated[
    str,
    AfterValidator(value.signal),
    WithJsonSchema(_TEXT | {"enum": [*STOP_SIGNALS, *(name.removeprefix("SIG") for name in STOP_SIGNALS)]}),
]
Crons = Annotated[
    list[Cron],
    BeforeValidator(value.one_or_many),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}),
]
CalendarName = Annotated[
    str, AfterValidator(value.calendar_name), WithJsonSchema(_TEXT | {"pattern": NAME.pattern})
]
CalendarNames = Annotated[
    list[str],
    PlainValidator(value.calendar_names),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}),
]
TaskNames = Annotated[
    list[str],
    PlainValidator(value.task_names),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}),
]
OneDay = Annotated[Day, PlainValidator(value.day), WithJsonSchema(_TEXT | {"pattern": f"^{DAY}$"})]
Range = Annotated[
    str, AfterValidator(value.days), WithJsonSchema(_TEXT | {"pattern": rf"^{DAY}\s*/\s*{DAY}$"})
]
Weekday = Annotated[str, AfterValidator(value.weekday), WithJsonSchema(_TEXT)]
Country = Annotated[str, AfterValidator(value.country), WithJsonSchema(_TEXT | {"pattern": COUNTRY})]
Countries = Annotated[
    list[Country],
    BeforeValidator(value.countries),
    WithJsonSchema({"anyOf": [_TEXT | {"pattern": COUNTRY}, {"type": "array", "items": _TEXT}]}),
]
AnySignal = Annotated[
    str,
    AfterValidator(value.any_signal),
    WithJsonSchema(_TEXT | {"enum": [*SIGNALS, *(name.removeprefix("SIG") for name in SIGNALS)]}),
]
Names = Annotated[
    list[str],
    PlainValidator(value.service_names),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}),
]
HttpAddress = Annotated[
    str, AfterValidator(value.http_address), WithJsonSchema(_TEXT | {"pattern": value.HTTP.pattern})
]
TcpAddress = Annotated[
    str,
    PlainValidator(value.tcp_address),
    WithJsonSchema({
        "anyOf": [
            _TEXT | {"pattern": value.TCP.pattern},
            {"type": "integer", "minimum": 1, "maximum": 65535},
        ]
    }),
]  # fmt: skip
Bound = Annotated[date, PlainValidator(value.bound), WithJsonSchema(_TEXT)]
Command = Annotated[
    str | tuple[str, ...],
    PlainValidator(value.command),
    WithJsonSchema({
        "anyOf": [
            _TEXT | {"pattern": r"\S"},
            {"type": "array", "items": _TEXT, "minItems": 1, "prefixItems": [_TEXT | {"minLength": 1}]},
        ]
    }),
]  # fmt: skip


def _key(meaning: str, *examples: Any, default: Any = None, **rules: Any) -> Any:
    """A key that may be left out."""
    # Of what could be changed pydantic makes a deep copy for each table, and there may be ten thousand.
    if isinstance(default, list):
        default = tuple(default)
    elif default == {}:
        rules |= {"default_factory": dict, "json_schema_extra": {"default": {}}}
        return Field(description=meaning, examples=list(examples), **rules)
    return Field(default, description=meaning, examples=list(examples), **rules)


class Table(BaseModel):
    """A table of the file: no key beside those that stand here, no value that is only similar."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ServerTable(Table):
    """Where Rota listens, and by which clock its tasks are due."""

    host: Host = _key(
        "The address to listen on; a loopback one, until Rota has accounts.", "::1", default=HOST
    )
    port: int = _key("The port to listen on; 0 takes any free one.", 9477, default=PORT, ge=0, le=65535)
    timezone: Zone | None = _key(
        "The time zone of every schedule that names none, by its IANA name. Left out: the machine's own.",
        "Europe/Paris",
    )
    max_concurrent: int | None = _key(
        "How many runs of tasks may be running at once, of all tasks together; services and jobs, which have "
        "limits of their own, do not count. Left out: no limit.",
        8,
        ge=1,
        le=10_000,
    )

    watch: bool = _key(
        "Load the configuration anew when a file of it changes. What is refused then is told by "
        "`rota status`.",
        True,
        default=False,
    )
    managed_file: ManagedFile | None = _key(
        "A file that agents may write tasks into (`save_task`); it is a part of the configuration as if it "
        "were included. Left out: they may not.",
        "agents.toml",
    )


class StorageTable(Table):
    """How much of the disk Rota may use."""

    max_size: Size = _key(
        "How much the logs of all runs may take together. Beyond it the logs of runs that have ended are "
        "removed, the oldest first; the runs themselves stay. 0: no limit.",
        "20gb",
        default=0,
    )
    keep_deleted: Duration = _key(
        "How long a run that was deleted can be restored; its log stays on the disk so long. 0: not at all.",
        "1d",
        default=KEEP_DELETED,
        json_schema_extra={"default": "1h"},
    )
    min_free_space: Size = _key(
        "How much of the disk output leaves free. While there is less, what programs write is dropped and "
        "counted, and they go on. 0: only a full disk stops it.",
        "1gb",
        default=MIN_FREE_SPACE,
        json_schema_extra={"default": "64mb"},
    )


class JobsTable(Table):
    """Ad-hoc commands, which stand in no file: who may start them, which, and what holds for all of them."""

    enabled: bool | None = _key(
        "Whether jobs may be started. True: also by whoever reaches the port of a server that asks for no "
        "token (`ROTA_AUTH=off`). False: by nobody. Left out: by the data folder's owner, through the Unix "
        "socket or with the token.",
        False,
    )
    max_concurrent: int = _key(
        "How many jobs may run at once; more of them wait.", 4, default=MAX_CONCURRENT, ge=1, le=1024
    )
    max_queued: int = _key(
        "How many jobs may wait for their turn; 0 lets none wait.", 0, default=100, ge=0, le=10_000
    )
    timeout: Duration | None = _key(
        "How long a job may take. One may ask for less, and not for more. Left out, or 0: as long as it "
        "likes.",
        "2h",
    )
    shell: Shell = _key(
        "The program that runs a command given as text, by absolute path or by name.",
        "/bin/bash",
        default="/bin/sh",
    )
    user: User | None = _key(
        "Whose the jobs are, as `user` or `user:group`; it takes a server that runs as root. Left out: the "
        "server's own user.",
        "agent",
        "agent:agents",
    )
    allow: list[Program] | None = _key(
        "The programs that jobs may start; text for the shell counts as its shell. By name, as a login finds "
        "it, or by absolute path; `*` and `?` stand for any. Left out: all.",
        ["git", "/usr/bin/python3*", "/opt/tools/*"],
    )
    deny: list[Program] = _key(
        "The programs that jobs may not start, even when `allow` has them. It guards against slips, and is "
        "no wall: what is started can start others.",
        ["rm", "/usr/sbin/*"],
        default=[],
    )
    cwd_roots: list[Folder] | None = _key(
        "The folders within which jobs may run: absolute, below `~`, or relative to the folder of this file. "
        "Left out: any.",
        ["~/src", "/srv"],
    )
    memory_max: Memory | None = _key(
        "How much memory a job's processes may use together, at least 4mib; a job that wants more is killed, "
        "and ends as `out_of_memory`. Left out, or 0: as much as there is.",
        "512mb",
    )
    cpu_max: Processors | None = _key(
        "How many processors a job's processes may keep busy together: a number, or a share of one. "
        "Left out, or 0: all of them.",
        0.5,
        "150%",
    )
    tasks_max: int | None = _key(
        "How many processes and threads a job may have at once. Left out, or 0: as many as it likes.",
        64,
        ge=0,
        le=4_194_304,
    )
    log_max_size: LogSize = _key(
        "How large a job's log may become on the disk, with its index; at least 128kib. What is too much "
        "goes from its beginning. 0: no limit.",
        "1gb",
        default=LOG_MAX_SIZE,
        json_schema_extra={"default": "100mb"},
    )
    keep_runs: int | None = _key(
        "How many ended jobs are kept, the newest, with their logs. Left out: all.", 1000, ge=1, le=1_000_000
    )
    keep_for: Duration | None = _key(
        "How long jobs are kept after their end, with their logs. Left out, or 0: for ever.", "7d"
    )


class McpTable(Table):
    """What agents may do, through MCP."""

    tier: Annotated[Tier, Field(strict=False)] = _key(
        "Which tools agents get: `read` looks at tasks, runs and logs; `operate` also starts and stops what "
        "is defined; `admin` also runs commands of its own. `rota mcp --tier` may ask for less.",
        "operate",
        default=Tier.ADMIN,
    )


class CalendarTable(Table):
    """A calendar: a set of days, for tasks to keep to or to leave out."""

    dates: list[OneDay] = _key(
        "Single days; without a year, the same day of each year.", ["2026-12-24", "05-01"], default=[]
    )
    ranges: list[Range] = _key(
        "Days from the first to the last, both included; without years, each year.",
        ["2026-07-20/2026-07-31", "12-24/01-02"],
        default=[],
    )
    weekdays: list[Weekday] = _key("Days of the week.", ["SAT", "SUN"], default=[])
    holidays: Countries = _key(
        "The public holidays of a country, or of a part of it, by ISO 3166 code; or of several.",
        "DE-BY",
        ["US", "CA-ON"],
        default=[],
    )


class RetryTable(Table):
    """What becomes of a run that fails: whether it gets another attempt, and when."""

    attempts: int = _key(
        "How many attempts a run has, the first included; 1 is no retry.",
        3,
        default=1,
        ge=1,
        le=MOST_ATTEMPTS,
    )
    delay: Duration = _key(
        "How long after the end of the first attempt the second is due.",
        "30s",
        default=timedelta(seconds=10),
    )
    backoff: Annotated[Backoff, Field(strict=False)] = _key(
        "How the delay goes on: `constant` is the same each time, `linear` once, twice, three times `delay`, "
        "`exponential` once, twice, four times.",
        "exponential",
        default=Backoff.CONSTANT,
    )
    max_delay: Duration | None = _key(
        "No delay is longer, however it grows. Left out: an hour, or `delay` if that is more.", "10m"
    )
    jitter: Duration = _key(
        "By how much at most an attempt is due later than that: each by its own part.",
        "5s",
        default=timedelta(),
    )
    on: list[RetriedOn] | None = _key(
        "The failures that are retried, as end reasons and exit codes. Left out: all.",
        ["timeout", "lost"],
        [75, "start_failed"],
        min_length=1,
    )


class ProgramTable(Table):
    """What holds for whatever is run: how it begins, what it finds, how it ends, what is kept of it."""

    env_base: Annotated[EnvBase, Field(strict=False)] = _key(
        "What the environment begins with: `inherit` is the server's own, without what is Rota's; `clean` "
        "is PATH, LANG, HOME, USER, LOGNAME and SHELL alone.",
        "clean",
        default=EnvBase.INHERIT,
    )
    env_file: Files = _key(
        "Files of environment variables, a `NAME=value` a line; one path or several, of which a later one "
        "wins. Read when the configuration is.",
        ".env",
        ["common.env", "/etc/shop.env"],
        default=[],
    )
    env: dict[EnvName, Text] = _key(
        "Environment variables; they win over those of `env_file`. A task's are added to those of the "
        "defaults, and win over them. Names that begin with ROTA_ are Rota's.",
        {"LANG": "C.UTF-8", "PGHOST": "db.internal"},
        default={},
    )
    secrets_file: Files = _key(
        "Files of environment variables as `env_file`, whose values are secrets.",
        "secrets.env",
        ["~/.config/shop/keys.env", "/run/secrets/shop.env"],
        default=[],
    )
    secrets: dict[EnvName, SecretText] = _key(
        "Environment variables whose values are shown nowhere, and hidden in logs. They win over those of "
        "`secrets_file`. A task's are added to those of the defaults, and win over them.",
        {"PGPASSWORD": "${PGPASSWORD}", "API_KEY": "${file:/run/secrets/api-key}"},
        default={},
    )
    working_dir: Folder | None = _key(
        "The folder to run in: absolute, below `~`, or relative to the folder of this file. "
        "Left out: that folder itself.",
        "/srv/app",
        "~/backups",
    )
    shell: Shell = _key(
        "The program that runs a `run` given as text, by absolute path or by name.",
        "/bin/bash",
        default="/bin/sh",
    )
    stop_signal: Signal = _key("The signal that asks a run to stop.", "SIGINT", default="SIGTERM")
    grace: Duration = _key(
        "How long a run may take to stop when asked; then it is killed.", "30s", default=timedelta(seconds=5)
    )
    exit_codes: list[ExitCode] = _key("The exit codes that are a success.", [0, 3], default=[0], min_length=1)
    merge_stderr: bool = _key(
        "One pipe for standard output and standard error: "
        "their order is exact, and they cannot be told apart.",
        True,
        default=False,
    )
    stdin: bool = _key(
        "Keep standard input open, for input that is sent to the run. Otherwise it is empty.",
        True,
        default=False,
    )
    pty: bool = _key(
        "Run in a terminal: what is sent to the run is typed into it, and what the run writes, on either "
        "stream, is standard output.",
        True,
        default=False,
    )
    user: User | None = _key(
        "The user that it runs as, `name` or `name:group`; another than Rota's own takes root. "
        "Left out: Rota's own.",
        "backup",
        "www-data:adm",
    )
    umask: Umask | None = _key(
        "Which rights the files that it makes do not give: an octal number in quotes. Left out: Rota's own.",
        "027",
    )
    nice: int | None = _key(
        "How far it stands back for other programs: from -20, the most urgent, to 19. Below 0 takes root. "
        "Left out: Rota's own.",
        10,
        ge=-20,
        le=19,
    )
    memory_max: Memory | None = _key(
        "How much memory a run's processes may use together, at least 4mib; a run that wants more is killed, "
        "and ends as `out_of_memory`. Left out, or 0: as much as there is.",
        "512mb",
    )
    cpu_max: Processors | None = _key(
        "How many processors a run's processes may keep busy together: a number, or a share of one. "
        "Left out, or 0: all of them.",
        0.5,
        "150%",
    )
    tasks_max: int | None = _key(
        "How many processes and threads a run may have at once. Left out, or 0: as many as it likes.",
        64,
        ge=0,
        le=4_194_304,
    )
    log_max_size: LogSize = _key(
        "How large a run's log may become on the disk, with its index; at least 128kib. 0: no limit.",
        "1gb",
        5_000_000,
        default=LOG_MAX_SIZE,
        json_schema_extra={"default": "100mb"},
    )
    log_on_full: Annotated[LogOnFull, Field(strict=False)] = _key(
        "What becomes of the output of a run whose log has reached `log_max_size`: `drop_old` keeps the "
        "newest, `drop_new` the oldest, `kill` stops the run, which ends as `log_overflow`.",
        "drop_new",
        default=LogOnFull.DROP_OLD,
    )
    keep_runs: int | None = _key(
        "How many of its ended runs are kept, the newest, with their logs. Left out: all.",
        100,
        ge=1,
        le=1_000_000,
    )
    keep_for: Duration | None = _key(
        "How long its runs are kept after their end, with their logs. Left out, or 0: for ever.", "30d"
    )


class DefaultsTable(ProgramTable):
    """What holds for every task, and for every service, that does not say otherwise."""

    timezone: Zone | None = _key(
        "The time zone of the schedule, by its IANA name. Left out: the server's.", "America/New_York"
    )
    timeout: Duration | None = _key(
        "How long a run may take before it is stopped and ends as `timeout`. "
        "Left out, or 0: as long as it likes.",
        "1h30m",
        90,
    )
    failures: list[Failure] = _key(
        "The end reasons that are a failure (`is_failure`); the others are not. It is what retries, "
        "`after_failure` and news go by. A success never is one.",
        ["failed", "timeout"],
        default=tuple(sorted(FAILURES)),
    )
    retry: RetryTable = _key(
        "Another attempt for a run that fails. A task's keys are added to those of the defaults, and win "
        "over them.",
        {"attempts": 3, "delay": "1m", "backoff": "exponential"},
        default=RetryTable(),
        json_schema_extra={"default": {}},
    )
    keep_children: bool = _key(
        "Leave alone what a run has started and what outlives it, rather than stop it.", True, default=False
    )
    enabled: bool = _key(
        "Whether it starts by itself, by its schedule or `run_on_start`; by hand it starts all the same.",
        False,
        default=True,
    )
    manual_trigger: bool = _key("Whether anything but the schedule may start it.", False, default=True)
    max_concurrent: int = _key("How many of its runs may be running at once.", 4, default=1, ge=1, le=1024)
    max_queued: int = _key(
        "How many of its runs may wait for their turn; 0 lets none wait.", 0, default=100, ge=0, le=10_000
    )
    on_overlap: Annotated[Overlap, Field(strict=False)] = _key(
        "What a tick or trigger does while `max_concurrent` runs are running: `queue` waits for its turn, "
        "`skip` lets it go by, `replace` stops the oldest run and starts after its end.",
        "skip",
        default=Overlap.QUEUE,
    )
    catch_up: int = _key(
        "How many of the ticks that a gap has missed are run after it, the newest. A gap is a time in which "
        "Rota was not running or the machine was suspended. More than 1 needs the overlap `queue`. 0: none.",
        0,
        24,
        default=1,
        ge=0,
        le=1000,
    )
    start_deadline: Duration | None = _key(
        "How long after its tick a run may still start; then it ends as `missed`, out of the queue too. "
        "Left out, or 0: however late.",
        "10m",
    )
    jitter: Duration = _key(
        "By how much at most a run is due later than its tick: each by its own part, the same at each try.",
        "5m",
        default=timedelta(),
    )


class ParamTable(Table):
    """A parameter: a value that a run of the task may be given. One of the first four keys names it."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": [kind]} for kind in ("env", "arg", "option", "flag")]}
    )

    env: EnvName | None = _key("The environment variable that holds the value.", "LEVEL")
    arg: ArgName | None = _key("What the argument is called; the program is given the value alone.", "who")
    option: OptionName | None = _key("The option that comes before the value.", "--level", "-l")
    flag: OptionName | None = _key("An argument that is there when the value is true.", "--dry-run")
    type: Annotated[ParamType | None, Field(strict=False)] = _key(
        "What the value has to be. Left out: `enum` with `choices`, otherwise `string`.", "integer"
    )
    required: bool = _key("Whether a run needs a value for it.", True, default=False)
    default: ParamScalar = _key("The value of a run that is given none.", "low", 5, True)
    choices: list[ParamScalar] = _key("The values that fit.", ["low", "high"], default=[])
    allow_custom: bool = _key(
        "Take `choices` for proposals, beside which other values fit.", True, default=False
    )
    pattern: Text | None = _key(
        "A regular expression in RE2's syntax that the whole value has to match.", "[a-z]+-[0-9]+"
    )
    min: ParamScalar = _key("The least integer or number, the first date or datetime that fits.", 1)
    max: ParamScalar = _key("The largest or last.", 10)
    description: Text | None = _key("What it is for, in a sentence for people.", "How much to say")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if wrong := list(wrong_in(self)):
            raise ValidationError.from_exception_data(
                "param",
                [
                    InitErrorDetails(
                        type=PydanticCustomError("value_error", "{error}", {"error": error}),
                        loc=(key,) if key else (),
                        input=getattr(self, key) if key else None,
                    )
                    for key, error in wrong
                ],
            )
        return self


class GroupTable(Table):
    """What holds for the tasks of a group together."""

    max_concurrent: int = Field(
        description="How many runs of the group's tasks may be running at once, of all of them together.",
        examples=[1, 4],
        ge=1,
        le=10_000,
    )


class TaskTable(DefaultsTable):
    """A task: what to run, when, and under which rules."""

    run: Command = Field(
        description="What to run: text for the shell, "
        "or a list of a program and its arguments, without a shell.",
        examples=["pg_dump shop > shop.sql", ["/usr/bin/rsync", "-a", "/srv/", "backup:/srv/"]],
    )
    cron: Crons = _key(
        "When it is due: one expression or several. Five fields (minute, hour, day, month, weekday), six "
        "with leading seconds, `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, "
        "`@annually`, or `@every` with a duration, counted from the Unix epoch. Left out: only when asked.",
        "30 2 * * *",
        ["0 9 * * MON-FRI", "0 12 * * SAT"],
        "@every 90s",
        default=[],
    )
    except_: CalendarNames = _key(
        "Calendars on whose days it is not due: the name of one, or a list.",
        "holidays",
        ["weekends", "holidays"],
        default=[],
        alias="except",
    )
    only: CalendarNames = _key(
        "Calendars on whose days alone it is due: the name of one, or a list of which one has the day.",
        "workdays",
        default=[],
    )
    not_before: Bound | None = _key(
        "It is due from this day, or moment, on. What names no zone is in the task's.",
        "2026-07-01",
        "2026-07-01T08:00",
    )
    not_after: Bound | None = _key(
        "It is due until this moment, or to the end of this day.", "2026-12-31", "2026-12-31T18:00:00Z"
    )
    after: TaskNames = _key(
        "Tasks that it comes after, the name of one or a list: it runs when each of them has ended well "
        "since its last run of this kind.",
        "extract",
        ["extract", "clean"],
        default=[],
    )
    after_failure: TaskNames = _key(
        "Tasks after whose failure it runs: when one of them has failed, and is not tried again.",
        "backup",
        default=[],
    )
    run_on_start: bool = _key(
        "Whether it runs once at each start of the keeper: at Rota's, but not when only the server restarts.",
        True,
        default=False,
    )
    description: Text | None = _key("What it is for, in a sentence for people.", "Dumps the shop's database")
    group: Label | None = _key(
        "A label to show tasks together by, and to pause them by. Where there is a table [groups.NAME] of "
        "that name, they share its slots.",
        "backups",
    )
    priority: int = _key(
        "Who goes first to a slot that tasks share, be it their group's or the server's: the higher number, "
        "and of equal ones whoever has waited longer.",
        10,
        -5,
        default=0,
        ge=-1000,
        le=1000,
    )
    tags: list[Label] = _key("Labels to find tasks by.", ["nightly", "database"], default=[])
    params: list[ParamTable] = _key(
        "The values that a run of it may be given, in the order of its arguments.",
        [{"env": "LEVEL", "choices": ["low", "high"], "default": "low"}, {"arg": "who", "required": True}],
        default=[],
    )


class HealthTable(Table):
    """How it is found out whether an instance is well. One of the first four keys says by what."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": [kind]} for kind in ("command", "http", "tcp", "notify")]}
    )

    command: Command | None = _key(
        "A command that exits with 0 when all is well: text for the service's shell, or a list. It runs as "
        "the service does. `{index}` and `{port}` become the instance's.",
        "pg_isready -p {port}",
        ["/usr/local/bin/is-well", "--instance", "{index}"],
    )
    http: HttpAddress | None = _key(
        "An address whose GET is answered with a status from 200 to 399 when all is well.",
        "http://127.0.0.1:{port}/health",
    )
    tcp: TcpAddress | None = _key(
        "A host and port at which a connection is accepted when all is well; a port alone is this machine's.",
        "127.0.0.1:{port}",
        5432,
    )
    notify: Literal[True] | None = _key(
        "The program says itself that it is ready, through the socket in NOTIFY_SOCKET, as sd_notify(3) has "
        "it. Once it has sent WATCHDOG=1 it has to again within `interval` times `retries`.",
        True,
    )
    interval: Duration = _key(
        "How long from one check to the next. Until it is healthy, it is looked at once a second.",
        "30s",
        default=timedelta(seconds=10),
    )
    timeout: Duration = _key(
        "How long one check may take; then it has failed.", "2s", default=timedelta(seconds=5)
    )
    retries: int = _key(
        "How many checks have to fail in a row before an instance that was healthy is unhealthy.",
        5,
        default=3,
        ge=1,
        le=1000,
    )
    start_period: Duration = _key(
        "How much longer than `interval` times `retries` it may take to become healthy.",
        "1m",
        default=timedelta(),
    )
    restart: bool = _key(
        "Whether an instance that is unhealthy is stopped and started again.", False, default=True
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if wrong := wrong_in_health(self):
            raise PydanticCustomError("value_error", "{error}", {"error": wrong})
        return self


class ServiceTable(ProgramTable):
    """A service: what to keep alive, in how many instances, and when to give up on it."""

    run: Command = Field(
        description="What each instance runs, in the foreground: text for the shell, or a list of a program "
        "and its arguments, without a shell.",
        examples=["exec gunicorn --bind 127.0.0.1:$PORT shop:app", ["/usr/bin/redis-server", "redis.conf"]],
    )
    instances: int = _key(
        "How many of it there are. Each has ROTA_INSTANCE_INDEX, from 0.",
        4,
        default=1,
        ge=1,
        le=MOST_INSTANCES,
    )
    restart: Annotated[Restart, Field(strict=False)] = _key(
        "When an instance that has ended is started again: `always`, `on_failure` only (not after a success, "
        "nor when somebody stopped its run), or `never`.",
        "on_failure",
        default=Restart.ALWAYS,
    )
    restart_delay: Duration = _key(
        "How long from the end of one life to the beginning of the next.", "5s", default=timedelta(seconds=1)
    )
    restart_backoff: Annotated[Backoff, Field(strict=False)] = _key(
        "How `restart_delay` grows with the lives in a row that ended before they were healthy, to a minute "
        "at most: `constant`, `linear` or `exponential`.",
        "constant",
        default=Backoff.EXPONENTIAL,
    )
    restart_attempts: int = _key(
        "How many lives in a row may end before they are healthy; then the instance has `failed`. "
        "0: it is tried for ever.",
        3,
        default=10,
        ge=0,
        le=1_000_000,
    )
    healthy_after: Duration = _key(
        "How long an instance has to live before it is healthy, whatever its check says.",
        "10s",
        default=timedelta(seconds=1),
    )
    health: HealthTable | None = _key(
        "How it is found out whether an instance is well. Left out: whatever lives is.",
        {"http": "http://127.0.0.1:{port}/health", "interval": "5s"},
    )
    port: int | None = _key(
        "The port of instance 0; the others have the next ones. Each finds its own in PORT.",
        8000,
        ge=1,
        le=65535,
    )
    autostart: bool = _key(
        "Whether it is started by itself, when the machine has booted and after `rota shutdown`.",
        False,
        default=True,
    )
    depends_on: Names = _key(
        "Services that have to be healthy before an instance of this one begins: one, or a list. They are "
        "started along with it.",
        "database",
        ["database", "queue"],
        default=[],
    )
    reload_signal: AnySignal | None = _key(
        "The signal that has it read its configuration again: what `rota signal` sends.", "SIGHUP"
    )
    description: Text | None = _key("What it is for, in a sentence for people.", "The shop's pages")
    group: Label | None = _key("A label to show services together by.", "shop")
    tags: list[Label] = _key("Labels to find services by.", ["web", "public"], default=[])
    keep_runs: int | None = _key(
        "How many of its ended lives are kept, the newest, with their logs.",
        100,
        default=KEEP_RUNS,
        ge=1,
        le=1_000_000,
    )


class FileTable(Table):
    """Rota's configuration: a server and its disk, what holds for jobs and agents, tasks and services."""

    include: Files = _key(
        "Other files that belong to the configuration, each a path or a pattern: absolute, below `~`, or "
        "relative to the folder of this file; in the order of their names. They hold tasks, services, "
        "groups and calendars.",
        ["conf.d/*.toml", "/etc/rota/shop.toml"],
        default=[],
    )
    server: ServerTable = Field(
        ServerTable(), description="Where Rota listens, and by which clock its tasks are due."
    )
    storage: StorageTable = Field(StorageTable(), description="How much of the disk Rota may use.")
    jobs: JobsTable = Field(
        JobsTable(), description="Ad-hoc commands: who may start them, which, and what holds for all of them."
    )
    mcp: McpTable = Field(McpTable(), description="What agents may do, through MCP.")
    defaults: DefaultsTable = Field(
        DefaultsTable(), description="What holds for every task and service that does not say otherwise."
    )
    calendars: dict[CalendarName, CalendarTable] = Field(
        {}, description="Sets of days, each by its name, for the `except` and `only` of tasks."
    )
    groups: dict[GroupName, GroupTable] = Field(
        {}, description="Limits that tasks share, each by the name that they have as their `group`."
    )
    tasks: dict[TaskName, TaskTable] = Field(
        {},
        description="The tasks, each by its name: up to 100 letters, digits, and `.` `_` `:` `-` (in quotes, "
        "if it has a dot or colon).",
    )
    services: dict[TaskName, ServiceTable] = Field(
        {}, description="The services, each by its name, as tasks have them; no two have the same."
    )
