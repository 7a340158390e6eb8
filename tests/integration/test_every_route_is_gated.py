"""Asks every route that there is without the token: only those that are meant to answer do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api_bed import api_of

from rota.api.app import VERBS
from rota.api.door import PUBLIC
from rota.api.route import Route

if TYPE_CHECKING:
    from pathlib import Path


async def test_every_route_asks_for_the_token_but_the_public_ones(tmp_path: Path) -> None:
    async with api_of(tmp_path) as api:
        answered = set()
        for route in (route for verb in VERBS for route in verb.routes):
            assert isinstance(route, Route), f"{route} is none of ours"
            for method in route.takes:
                answer = await api.stranger.request(method, route.path)
                if answer.status_code != 401:
                    answered.add(route.path)

        assert answered == PUBLIC
