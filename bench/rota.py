"""Rota under measurement: the installed command, in a data folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

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

    def ended_well(self, run: dict[str, Any]) -> bool:
        return bool(run["status"] == "ended" and run["end_reason"] == "success" and run["exit_code"] == 0)

    def cli(self, verb: str) -> list[str]:
        return [str(ROTA), verb, "--data", str(self.data)]

    def end(self) -> None:
        subprocess.run(
            self.cli("shutdown"), env=environment(), stdout=subprocess.DEVNULL, timeout=30, check=False
        )
