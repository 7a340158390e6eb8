"""Options that every verb takes, before or after it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from rota.client.client import Client

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """Where the file and the data are, and where the server shall listen; None is not said."""

    config: str | None = None
    data: str | None = None
    host: str | None = None
    port: int | None = None

    def config_path(self) -> Path | None:
        """The configuration file, looked for where the docs say; None when there is none."""
        from rota.config.places import config_path

        return config_path(self.config, os.environ)

    def data_path(self) -> Path:
        """The data folder, which need not exist."""
        from rota.config.places import data_path

        return data_path(self.data, os.environ)

    def client(self) -> Client:
        """The way to the server of the data folder."""
        return Client(self.data_path())


#: A verb's own parameter for them; the command line's entry fills it in.
Given = Annotated[Options, Parameter(parse=False)]

#: `--json`, the same for every verb.
Json = Annotated[
    bool, Parameter(name="--json", negative=(), show_default=False, help="Print JSON instead of text.")
]
