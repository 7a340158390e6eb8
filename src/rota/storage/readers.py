"""The readers: a few threads, each read on a connection that can write nothing."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DBAPIError

from rota.model.error import StoreUnavailable
from rota.storage import sqlite

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection

T = TypeVar("T")

_COUNT = 4


class Readers:
    """Answer questions beside the writer; each sees all that was committed before it was asked."""

    def __init__(self, path: Path) -> None:
        self._engine = sqlite.reading(path, _COUNT)
        self._threads = ThreadPoolExecutor(_COUNT, thread_name_prefix="rota-reader")
        self._closed = False

    async def ask(self, question: Callable[[Connection], T]) -> T:
        """The answer to a question; StoreUnavailable when the database cannot be read."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, question)

    async def close(self) -> None:
        """Answer what was asked, and end the threads."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        self._engine.dispose()

    def _answer(self, question: Callable[[Connection], T]) -> T:
        try:
            with self._engine.connect() as connection:
                return question(connection)
        except DBAPIError as error:
            reason = sqlite.unavailable(error)
            if reason is None:
                raise
            raise StoreUnavailable(f"the database cannot be read: {reason}") from error
