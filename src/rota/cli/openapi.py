"""`rota openapi`: the description of the REST API."""

from __future__ import annotations

import itertools

from rota.cli.options import Json
from rota.cli.output import Output


def openapi(*, _json: Json = False) -> None:
    """Print the OpenAPI document of the REST API, the same that a server has at /openapi.json."""
    from rota.api.app import VERBS
    from rota.api.openapi import openapi as document

    Output().json(document(list(itertools.chain.from_iterable(verb.routes for verb in VERBS))))
