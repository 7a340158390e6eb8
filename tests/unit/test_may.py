"""Who may: one table, and the sentence that goes with each no."""

from __future__ import annotations

import pytest

from rota.auth.caller import Way, caller
from rota.auth.may import Act, may
from rota.config.config import Config, Jobs, Server
from rota.model.run import ActorKind


@pytest.mark.parametrize("act", [Act.START_JOB, Act.FEED_JOB])
@pytest.mark.parametrize(
    ("enabled", "those_who_may"),
    [
        (None, {Way.SOCKET, Way.BEARER}),
        (True, {Way.SOCKET, Way.BEARER, Way.OPEN}),
        (False, set()),
    ],
)
def test_who_may_use_jobs(act: Act, enabled: bool | None, those_who_may: set[Way]) -> None:
    config = Config(jobs=Jobs(enabled=enabled))

    verdicts = {way: may(caller(way), act, config) for way in Way}

    assert {way for way, verdict in verdicts.items() if verdict} == those_who_may
    assert all("[jobs] enabled" in (verdict.why_not or "") for verdict in verdicts.values() if not verdict)


@pytest.mark.parametrize(
    ("enabled", "those_who_may"),
    [
        (None, {Way.SOCKET, Way.BEARER}),
        (True, {Way.SOCKET, Way.BEARER, Way.OPEN}),
        (False, {Way.SOCKET, Way.BEARER}),
    ],
)
def test_who_may_write_tasks_once_there_is_a_file_for_them(
    enabled: bool | None, those_who_may: set[Way]
) -> None:
    config = Config(server=Server(managed_file="/etc/rota/agents.toml"), jobs=Jobs(enabled=enabled))

    assert {way for way in Way if may(caller(way), Act.SAVE_TASK, config)} == those_who_may


def test_without_such_a_file_nobody_may_and_is_told_how_there_comes_to_be_one() -> None:
    for way in Way:
        why_not = may(caller(way), Act.SAVE_TASK, Config(jobs=Jobs(enabled=True))).why_not
        assert why_not is not None
        assert "[server] managed_file" in why_not


def test_the_owner_is_named_and_a_stranger_is_not() -> None:
    owner = caller(Way.SOCKET).actor

    assert owner is not None
    assert owner.kind is ActorKind.USER
    assert caller(Way.BEARER).actor == owner
    assert caller(Way.OPEN).actor is None


def test_an_mcp_client_is_named_by_its_own_name_whichever_way_it_comes() -> None:
    for way in Way:
        actor = caller(way, mcp_client="claude-code").actor
        assert actor is not None
        assert (actor.kind, actor.name) == (ActorKind.MCP, "claude-code")
