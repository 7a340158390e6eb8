"""Save task: write a task into the managed file, and go by it; or say beforehand what that changes."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rota.auth.job_policy import refusal_of_task
from rota.auth.may import Act, may
from rota.config.swap import locked, swap, text_of
from rota.config.watched import mark_of
from rota.model.error import (
    ManagedFileOff,
    ManagedFileStuck,
    ShuttingDown,
    StoreUnavailable,
    TaskNotAllowed,
    TaskNotLoaded,
)
from rota.operations.reload import go_by, would_go_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rota.auth.caller import Caller
    from rota.config.config import Config
    from rota.config.watched import Mark
    from rota.operations.reload import Reloaded
    from rota.operations.rota import Rota

TRIES = 3
"""So often somebody else may be just faster."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Saved:
    """What has become of the file and the configuration, or with `dry_run` would."""

    file: str
    diff: str  #: no secret is in it; empty when the file says all of it already
    reloaded: Reloaded


@dataclass(frozen=True, kw_only=True, slots=True)
class _Edit:
    """What is to be written of a task, where, and by which rules. It waits for files: for a thread."""

    rota: Rota
    path: str
    name: str
    said: Mapping[str, Any]
    check: Callable[[Config], None]  #: raises TaskNotAllowed


async def save_task(
    rota: Rota, name: str, said: Mapping[str, Any], *, caller: Caller, by: str, dry_run: bool
) -> Saved:
    """Write these keys of a task, None taking one away, check the whole configuration, and go by it.

    What is not named stays, as do comments. Raises ManagedFileOff, ConfigInvalid, TaskNotAllowed,
    ManagedFileStuck, StoreUnavailable and ShuttingDown, having changed nothing; and TaskNotLoaded, when the
    file is written and the server could not go by it.
    """
    verdict = may(caller, Act.SAVE_TASK, rota.config)
    path = rota.config.server.managed_file
    if not verdict or path is None:
        raise ManagedFileOff(verdict.why_not or "")
    edit = _Edit(rota=rota, path=path, name=name, said=said, check=await _policy(rota, path, name))
    async with rota.loading.one_at_a_time:
        marks = await asyncio.to_thread(rota.loading.look)
        if dry_run:
            diff, config = await asyncio.to_thread(_plan, edit)
            return Saved(file=path, diff=diff, reloaded=would_go_by(rota, config))
        rota.engine.may_write()
        diff, config, mark = await asyncio.to_thread(_write, edit)
        try:
            reloaded = await go_by(rota, config, marks if mark is None else {**marks, path: mark}, by=by)
        except (StoreUnavailable, ShuttingDown) as error:
            raise TaskNotLoaded(
                f"task {name!r} is written into {path}, and the server could not go by it: {error}; it holds "
                "from the next reload or start on"
            ) from error
        return Saved(file=path, diff=diff, reloaded=reloaded)


async def _policy(rota: Rota, path: str, name: str) -> Callable[[Config], None]:
    """Raises TaskNotAllowed for a task that may do more than a job."""
    login = (await rota.engine.triggering.login()).environment["PATH"] if rota.config.jobs.is_bounded else ""
    search = os.environ.get("PATH", login)

    def check(config: Config) -> None:
        task = config.tasks[name]
        folder = os.path.dirname(path)  # noqa: PTH120
        why_not = refusal_of_task(rota.config.jobs, task, search=search, login_search=login, folder=folder)
        if why_not is not None:
            raise TaskNotAllowed(f"task {name!r} was not written: {why_not}")

    return check


def _plan(it: _Edit) -> tuple[str, Config]:
    before = _text(it.path)
    return _checked(it, before, _edited(it, before))


def _write(it: _Edit) -> tuple[str, Config, Mark | None]:
    """What has changed, the configuration, and what the file is known by since."""
    try:
        with locked(it.path):
            for _ in range(TRIES):
                before = _text(it.path)
                after = _edited(it, before)
                diff, config = _checked(it, before, after)
                if before == after:
                    return diff, config, None
                if swap(it.path, before, after):
                    # Looked at before it is read: whoever writes after this look is seen by the next one.
                    mark = mark_of(it.path)
                    return diff, config, mark if _text(it.path) == after else None
    except OSError as error:
        raise ManagedFileStuck(f"{it.path} cannot be written: {error.strerror or error}") from error
    raise ManagedFileStuck(f"{it.path} is being written by somebody else; try again")


def _text(path: str) -> str:
    try:
        return text_of(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ManagedFileStuck(f"{path} cannot be read: {error}") from error


def _edited(it: _Edit, text: str) -> str:
    from rota.config.managed import NotEditable, with_task  # it is slow to load, and seldom needed

    try:
        return with_task(text, it.name, it.said)
    except NotEditable as error:
        raise ManagedFileStuck(f"{it.path} was left alone: {error}") from error


def _checked(it: _Edit, before: str, after: str) -> tuple[str, Config]:
    from rota.config.managed import difference_of

    config = it.rota.loading.read({it.path: after})
    it.check(config)
    return difference_of(before, after, file=it.path), config
