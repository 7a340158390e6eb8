"""`rota validate`: every fault of the configuration file."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from rota.cli.complaint import say
from rota.cli.exit_code import ExitCode
from rota.cli.options import Given, Json
from rota.cli.output import Output
from rota.model.error import Unusable


def validate(file: str | None = None, /, *, json: Json = False, options: Given) -> int:
    """Check the configuration file, and name every fault with its place.

    Exits 0 when there is none and 1 otherwise. It needs no server and changes nothing.

    Parameters
    ----------
    file
        The file. If it is left out: the one that `rota serve` would take.
    """
    from rota.config.fault import ConfigInvalid
    from rota.config.load import load
    from rota.config.places import config_path

    path = config_path(file, os.environ) if file else options.config_path()
    if path is None:
        raise Unusable(
            "there is no configuration file; name one with --config or ROTA_CONFIG, or write ./rota.toml"
        )
    report: dict[str, Any] = {"file": str(path), "valid": True, "tasks": None, "services": None}
    report |= {"faults": [], "warnings": []}
    try:
        config = load(path)
    except ConfigInvalid as invalid:
        report |= {"valid": False, "faults": invalid.faults}
    else:
        report |= {"tasks": len(config.tasks), "services": len(config.services), "warnings": config.warnings}
    if json:
        Output().json(
            {**report, **{name: [asdict(each) for each in report[name]] for name in ("faults", "warnings")}}
        )
    else:
        _print(report)
    return ExitCode.OK if report["valid"] else ExitCode.FAILED


def _print(report: dict[str, Any]) -> None:
    for fault in report["faults"]:
        print(fault)
    for warning in report["warnings"]:
        print(f"warning: {warning}")
    if report["valid"]:
        counts = [_counted(report["tasks"], "task")]
        if report["services"]:
            counts.append(_counted(report["services"], "service"))
        print(f"{report['file']}: {', '.join(counts)}, no faults")
    else:
        say(f"{_counted(len(report['faults']), 'fault')} in {report['file']}")


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
