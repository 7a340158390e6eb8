"""What is no message of JSON-RPC is answered with what is wrong with it, and with nothing of our insides."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from rota.mcp.envelope import NoMessage, message_of
from rota.mcp.front import Front


@pytest.mark.parametrize(
    ("body", "code", "request_id", "said"),
    [
        ("", -32700, None, "no JSON"),
        ('{"jsonrpc"', -32700, None, "line 1 column 10"),
        ("[" * 100_000, -32700, None, "no JSON"),
        ("5", -32600, None, "an object"),
        ("[]", -32600, None, "one by one"),
        ('[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', -32600, None, "one by one"),
        ('{"id": 7, "method": "ping"}', -32600, 7, "jsonrpc"),
        ('{"jsonrpc": "2.0", "id": "a"}', -32600, "a", "method"),
        ('{"jsonrpc": "2.0", "id": 7, "method": 5}', -32600, 7, "method"),
        ('{"jsonrpc": "2.0", "id": 7, "method": "ping", "params": []}', -32600, 7, "params"),
        ('{"jsonrpc": "2.0", "id": {}, "method": "ping"}', -32600, None, "id"),
        ('{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600, None, "id"),
        ('{"jsonrpc": "2.0", "id": true, "method": "ping"}', -32600, None, "id"),
        ('{"jsonrpc": "2.0", "id": 7, "error": "no"}', -32600, 7, "no message"),
    ],
)
def test_a_body_that_is_no_message_is_told_what_is_wrong_with_it(
    body: str, code: int, request_id: object, said: str
) -> None:
    wrong = message_of(body.encode())

    assert isinstance(wrong, NoMessage)
    assert (wrong.code, wrong.id) == (code, request_id)
    assert said in wrong.sentence
    assert len(wrong.sentence) < 100


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": {"name": "x"}},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
    ],
)
def test_a_message_is_itself(message: dict[str, Any]) -> None:
    assert message_of(json.dumps(message).encode()) == message


@pytest.mark.parametrize("session", [{}, {"Mcp-Session-Id": "AAAAAAAAAABhZ2VudA"}], ids=["new", "known"])
async def test_what_is_no_message_never_gets_as_far_as_the_sdk(session: dict[str, str]) -> None:
    async def broken(*_: Any) -> None:
        raise AssertionError("the SDK was asked")

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=Front(broken))) as client:
        answer = await client.post("http://rota/mcp", content=b'{"jsonrpc": "2.0", "id": 3}', headers=session)

    assert answer.status_code == 400
    assert answer.json()["id"] == 3
    assert answer.json()["error"]["code"] == -32600
    assert "pydantic" not in answer.text
