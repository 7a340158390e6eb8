"""A watched configuration: when a change is taken, and when it is not yet."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from rota.daemon import reloading

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PATIENCE = 10.0


async def test_a_file_that_is_empty_for_a_while_is_taken_when_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rota.config.watched import Watched, marks

    file = tmp_path / "rota.toml"
    file.write_text("[server]\nwatch = true\n")
    watched = Watched(files=frozenset({str(file)}))
    loading = SimpleNamespace(seen=marks(watched), looks=0)
    taken: asyncio.Queue[str] = asyncio.Queue()

    def look() -> Any:
        loading.looks += 1
        return marks(watched)

    async def take(*_: Any) -> bool:
        taken.put_nowait(file.read_text())
        loading.seen = marks(watched)
        return True

    async def looks(count: int) -> None:
        until = loading.looks + count
        while loading.looks < until:
            await asyncio.sleep(0)

    loading.look = look
    monkeypatch.setattr(reloading, "LOOK", 0.0)
    monkeypatch.setattr(reloading, "reload_by", take)
    config = SimpleNamespace(path=file, server=SimpleNamespace(watch=True))
    watching = asyncio.create_task(reloading.watch(SimpleNamespace(config=config, loading=loading)))  # type: ignore[arg-type]
    try:
        async with asyncio.timeout(PATIENCE):
            file.write_text("")
            await looks(5)
            assert taken.empty()
            file.write_text("# whole again\n")
            assert await taken.get() == "# whole again\n"
    finally:
        watching.cancel()
