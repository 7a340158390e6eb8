"""Programs of npm's, for tests: Node and npm are Python packages, the programs come by their lock file."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent / "mcp_clients"
BIN = Path(sys.executable).parent

#: Kept beside the environment, so that only the first run of the tests fetches them.
CACHE = BIN.parent / "mcp_clients"


def program(name: str) -> list[str]:
    """How to run one of the programs of `mcp_clients/package.json`."""
    return [str(BIN / "node"), str(_installed() / "node_modules" / ".bin" / name)]


def environment() -> dict[str, str]:
    """With our own Node before any other."""
    return os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}


def _installed() -> Path:
    lock = (HERE / "package-lock.json").read_bytes()
    folder = CACHE / hashlib.sha256(lock).hexdigest()[:12]
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for file in ("package.json", "package-lock.json"):
                shutil.copy(HERE / file, folder)
            quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            subprocess.run([BIN / "npm", "ci", *quiet], cwd=folder, env=environment(), check=True)
            (folder / "done").touch()
    return folder
