"""The envelope: whether a body is one message of JSON-RPC, and what is answered when it is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp_types import INVALID_REQUEST, PARSE_ERROR, RequestId, jsonrpc_message_adapter
from pydantic import ValidationError
from pydantic_core import from_json

Message = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class NoMessage:
    """What is wrong with a body."""

    code: int  #: of JSON-RPC
    sentence: str
    id: RequestId | None = None  #: of what was meant as a request

    def as_answer(self) -> dict[str, Any]:
        """As JSON-RPC has it."""
        return {"jsonrpc": "2.0", "id": self.id, "error": {"code": self.code, "message": self.sentence}}


def message_of(body: bytes) -> Message | NoMessage:
    """The one message that it is, or why it is none."""
    try:
        content = from_json(body)
    except ValueError as error:
        return NoMessage(code=PARSE_ERROR, sentence=f"the body is no JSON: {error}")
    asked = content.get("id") if isinstance(content, dict) else None
    known = asked if isinstance(asked, (str, int)) and not isinstance(asked, bool) else None
    wrong = _wrong(content, known)
    if wrong is None:
        return content  # type: ignore[no-any-return]  # _wrong has looked
    return NoMessage(code=INVALID_REQUEST, sentence=wrong, id=known)


def _wrong(content: object, known: RequestId | None) -> str | None:
    if isinstance(content, list):
        return "this is a batch; send its messages one by one"
    if not isinstance(content, dict):
        return "a message is an object, with jsonrpc, id, method and params"
    if content.get("jsonrpc") != "2.0":
        return 'jsonrpc is "2.0" in every message'
    if "result" not in content and "error" not in content and not isinstance(content.get("method"), str):
        return "method is missing, or is no text"
    if not isinstance(content.get("params", {}), dict):
        return "params is an object"
    if "id" in content and known is None:
        # The SDK would take a request with such an id for a notification, which nobody answers.
        return "id is a text or a whole number; only a notification has none"
    try:
        jsonrpc_message_adapter.validate_python(content, by_name=False)
    except ValidationError:
        return "this is no message of JSON-RPC 2.0"
    return None
