"""The command line starts fast, since it imports little: nothing of the server's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

#: What takes long to import, and what no verb of a client needs.
HEAVY = {
    "alembic", "asyncio", "email", "fastapi", "http", "httpx", "httpx2", "pydantic", "rich", "sqlalchemy",
    "ssl", "starlette", "structlog", "textual", "uvicorn",
}  # fmt: skip

PROGRAM = """
import json, sys
from rota.cli.main import run
code = run(json.loads(sys.argv[1]))
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["list"], 1),
        (["runs"], 1),
        (["run", "x"], 125),
        (["logs", "x"], 1),
        (["stop", "--all"], 1),
        (["status"], 3),
        (["exec", "--", "true"], 125),
        (["attach", "x"], 125),
        (["jobs"], 1),
        (["shutdown"], 0),
    ],
)
def test_a_verb_in_a_pipe_imports_nothing_heavy(words: list[str], code: int, tmp_path: Path):
    command = [sys.executable, "-c", PROGRAM, json.dumps([*words, "--data", str(tmp_path)])]

    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    found, modules = json.loads(done.stdout.splitlines()[-1])
    assert found == code
    assert HEAVY.isdisjoint(modules)


def test_a_server_loads_nothing_that_only_describes_the_api_until_somebody_asks_for_it():
    program = "import json, sys, rota.daemon.process; print(json.dumps(sorted(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    modules = set(json.loads(done.stdout))
    assert "rota.api.app" in modules
    assert {"alembic", "fastapi", "mcp", "opentelemetry"}.isdisjoint(modules)
