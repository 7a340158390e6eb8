"""What is run, be it a task or a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from rota.api.shapes.shape import Seconds, Shape
from rota.api.wire import seconds
from rota.model.run import EndReason
from rota.model.task import EnvBase, LogOnFull

if TYPE_CHECKING:
    from rota.model import task as model


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
    failures: list[EndReason] = Field(description="The end reasons that count as failures.")
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

    @staticmethod
    def program_as_json(it: model.Task) -> dict[str, Any]:
        """What a task and a service say alike."""
        return {
            "name": it.name,
            "run": it.run if isinstance(it.run, str) else list(it.run),
            "description": it.description,
            "group": it.group,
            "tags": list(it.tags),
            "env_base": it.env_base,
            "env_file": list(it.env_file),
            "env": dict(it.env),
            "secrets_file": list(it.secrets_file),
            "secrets": sorted(it.secrets),
            "working_dir": it.working_dir,
            "shell": it.shell,
            "stop_signal": it.stop_signal,
            "grace": seconds(it.grace),
            "exit_codes": sorted(it.exit_codes),
            "failures": sorted(it.failures),
            "merge_stderr": it.merge_stderr,
            "stdin": it.stdin,
            "pty": it.pty,
            "user": it.user,
            "umask": None if it.umask is None else f"{it.umask:04o}",
            "nice": it.nice,
            "memory_max": it.memory_max,
            "cpu_max": it.cpu_max,
            "tasks_max": it.tasks_max,
            "log_max_size": it.log_max_size,
            "log_on_full": it.log_on_full,
            "keep_runs": it.keep_runs,
            "keep_for": seconds(it.keep_for),
        }
