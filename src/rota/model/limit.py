"""Limits: how much of the machine a run may use, and by whom that is held."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: What may be limited: each a key of the file. Memory in bytes, processors, processes and threads.
LIMITS = ("memory_max", "cpu_max", "tasks_max")


class HeldBy(StrEnum):
    """What sees to it that a run stays within a limit."""

    CGROUP = "cgroup"  #: its control group: the limit is of all its processes together
    RLIMIT = "rlimit"  #: the kernel, for each process by itself; not for what they use together
    NOTHING = "nothing"  #: nothing on this machine: the run may use more


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """A limit of a run that has started."""

    max: float
    held_by: HeldBy
