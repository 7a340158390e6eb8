"""`python -m bench`: measures, prints the table, and writes it as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench import jobs, lateness, live, many, mcp, memory, output, reading, services, torture, wait
from bench.figures import Line
from bench.runwisp import VERSION, NotFetched, fetch
from bench.setting import Setting
from bench.table import document, render

_MEASUREMENTS = {
    "wait": wait.measure,
    "lateness": lateness.measure,
    "many": many.measure,
    "jobs": jobs.measure,
    "mcp": mcp.measure,
    "services": services.measure,
    "memory": memory.measure,
    "output": output.measure,
    "reading": reading.measure,
    "live": live.measure,
    "torture": torture.measure,
}
_CACHE = Path(__file__).resolve().parent.parent / ".cache"


def main() -> int:
    """0 when every bar is met, 1 when one is missed or could not be judged."""
    asked = _arguments()
    begun = time.monotonic()
    load = os.getloadavg()[0]
    if load > 0.5:
        _warn(f"the load average is {load:.1f}; figures mean more on a quiet machine")
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="rota-bench-") as folder:
        setting = Setting(
            folder=Path(folder), runwisp=_runwisp(asked.alone), quick=asked.quick, runs=asked.runs
        )
        for name in asked.measurements or _MEASUREMENTS:
            lines += _MEASUREMENTS[name](setting)
    print(render(lines))
    _CACHE.mkdir(exist_ok=True)
    figures = {"machine": _machine(load), "quick": asked.quick, "lines": document(lines)}
    asked.json.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"\n{time.monotonic() - begun:.0f} s; as JSON: {asked.json}")
    return int(any(line.bar is not None and line.met is not True for line in lines))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "measurements", nargs="*", choices=[[], *_MEASUREMENTS], metavar="MEASUREMENT",
        help=f"{', '.join(_MEASUREMENTS)}; all of them when none is named",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="shorter and rougher")
    parser.add_argument("--alone", action="store_true", help="measure Rota without RunWisp")
    parser.add_argument("--runs", type=int, default=20_000, help="for memory (default: %(default)s)")
    parser.add_argument("--json", type=Path, default=_CACHE / "bench.json", help="where to write the figures")
    return parser.parse_args()


def _runwisp(alone: bool) -> Path | None:
    if alone:
        return None
    try:
        return fetch(_CACHE)
    except NotFetched as fault:
        _warn(f"without RunWisp {VERSION}, so the bars that need it are not judged: {fault}")
        return None


def _warn(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _machine(load: float) -> dict[str, object]:
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "cores": os.cpu_count(),
        "processor": models[0] if models else platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": load,
    }


if __name__ == "__main__":
    sys.exit(main())
