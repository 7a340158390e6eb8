"""Save task: write a task into the managed file, and go by it; or say beforehand what that changes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rota.auth.may import Act, may
from rota.config.swap import locked, swap, text_of
from rota.model.error import ManagedFileOff, ManagedFileStuck
from rota.operations.reload import go_by, would_go_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rota.auth.caller import Caller
    from rota.config.config import Config
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


async def save_task(
    rota: Rota, name: str, said: Mapping[str, Any], *, caller: Caller, by: str, dry_run: bool
) -> Saved:
    """Write these keys of a task, None taking one away, check the whole configuration, and go by it.

    What is not named stays, as do comments. Raises ManagedFileOff, ConfigInvalid and ManagedFileStuck, having
    changed nothing; and StoreUnavailable and ShuttingDown, when the file is written and not loaded.
    """
    verdict = may(caller, Act.SAVE_TASK, rota.config)
    path = rota.config.server.managed_file
    if not verdict or path is None:
        raise ManagedFileOff(verdict.why_not or "")
    async with rota.loading.one_at_a_time:
        marks = await asyncio.to_thread(rota.loading.look)
        if dry_run:
            diff, config = await asyncio.to_thread(_plan, rota, path, name, said)
            return Saved(file=path, diff=diff, reloaded=would_go_by(rota, config))
        diff, config = await asyncio.to_thread(_write, rota, path, name, said)
        return Saved(file=path, diff=diff, reloaded=await go_by(rota, config, marks, by=by))


def _plan(rota: Rota, path: str, name: str, said: Mapping[str, Any]) -> tuple[str, Config]:
    before = _text(path)
    return _checked(rota, path, before, _edited(before, path, name, said))


def _write(rota: Rota, path: str, name: str, said: Mapping[str, Any]) -> tuple[str, Config]:
    try:
        with locked(path):
            for _ in range(TRIES):
                before = _text(path)
                after = _edited(before, path, name, said)
                planned = _checked(rota, path, before, after)
                if before == after or swap(path, before, after):
                    return planned
    except OSError as error:
        raise ManagedFileStuck(f"{path} cannot be written: {error.strerror or error}") from error
    raise ManagedFileStuck(f"{path} is being written by somebody else; try again")


def _text(path: str) -> str:
    try:
        return text_of(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ManagedFileStuck(f"{path} cannot be read: {error}") from error


def _edited(text: str, path: str, name: str, said: Mapping[str, Any]) -> str:
    from rota.config.managed import NotEditable, with_task  # it is slow to load, and seldom needed

    try:
        return with_task(text, name, said)
    except NotEditable as error:
        raise ManagedFileStuck(f"{path} was left alone: {error}; edit it by hand, or mend it") from error


def _checked(rota: Rota, path: str, before: str, after: str) -> tuple[str, Config]:
    from rota.config.managed import difference_of

    return difference_of(before, after, file=path), rota.loading.read({path: after})
