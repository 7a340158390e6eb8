"""Places: where the configuration file and the data folder are, when nobody says otherwise."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rota.model.error import Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM_CONFIG = Path("/etc/rota/rota.toml")
SYSTEM_DATA = Path("/var/lib/rota")


def config_path(flag: str | None, environ: Mapping[str, str], *, here: bool = True) -> Path | None:
    """The configuration file: as named, or `./rota.toml`, in the XDG config folder, and as root in `/etc`.

    Not `here`: whoever chose the working folder is not to choose what is run, so its file is passed by.

    What `--config` or `ROTA_CONFIG` names is returned whether it exists or not; of the others, the first
    that does.
    """
    if named := flag or environ.get("ROTA_CONFIG"):
        return _absolute(named, environ)
    candidates = [Path("rota.toml")] if here else []
    candidates.append(_xdg("XDG_CONFIG_HOME", ".config", environ) / "rota" / "rota.toml")
    if _is_root():
        candidates.append(SYSTEM_CONFIG)
    # os.path.exists, since a folder that may not be looked into is one more that holds no file for us.
    found = next((path for path in candidates if os.path.exists(path)), None)  # noqa: PTH110
    return _absolute(str(found), environ) if found else None


def data_path(flag: str | None, environ: Mapping[str, str]) -> Path:
    """The data folder: `--data`, `ROTA_DATA`, as root `/var/lib/rota`, otherwise in the XDG state folder."""
    if named := flag or environ.get("ROTA_DATA"):
        return _absolute(named, environ)
    return SYSTEM_DATA if _is_root() else _xdg("XDG_STATE_HOME", ".local/state", environ) / "rota"


def here() -> str:
    """The working folder. Raises Unusable."""
    try:
        return os.getcwd()  # noqa: PTH109  it stands for text that is shown and sent
    except FileNotFoundError:
        raise Unusable("the folder that this was started in is gone; change to another") from None


def _xdg(variable: str, default: str, environ: Mapping[str, str]) -> Path:
    # The XDG specification says to ignore what is not absolute.
    named = Path(environ.get(variable, ""))
    return named if named.is_absolute() else _home(environ) / default


def _home(environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("HOME", ""))
    try:
        return home if home.is_absolute() else Path.home()
    except RuntimeError:
        raise Unusable(
            "this user has no home folder to look in; set HOME, or name the file with --config and the data "
            "folder with --data"
        ) from None


def _absolute(named: str, environ: Mapping[str, str]) -> Path:
    if named == "~" or named.startswith("~/"):  # `--config=~/x`: the shell leaves it as it is
        named = str(_home(environ)) + named[1:]
    if not os.path.isabs(named):  # noqa: PTH117
        named = os.path.join(here(), named)  # noqa: PTH118
    return Path(os.path.normpath(named))  # resolve() would follow links, whose targets may move


def _is_root() -> bool:
    return os.geteuid() == 0
