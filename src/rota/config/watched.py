"""What a configuration was read from, and whether it is still what it was."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """Files by absolute path, those that were looked for in vain among them, and patterns of files."""

    files: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()

    def __or__(self, other: Watched) -> Watched:
        patterns = dict.fromkeys((*self.patterns, *other.patterns))
        return Watched(files=self.files | other.files, patterns=tuple(patterns))


class Mark(NamedTuple):
    """What tells a file from what it was: another content is another mark, also where a link leads to it."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


def marks(watched: Watched) -> dict[str, Mark | None]:
    """How every file is now; None is not there."""
    found = {each for pattern in watched.patterns for each in glob.glob(pattern, recursive=True)}  # noqa: PTH207
    return {path: mark_of(path) for path in sorted(found | watched.files)}


def mark_of(path: str) -> Mark | None:
    """How a file is now; None is not there."""
    try:
        it = os.stat(path)  # noqa: PTH116  links are followed
    except OSError:
        return None
    return Mark(it.st_dev, it.st_ino, it.st_size, it.st_mtime_ns, it.st_ctime_ns)
