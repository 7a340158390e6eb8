"""Sharing: which slots a task shares with others, and which of their runs had them at a moment. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rota.model.run import WaitingFor, WaitKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from rota.model.run import Run


@dataclass(frozen=True, kw_only=True, slots=True)
class Shared:
    """Slots that several tasks share."""

    kind: WaitKind
    name: str | None
    most: int
    members: Collection[str] | None  #: the tasks by their names; None is all

    def taken_by(self, living: Iterable[Run]) -> WaitingFor | None:
        """Of runs that lived at one moment those that had all of these slots; None when one was free."""
        holders = [run.id for run in living if self.members is None or run.task_name in self.members]
        return (
            None
            if len(holders) < self.most
            else WaitingFor(kind=self.kind, name=self.name, run_ids=tuple(holders))
        )


def whose_slots(waiting_for: WaitingFor) -> str:
    """Whose slots those are, as the end of a sentence."""
    return "the server" if waiting_for.kind is WaitKind.SERVER else f"the group {waiting_for.name}"
