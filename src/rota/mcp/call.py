"""A call: one tool that one client uses, and what is known of that client."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rota.auth.caller import Way, caller
from rota.model.tier import Tier

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from rota.auth.caller import Caller
    from rota.mcp.waits import Waits
    from rota.operations.rota import Rota

#: How a bridge says where it was started, in a call's `_meta`.
FOLDER = "rota/cwd"
ENVIRON = "rota/env"


async def _unheard(_: str) -> None:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """Who asks, and what may be given."""

    rota: Rota
    waits: Waits
    client: str | None = None  #: what it calls itself
    tier: Tier = Tier.ADMIN  #: what it may use
    way: Way = Way.OPEN  #: by which way it came
    takes_tasks: bool = False  #: a call that takes long may become a task of the protocol
    key: str | None = None  #: by which a bridge may ask again without starting anything twice
    folder: str | None = None  #: where the bridge was started: a job's working folder, unless it names one
    environ: Mapping[str, str] = field(default_factory=dict)  #: and with which environment
    wants_progress: bool = False
    report: Callable[[str], Awaitable[None]] = _unheard  #: tells the client how far things are

    @property
    def caller(self) -> Caller:
        """Who asks, for those who say what it may."""
        return caller(self.way, mcp_client=self.client)

    @property
    def by(self) -> str:
        """Who asks, as a sentence says it."""
        return "an MCP client" if self.client is None else f"the MCP client {self.client}"
