"""Preparation: what a configuration means to the engine, worked out before it holds. Pure, and not quick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rota.engine.timetable import Timetable
from rota.model.definition import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rota.config.config import Config
    from rota.model.service import Service
    from rota.model.task import Task
    from rota.timing.schedule import Schedule


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A configuration, with what follows from it for each task and service by its name."""

    config: Config
    fingerprints: Mapping[str, str]  #: of their schedules; services have none
    definitions: Mapping[str, str]  #: as they are kept
    schedules: Mapping[str, tuple[Schedule, ...]]  #: of those that have any


def prepare(config: Config, before: Prepared | None = None) -> Prepared:
    """Where a task's schedules mean what they did `before`, they are the very same."""
    timetable = Timetable(config.server.timezone, config.calendars)
    fingerprints = {name: timetable.fingerprint(task) for name, task in config.tasks.items()}
    schedules: dict[str, tuple[Schedule, ...]] = {}
    for name, task in config.tasks.items():
        if not fingerprints[name]:
            continue
        if before is not None and before.fingerprints.get(name) == fingerprints[name]:
            schedules[name] = before.schedules[name]
        else:
            schedules[name] = timetable.schedules_of(task)
    definitions: dict[str, Task | Service] = {**config.tasks, **config.services}
    return Prepared(
        config=config,
        fingerprints=fingerprints | dict.fromkeys(config.services, ""),
        definitions={name: text_of(each) for name, each in definitions.items()},
        schedules=schedules,
    )
