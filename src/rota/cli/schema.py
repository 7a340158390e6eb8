"""`rota schema`: the JSON Schema of the configuration file."""

from __future__ import annotations

from rota.cli.options import Json
from rota.cli.output import Output


def schema(*, _json: Json = False) -> None:
    """Print the JSON Schema of the configuration file, for editors and checkers. It is JSON already."""
    from rota.config.schema import json_schema

    Output().json(json_schema())
