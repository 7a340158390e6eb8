"""RunWisp 1.0.1 under measurement: its released binary, fetched once into the cache."""

from __future__ import annotations

import hashlib
import platform
import shutil
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.load import BadAnswer
from bench.server import Server

VERSION = "1.0.1"
_PACKAGE = f"@runwisp/linux-x64@{VERSION}"
_ARCHIVE = f"runwisp-linux-x64-{VERSION}.tgz"
_SHA256 = "84cb3bdc7d6c33a297ab33dcf03b2568f50cdc76b1a5e0de30e3c3cbc773f2bb"
_NODE_PINS = Path(__file__).with_name("requirements.txt")


class NotFetched(Exception):
    """The binary is not to be had here; the text says why."""


def fetch(cache: Path) -> Path:
    """The binary, from the cache or through `npm pack`; what is not the known archive is never run."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise NotFetched(f"{_PACKAGE} runs on Linux on x86-64 only")
    folder = cache / f"runwisp-{VERSION}"
    binary = folder / "package" / "runwisp"
    if binary.exists():
        return binary
    cache.mkdir(exist_ok=True)
    archive = cache / _ARCHIVE
    if not archive.exists():
        _run([*_npm(cache), "pack", _PACKAGE], cwd=cache)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != _SHA256:
        raise NotFetched(f"{archive} has the wrong SHA-256 ({digest}); delete it and try again")
    partial = cache / f"runwisp-{VERSION}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    with tarfile.open(archive) as tar:
        tar.extractall(partial, filter="data")
    (partial / "package" / "runwisp").chmod(0o755)
    partial.rename(folder)  # last, so that a cut-off unpacking is never taken for a whole one
    return binary


def _npm(cache: Path) -> list[str]:
    """The machine's npm, or one installed into the cache."""
    found = shutil.which("npm")
    if found is not None:
        return [found]
    venv = cache / "node"
    if not (venv / "bin" / "npm").exists():
        uv = Path(sys.executable).with_name("uv")
        _run([str(uv), "venv", "--quiet", "--clear", str(venv)], cwd=cache)
        into = ["--quiet", "--python", str(venv / "bin" / "python")]
        _run([str(uv), "pip", "install", *into, "--require-hashes", "-r", str(_NODE_PINS)], cwd=cache)
    return [str(venv / "bin" / "npm")]


def _run(command: list[str], *, cwd: Path) -> None:
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=180, check=False)
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise NotFetched(f"{command[0]}: {fault}") from fault
    if done.returncode != 0:
        said = done.stderr.strip()[-600:]
        raise NotFetched(f"`{' '.join(command)}` ended with code {done.returncode}:\n{said}")


class RunWisp(Server):
    """`runwisp daemon`, one process."""

    name = "RunWisp"
    config_name = "runwisp.toml"

    def __init__(self, folder: Path, config: str, *, binary: Path) -> None:
        # It would otherwise call its vendor.
        super().__init__(folder, "[daemon]\ncheck_updates = false\n" + config)
        self.binary = binary

    @property
    def socket(self) -> Path:
        return self.data / "runwisp.sock"

    @property
    def command(self) -> list[str]:
        return [
            str(self.binary), "daemon", "--config", str(self.config), "--data", str(self.data),
            "--host", "127.0.0.1", "--port", str(self.port),
        ]  # fmt: skip

    @property
    def pids(self) -> list[int]:
        return [] if self.process is None else [self.process.pid]

    def run_path(self, task: str) -> str:
        return f"/api/tasks/{task}/run?wait=true"

    def tail_path(self, run_id: str, lines: int) -> str:
        return f"/api/runs/{run_id}/log?from=-{lines}"

    def page_path(self, run_id: str, start: int, lines: int) -> str:
        return f"/api/runs/{run_id}/log?from={start}&limit={lines}"

    def total_lines(self, page: dict[str, Any]) -> int:
        return int(page["totalLines"])

    def search_path(self, task: str, text: str) -> str:
        return f"/api/tasks/{task}/log/search?q={quote(text)}&limit=1000"

    def matches(self, found: dict[str, Any]) -> int:
        if not found["exhausted"]:
            raise BadAnswer("the search was stopped")
        return len(found["items"])

    def follow_path(self, run_id: str) -> str:
        return f"/api/runs/{run_id}/log/stream"

    @property
    def log_files(self) -> list[Path]:
        return list(self.data.glob("logs/*/[!.]*.log"))

    def ended_well(self, run: dict[str, Any]) -> bool:
        return bool(run["status"] == "ended" and run["endReason"] == "succeeded" and run["exitCode"] == 0)

    def cli(self, verb: str) -> list[str]:
        return [str(self.binary), verb, "--config", str(self.config), "--data", str(self.data)]

    def end(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
