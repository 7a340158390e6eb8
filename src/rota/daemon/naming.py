"""The process's name: its command line says whose data folder it serves, so that `ps` tells servers apart."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def take_name(
    *, config: Path | None, data: Path, host: str | None, port: int | None, any_port: bool = False
) -> None:
    """Become `rota serve --data <absolute path> …`, unless the command line says so already.

    The process stays the same one: its id, its parent, its descriptors.
    """
    words = named(sys.orig_argv, sys.argv, config=config, data=data, host=host, port=port, any_port=any_port)
    if words is not None:
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, words)


def named(
    original: Sequence[str],
    argv: Sequence[str],
    *,
    config: Path | None,
    data: Path,
    host: str | None,
    port: int | None,
    any_port: bool = False,
) -> list[str] | None:
    """The command line that says it all; None when this one names the folder."""
    if str(data) in argv or f"--data={data}" in argv:
        return None
    program = original[1 : len(original) - len(argv) + 1]
    options = [("--config", config), ("--data", data), ("--host", host), ("--port", port)]
    given = [word for name, value in options if value is not None for word in (name, str(value))]
    given += ["--any-port"] if any_port else []
    return [sys.executable, *program, "serve", *given]
