"""A tool: its name and words, what it takes and gives, and how it is called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from mcp_types import CallToolResult, TextContent, ToolAnnotations
from mcp_types import Tool as Listed

from rota.mcp.arguments import Arguments, parse, schema_of
from rota.model.tier import Tier

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from rota.config.config import Config
    from rota.mcp.call import Call
    from rota.model.run import Run
    from rota.storage.waits import StoredWait

A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a tool gives: a short text to read, and the same as data."""

    text: str
    data: Mapping[str, Any]

    def as_result(self) -> CallToolResult:
        """As the protocol has it; what is not known is left out."""
        return CallToolResult(
            content=[TextContent(type="text", text=self.text)], structured_content=_known(self.data)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Later:
    """The answer comes when this has ended; until then the call is a task of the protocol."""

    of: Run | StoredWait


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool(Generic[A]):
    """One tool. Its description says first what it is for, then what is better for something else."""

    name: str
    title: str
    description: str
    tier: Tier = Tier.READ
    takes: type[A]
    gives: Any  #: a typed dictionary
    act: Callable[[Call, A], Awaitable[Answer | Later]]
    destroys: bool = False  #: it can end or change what is there
    repeats: bool = False  #: a second call of the same arguments changes nothing more
    reaches_out: bool = False  #: what it starts may do anything
    is_on: Callable[[Config], bool] = lambda _: (
        True
    )  #: whether it is shown; used all the same, it says why not
    listed: Listed = field(init=False)

    def __post_init__(self) -> None:
        reads = self.tier is Tier.READ
        listed = Listed(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=schema_of(self.takes),
            output_schema=schema_of(self.gives),
            annotations=ToolAnnotations(
                read_only_hint=reads,
                destructive_hint=self.destroys,
                idempotent_hint=reads or self.repeats,
                open_world_hint=self.reaches_out,
            ),
        )
        object.__setattr__(self, "listed", listed)

    async def use(self, call: Call, given: Mapping[str, Any]) -> Answer | Later:
        """What comes of it. Raises RotaError: Refusal among them, for arguments that it does not take."""
        return await self.act(call, parse(self.name, self.takes, given))


def refused(sentence: str) -> CallToolResult:
    """A tool that could not do what was asked; the agent reads why."""
    return CallToolResult(content=[TextContent(type="text", text=sentence)], is_error=True)


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _known(each) for key, each in value.items() if each is not None}
    if isinstance(value, (list, tuple)):
        return [_known(each) for each in value]
    return value
