"""What a run's files take on the disk, and their removal."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from rota.logs import place

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LOG = (place.LOG, place.INDEX, place.SYSTEM)


def size_of_log(data: Path, run_id: str) -> int:
    """Bytes on the disk, holes not counted; 0 for a run that wrote nothing."""
    size = 0
    for suffix in _LOG:
        with suppress(OSError):
            size += os.stat(place.path(os.fspath(data), run_id, suffix)).st_blocks * 512
    return size


def remove(data: Path, run_ids: Iterable[str]) -> None:
    """Remove every file of these runs, and the folders that are empty then; what is gone already is fine.

    OSError tells of a file that could not be removed, when all the others are.
    """
    folders = set()
    refused: OSError | None = None
    for run_id in run_ids:
        for suffix in _LOG:
            try:
                os.unlink(place.path(os.fspath(data), run_id, suffix))
            except FileNotFoundError:
                continue
            except OSError as error:
                refused = error
        folders.add(place.folder(os.fspath(data), run_id))
    for folder in folders:
        with suppress(OSError):  # there are others in it, or there never was a folder
            os.rmdir(folder)
    if refused is not None:
        raise refused
