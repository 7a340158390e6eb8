"""Addresses: where Rota listens, and where a check looks."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, PlainValidator, WithJsonSchema

from rota.config.address import loopback
from rota.config.kinds.kind import TEXT
from rota.config.kinds.text import text
from rota.config.shown import shown
from rota.timing.unreadable import Unreadable

_HTTP = re.compile(r"^https?://[^/?#@\s]+([/?][^#\s]*)?$")
_TCP = re.compile(r"^(?:(?P<host>\[[0-9a-fA-F:.]+\]|[^:\s\[\]]+)?:)?(?P<port>[0-9]{1,5}|\{port\})$")


def _http_address(value: str) -> str:
    if not _HTTP.fullmatch(value):
        raise Unreadable(f'"{value}" is no address', 'such as "http://127.0.0.1:{port}/health"')
    return text(value)


def _tcp_address(value: Any) -> str:
    address = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(address, str) or not (found := _TCP.fullmatch(address)):
        raise Unreadable(f"{shown(value)} is no host and port", 'such as "127.0.0.1:{port}", or a port')
    if found["port"].isdecimal() and not 0 < int(found["port"]) < 65536:
        raise Unreadable(f"there is no port {found['port']}", "a port from 1 to 65535")
    return address if found["host"] else f"127.0.0.1:{found['port']}"


Host = Annotated[str, AfterValidator(loopback)]
HttpAddress = Annotated[str, AfterValidator(_http_address), WithJsonSchema(TEXT | {"pattern": _HTTP.pattern})]
TcpAddress = Annotated[
    str,
    PlainValidator(_tcp_address),
    WithJsonSchema({
        "anyOf": [
            TEXT | {"pattern": _TCP.pattern},
            {"type": "integer", "minimum": 1, "maximum": 65535},
        ]
    }),
]  # fmt: skip
