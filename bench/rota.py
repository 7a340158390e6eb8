"""Rota under measurement: the installed command, in a data folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.load import BadAnswer
from bench.process import with_argument
from bench.server import Server, environment

#: The command beside the interpreter that runs the bench: the one that `make setup` installed.
ROTA = Path(sys.executable).with_name("rota")


class Rota(Server):
    """`rota serve`, and the keeper that it launches."""

    name = "Rota"
    config_name = "rota.toml"

    @property
    def socket(self) -> Path:
        return self.data / "rota.sock"

    @property
    def command(self) -> list[str]:
        return [*self.cli("serve"), "--config", str(self.config), "--port", str(self.port)]

    @property
    def pids(self) -> list[int]:
        if self.process is None:
            return []
        return [self.process.pid, *self.keepers]

    @property
    def keepers(self) -> list[int]:
        """The keeper of this data folder; more than one would be a fault."""
        return with_argument("keeper", str(self.data))

    @property
    def token(self) -> str:
        return (self.data / "token").read_text().strip()

    def run_path(self, task: str) -> str:
        return f"/api/tasks/{task}/run?wait=true"

    def tail_path(self, run_id: str, lines: int) -> str:
        return f"/api/runs/{run_id}/log?tail={lines}"

    def page_path(self, run_id: str, start: int, lines: int) -> str:
        return f"/api/runs/{run_id}/log?from={start}&limit={lines}"

    def total_lines(self, page: dict[str, Any]) -> int:
        return int(page["total_lines"])

    def search_path(self, task: str, text: str) -> str:
        return f"/api/tasks/{task}/log/search?q={quote(text)}&limit=1000&budget=60"

    def matches(self, found: dict[str, Any]) -> int:
        if found["stopped"] is not None:
            raise BadAnswer(f"the search was stopped: {found['stopped']}")
        return len(found["items"])

    def follow_path(self, run_id: str) -> str:
        return f"/api/runs/{run_id}/log/stream?tail=0"

    @property
    def log_files(self) -> list[Path]:
        return list(self.data.glob("runs/*/*.log"))

    def ended_well(self, run: dict[str, Any]) -> bool:
        return bool(run["status"] == "ended" and run["end_reason"] == "success" and run["exit_code"] == 0)

    def cli(self, verb: str) -> list[str]:
        return [str(ROTA), verb, "--data", str(self.data)]

    def end(self) -> None:
        subprocess.run(
            self.cli("shutdown"), env=environment(), stdout=subprocess.DEVNULL, timeout=30, check=False
        )
