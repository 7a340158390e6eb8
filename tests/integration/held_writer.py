"""Keeps the writer busy, so that what a test queues meanwhile becomes one batch."""

import asyncio
import threading
from contextlib import asynccontextmanager


@asynccontextmanager
async def held(writer):
    """While this lasts the writer is inside an operation; what is queued meanwhile is its next batch."""
    inside, leave = threading.Event(), threading.Event()

    def wait(cursor):
        inside.set()
        return leave.wait(timeout=30)

    outcome = writer.submit(wait)
    await asyncio.to_thread(inside.wait, 30)
    try:
        yield
    finally:
        leave.set()
        assert await outcome
