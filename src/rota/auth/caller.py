"""A caller: who asks, as far as the way by which the request came can tell."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from enum import StrEnum

from rota.model.run import Actor, ActorKind


class Way(StrEnum):
    """By which way a request came."""

    SOCKET = "socket"  #: the data folder's Unix socket, which its owner alone can open
    BEARER = "bearer"  #: a port, with the data folder's token
    OPEN = "open"  #: a port, where no token is asked for: anybody on this machine


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who asks."""

    way: Way
    actor: Actor | None = None  #: None when nobody knows

    @property
    def is_owner(self) -> bool:
        """Whether it is the owner of the data folder, who may do what the configuration lets anybody do."""
        return self.way is not Way.OPEN


def caller(way: Way, *, mcp_client: str | None = None) -> Caller:
    """Whoever comes by this way; `mcp_client` is the name that an MCP client gave itself."""
    if mcp_client is not None:
        return Caller(way=way, actor=Actor(kind=ActorKind.MCP, name=mcp_client))
    return Caller(way=way, actor=None if way is Way.OPEN else _OWNER)


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


_OWNER = Actor(kind=ActorKind.USER, name=_own_name())
