"""`rota validate`: every fault of the configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rota.cli.complaint import say
from rota.cli.exit_code import ExitCode
from rota.cli.options import Given, Json
from rota.cli.output import Output
from rota.model.error import Unusable

if TYPE_CHECKING:
    from rota.config.load import ConfigFault


def validate(file: str | None = None, /, *, json: Json = False, options: Given) -> int:
    """Check the configuration file, and name every fault with its place.

    Exits 0 when there is none and 1 otherwise. It needs no server and changes nothing.

    Parameters
    ----------
    file
        The file. If it is left out: the one that `rota serve` would take.
    """
    from rota.config.load import ConfigInvalid, load

    path = Path(file) if file else options.config_path()
    if path is None:
        raise Unusable(
            "there is no configuration file; name one with --config or ROTA_CONFIG, or write ./rota.toml"
        )
    report: dict[str, Any] = {"file": str(path), "valid": True, "tasks": None, "faults": [], "warnings": []}
    try:
        config = load(path)
    except ConfigInvalid as invalid:
        report |= {"valid": False, "faults": invalid.faults}
    else:
        report |= {"tasks": len(config.tasks), "warnings": config.warnings}
    if json:
        Output().json(
            {**report, **{name: [_fields(each) for each in report[name]] for name in ("faults", "warnings")}}
        )
    else:
        _print(report)
    return ExitCode.OK if report["valid"] else ExitCode.FAILED


def _print(report: dict[str, Any]) -> None:
    for fault in report["faults"]:
        print(_line(fault))
    for warning in report["warnings"]:
        print(f"warning: {_line(warning)}")
    if report["valid"]:
        print(f"{report['file']}: {report['tasks']} tasks, no faults")
    else:
        say(f"{len(report['faults'])} faults in {report['file']}")


def _line(fault: ConfigFault) -> str:
    """`file:line:column: key: what is wrong (what is allowed) - did you mean …`, as far as it is known."""
    place = ":".join(str(part) for part in (fault.file, fault.line, fault.column) if part is not None)
    key = f" {fault.key}:" if fault.key else ""
    allowed = f" ({fault.allowed})" if fault.allowed else ""
    nearest = f" - did you mean {fault.nearest!r}?" if fault.nearest else ""
    return f"{place}:{key} {fault.message}{allowed}{nearest}"


def _fields(fault: ConfigFault) -> dict[str, Any]:
    names = ("file", "line", "column", "key", "message", "allowed", "nearest")
    return {name: getattr(fault, name) for name in names}
