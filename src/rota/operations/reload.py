"""Reload: go by the configuration as it is now; all of it, or, when it has any fault, none."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from rota.config.difference import difference
from rota.config.fault import ConfigInvalid
from rota.model.event import EventKind
from rota.operations.loading import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rota.config.config import Config
    from rota.config.difference import Difference
    from rota.config.watched import Mark
    from rota.engine.reloading import Effects
    from rota.operations.rota import Rota

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reloaded:
    """What a reload has changed, or would change."""

    dry_run: bool
    difference: Difference
    effects: Effects
    warnings: Sequence[str]


async def reload(rota: Rota, *, by: str, dry_run: bool = False) -> Reloaded:
    """Read the configuration, and go by it; with `dry_run` only say what that would change.

    Raises ConfigInvalid with every fault, StoreUnavailable and ShuttingDown, having changed nothing.
    """
    loading = rota.loading
    async with loading.one_at_a_time:
        marks = await asyncio.to_thread(loading.look)
        try:
            config = await asyncio.to_thread(loading.read)
        except ConfigInvalid as invalid:
            if not dry_run:
                await asyncio.to_thread(loading.note, rota.config.watched | invalid.watched, marks)
                _refused(rota, by, invalid)
            raise
        return would_go_by(rota, config) if dry_run else await go_by(rota, config, marks, by=by)


def would_go_by(rota: Rota, config: Config) -> Reloaded:
    """What this configuration would change."""
    return Reloaded(
        dry_run=True,
        difference=difference(rota.config, config),
        effects=rota.engine.reloading.effects(config),
        warnings=[str(warning) for warning in config.warnings],
    )


async def go_by(rota: Rota, config: Config, marks: Mapping[str, Mark | None], *, by: str) -> Reloaded:
    """Go by it, which was read when its files were as in `marks`; only while `one_at_a_time` is held."""
    named = difference(rota.config, config)
    reloaded = Reloaded(
        dry_run=False,
        difference=named,
        effects=await rota.engine.reloading.reload(config),
        warnings=[str(warning) for warning in config.warnings],
    )
    await asyncio.to_thread(rota.loading.note, config.watched, marks)
    _taken(rota, by, reloaded)
    return reloaded


def _taken(rota: Rota, by: str, it: Reloaded) -> None:
    rota.loading.loaded_at = rota.engine.now()
    rota.loading.refusal = None
    named = it.difference
    log.info(
        "the configuration was loaded anew",
        by=by,
        added=[each.name for each in named.added],
        removed=[each.name for each in named.removed],
        changed=[each.name for each in named.changed],
        stopped=[*it.effects.stopped_services, *(run.id for run in it.effects.stopped)],
        restarted=list(it.effects.restarted),
        scaled=list(it.effects.scaled),
        needs_server_restart=list(named.needs_server_restart),
    )
    for each in it.warnings:
        log.warning("the configuration says something that is hardly meant", warning=each)
    rota.bus.emit(EventKind.CONFIG_LOADED, rota.engine.now(), message=f"by {by}")


def _refused(rota: Rota, by: str, invalid: ConfigInvalid) -> None:
    now = rota.engine.now()
    rota.loading.refusal = Refusal(at=now, by=by, faults=invalid.faults)
    log.warning(
        "the configuration was refused, and the one before it holds",
        by=by,
        faults=[str(fault) for fault in invalid.faults],
    )
    rota.bus.emit(EventKind.CONFIG_REFUSED, now, message=str(invalid))
