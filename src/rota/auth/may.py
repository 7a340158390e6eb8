"""May this caller? The one place that answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rota.auth.caller import Caller
    from rota.config.config import Config


class Act(StrEnum):
    """What somebody may want to do, that not everybody may."""

    START_JOB = "start_job"  #: run a command of one's own
    FEED_JOB = "feed_job"  #: send input to a job, which may do with it what it likes
    SAVE_TASK = "save_task"  #: write a task, which may run anything, into the configuration


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Yes, or why not. It is true when it is yes."""

    why_not: str | None = None

    def __bool__(self) -> bool:
        return self.why_not is None


YES = Verdict()


def may(caller: Caller, act: Act, config: Config) -> Verdict:
    """Whether the caller may do this under the configuration."""
    match act:
        case Act.START_JOB | Act.FEED_JOB:
            return _use_jobs(caller, config)
        case Act.SAVE_TASK:
            return _save_task(caller, config)


def _use_jobs(caller: Caller, config: Config) -> Verdict:
    if config.jobs.enabled is False:
        return Verdict(why_not="jobs are switched off: the configuration says [jobs] enabled = false")
    if config.jobs.enabled is None and not caller.is_owner:
        return Verdict(
            why_not="this server asks for no token (ROTA_AUTH=off), so anybody on this machine could run "
            "commands as its user; say [jobs] enabled = true in the configuration if that is meant, or come "
            "by the Unix socket in the data folder"
        )
    return YES


def _save_task(caller: Caller, config: Config) -> Verdict:
    if config.server.managed_file is None:
        return Verdict(
            why_not="the configuration names no file for it; a person has to say [server] managed_file = "
            '"agents.toml" there, and rota reload'
        )
    if not caller.is_owner and config.jobs.enabled is not True:
        return Verdict(
            why_not="this server asks for no token (ROTA_AUTH=off), so anybody on this machine could write "
            "tasks that run as its user; come by the Unix socket in the data folder, as rota mcp does"
        )
    return YES
