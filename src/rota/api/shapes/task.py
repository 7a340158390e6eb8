"""A task, with its parameters and retries, and how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from rota.api.shapes.pause import Pause
from rota.api.shapes.program import Program
from rota.api.shapes.run import Run
from rota.api.shapes.shape import Inner, Seconds, Shape
from rota.api.shapes.tick import NextTick
from rota.api.wire import seconds
from rota.model.backoff import Backoff
from rota.model.param import ParamKind, ParamType
from rota.model.param_schema import schema_of
from rota.model.run import EndReason
from rota.model.secret import REDACTED, Secret
from rota.model.task import Overlap

if TYPE_CHECKING:
    from rota.model import param, retry
    from rota.model import task as model
    from rota.operations.list_tasks import TaskNow


class Param(Inner):
    """A value that a run of a task may be given."""

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

    @staticmethod
    def as_json(it: param.Param) -> dict[str, Any]:
        return {
            "name": it.name,
            "kind": it.kind,
            "type": it.type,
            "required": it.required,
            "default": REDACTED if isinstance(it.default, Secret) else it.default,
            "choices": list(it.choices),
            "allow_custom": it.allow_custom,
            "pattern": it.pattern,
            "min": it.min,
            "max": it.max,
            "description": it.description,
        }


class Retry(Inner):
    """Another attempt for runs that fail."""

    attempts: int = Field(ge=1, description="Of one run, the first included.")
    delay: Seconds
    backoff: Backoff
    max_delay: Seconds = Field(description="No delay is longer, but for its jitter.")
    jitter: Seconds
    on: list[EndReason | int] | None = Field(description="End reasons and exit codes; null is every failure.")

    @staticmethod
    def as_json(it: retry.Retry) -> dict[str, Any]:
        return {
            "attempts": it.attempts,
            "delay": seconds(it.delay),
            "backoff": it.backoff,
            "max_delay": seconds(it.longest),
            "jitter": seconds(it.jitter),
            "on": None if it.on is None else sorted(it.on, key=lambda each: (isinstance(each, str), each)),
        }


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

    @staticmethod
    def as_json(now: TaskNow) -> dict[str, Any]:
        return {
            **Task.definition_as_json(now.task),
            "pauses": [Pause.as_json(each) for each in now.pauses],
            "running": now.running,
            "pending": now.pending,
            "next_ticks": [NextTick.as_json(each) for each in now.next_ticks],
            "last_runs": [Run.as_json(each) for each in now.last_runs],
        }

    @staticmethod
    def definition_as_json(it: model.Task) -> dict[str, Any]:
        """What the configuration says of it."""
        return {
            **Program.program_as_json(it),
            "cron": list(it.cron),
            "timezone": it.timezone,
            "except": list(it.except_),
            "only": list(it.only),
            "not_before": None if it.not_before is None else it.not_before.isoformat(),
            "not_after": None if it.not_after is None else it.not_after.isoformat(),
            "catch_up": it.catch_up,
            "start_deadline": seconds(it.start_deadline),
            "jitter": seconds(it.jitter),
            "after": list(it.after),
            "after_failure": list(it.after_failure),
            "run_on_start": it.run_on_start,
            "params": [Param.as_json(each) for each in it.params],
            "params_schema": schema_of(it.params),
            "timeout": seconds(it.timeout),
            "retry": Retry.as_json(it.retry),
            "keep_children": it.keep_children,
            "enabled": it.enabled,
            "manual_trigger": it.manual_trigger,
            "max_concurrent": it.max_concurrent,
            "max_queued": it.max_queued,
            "priority": it.priority,
            "on_overlap": it.on_overlap,
        }


class TaskPage(Shape):
    """Tasks, by name."""

    items: list[Task]
    next_cursor: str | None = Field(description="Give it as `cursor` for what follows; null at the end.")
