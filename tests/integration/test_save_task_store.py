"""A task that an agent writes while the database cannot be written: what becomes of the file, and is said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from api_bed import api_of

from rota.auth.caller import Way, caller
from rota.config.load import NOTHING, load
from rota.model.error import StoreUnavailable, TaskNotLoaded
from rota.operations.loading import Loading
from rota.operations.save_task import save_task

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from api_bed import Api

    from rota.config.config import Config
    from rota.operations.save_task import Saved


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rota.toml").write_text(
        '[server]\nmanaged_file = "agents.toml"\n[tasks.mine]\nrun = "true"\n'
    )
    return tmp_path


async def take(api: Api, folder: Path) -> Any:
    """Have the server go by the files in the folder; Rota, whose operations these are."""

    def read(instead: Mapping[str, str] = NOTHING) -> Config:
        return load(folder / "rota.toml", instead=instead)

    await api.bed.engine.reloading.reload(read())
    return replace(api.rota, loading=Loading(read=read, loaded_at=api.bed.clock.now()))


async def save(rota: Any) -> Saved:
    return await save_task(rota, "new", {"run": "true"}, caller=caller(Way.SOCKET), by="mcp", dry_run=False)


async def test_nothing_is_written_while_the_database_is_known_to_fail(folder: Path) -> None:
    async with api_of(folder / "data") as api:
        rota = await take(api, folder)
        api.bed.store.broken = True
        with pytest.raises(StoreUnavailable):
            await api.bed.trigger("mine")
        with pytest.raises(StoreUnavailable):
            await save(rota)

    assert not (folder / "agents.toml").exists()


async def test_it_is_said_that_a_task_is_written_which_the_database_kept_from_being_loaded(
    folder: Path,
) -> None:
    async with api_of(folder / "data") as api:
        rota = await take(api, folder)
        api.bed.store.broken = True

        with pytest.raises(
            TaskNotLoaded, match=r"'new' is written into .*agents\.toml.*disk full.*next reload"
        ):
            await save(rota)

        assert (folder / "agents.toml").read_text() == '[tasks.new]\nrun = "true"\n'
        assert "new" not in api.bed.engine.tasks
        api.bed.store.broken = False
        saved = await save(rota)
        assert (saved.diff, [each.name for each in saved.reloaded.difference.added]) == ("", ["new"])
        assert "new" in api.bed.engine.tasks
