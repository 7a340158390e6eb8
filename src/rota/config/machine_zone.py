"""The time zone of the machine, by its IANA name."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rota.timing.unreadable import Unreadable
from rota.timing.zone import find_zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def machine_zone(environ: Mapping[str, str], etc: Path = Path("/etc")) -> str:
    """What `TZ`, `/etc/localtime` or `/etc/timezone` names; UTC if none of them names a zone."""
    for name in _names(environ, etc):
        try:
            return find_zone(name).key
        except Unreadable:
            continue
    return "UTC"


def _names(environ: Mapping[str, str], etc: Path) -> Iterator[str]:
    if said := environ.get("TZ", "").removeprefix(":"):
        yield _below_zoneinfo(said)
    with suppress(OSError):  # not there, or a copy that tells no name
        yield _below_zoneinfo(str((etc / "localtime").readlink()))
    with suppress(OSError, UnicodeDecodeError):
        yield (etc / "timezone").read_text().strip()


def _below_zoneinfo(path: str) -> str:
    return path.rpartition("zoneinfo/")[2]
