"""`rota status`: whether the server runs and is well."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rota.cli import locks
from rota.cli.exit_code import ExitCode
from rota.cli.options import Given, Json
from rota.cli.output import NOTHING, Output
from rota.cli.scope import told
from rota.client.problem import NoServer

if TYPE_CHECKING:
    from collections.abc import Iterator


def status(*, json: Json = False, options: Given) -> int:
    """Say whether the server runs and is well.

    Exits 0 when it is healthy, 1 when it is not, and 3 when no server runs.
    """
    out = Output()
    client = options.client()
    report: dict[str, Any] = {
        "running": False, "healthy": False, "problems": [], "data": str(client.data),
        "keeper": False, "runs": None, "services": None, "server": None,
    }  # fmt: skip
    try:
        report["server"] = client.info()
        report["problems"] = client.problems()
        report["services"] = dict(Counter(service["state"] for service in client.services()))
        runs = Counter(
            run["status"] for run in client.runs({"status": ["running", "pending"], "limit": "1000"})
        )
    except NoServer:
        code = ExitCode.NOT_RUNNING
    else:
        report |= {"running": True, "healthy": not report["problems"]}
        report["runs"] = {name: runs[name] for name in ("running", "pending")}
        code = ExitCode.FAILED if report["problems"] else ExitCode.OK
    report["keeper"] = locks.is_held(client.data, locks.KEEPER)  # last: a server that starts launches one
    out.json(report) if json else out.facts(_facts(report, out))
    return code


def _refused(refusal: dict[str, Any] | None, out: Output) -> Iterator[tuple[str, str]]:
    """The newest configuration, when it is not the one that holds."""
    if refusal is not None:
        yield "refused", f"the configuration of {out.full_moment(refusal['at'])}, loaded by {refusal['by']}"
        for fault in refusal["faults"]:
            yield "fault", fault


def _facts(report: dict[str, Any], out: Output) -> list[tuple[str, str]]:
    keeper = ("keeper", "running" if report["keeper"] else "not running")
    if not report["running"]:
        return [("server", "not running"), keeper, ("data", report["data"])]
    server, runs = report["server"], report["runs"]
    return [
        ("server", "running"),
        ("health", "healthy" if report["healthy"] else "unhealthy"),
        *(("problem", problem) for problem in report["problems"]),
        *(("warning", warning) for warning in server["warnings"]),
        *(("paused", told(pause, out)) for pause in server["pauses"]),
        *_refused(server["config_refused"], out),
        ("runs", f"{runs['running']} running, {runs['pending']} pending"),
        ("tasks", str(server["tasks"])),
        ("services", ", ".join(f"{count} {state}" for state, count in report["services"].items()) or "0"),
        ("url", server["url"]),
        ("started", out.full_moment(server["started_at"])),
        ("version", server["version"]),
        ("pid", str(server["pid"])),
        keeper,
        ("config", server["config"] or NOTHING),
        ("loaded", out.full_moment(server["config_loaded_at"])),
        *((("changed", "since then; rota reload has it taken"),) if server["config_changed"] else ()),
        ("data", server["data"]),
    ]
