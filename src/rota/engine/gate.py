"""A gate: slots that all below it share, and who of those could use one; the first in turn comes first.

Gates make a tree: the server's, below it those of groups, below them the tasks. A run passes all gates from
its task's to the top at once, or none. A task stands at the gate above it only while it could go on if that
had a slot; so whoever gives one back looks at the first of a list, not at those who wait for something else.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rota.model.run import RunId, WaitKind

Turn = tuple[int, bool, int]
"""Whose turn comes first: by priority (negated), what is not to go first, and the number of its coming."""

_turn_of = itemgetter(1)


class Gate:
    """The slots of a group, or of the server."""

    __slots__ = ("above", "holders", "kind", "most", "name", "stands", "wanting")

    def __init__(
        self, kind: WaitKind, name: str | None, *, most: int | None, above: Gate | None = None
    ) -> None:
        self.kind = kind
        self.name = name
        self.most = most  #: None: as many as like
        self.above = above
        self.holders: dict[RunId, None] = {}  #: the oldest first
        self.wanting: list[tuple[Turn, Gate]] = []  # those right below that could use a slot, by their turn
        self.stands: Turn | None = None  # where this stands among the wanting of the gate above

    @property
    def is_open(self) -> bool:
        """Whether it has a slot to give."""
        return self.most is None or len(self.holders) < self.most

    def first(self) -> Turn | None:
        """The turn of who goes first here; None while nobody can."""
        return self.wanting[0][0] if self.wanting and self.is_open else None

    def foremost(self) -> Places:
        """The places whose first run that is; only while somebody can go."""
        return self.wanting[0][1].foremost()

    def path(self) -> Iterator[Gate]:
        """This gate, and those above it."""
        gate: Gate | None = self
        while gate is not None:
            yield gate
            gate = gate.above

    def settle(self) -> None:
        """Stand in its place at the gate above, after something changed here; and so on to the top."""
        for gate in self.path():
            above = gate.above
            turn = gate.first()
            if above is None or turn == gate.stands:
                continue
            if gate.stands is not None:
                del above.wanting[bisect_left(above.wanting, (gate.stands,))]
            if turn is not None:
                insort(above.wanting, (turn, gate))  # no two have the same turn
            gate.stands = turn


class Places(Gate):
    """The runs of one task, or the jobs, that are open or are being written down; their own slots."""

    __slots__ = ("group", "kept", "leaving", "shares", "waiting")

    def __init__(
        self,
        kind: WaitKind,
        name: str | None,
        *,
        most: int | None,
        above: Gate | None = None,
        shares: bool = False,
        group: str | None = None,
    ) -> None:
        super().__init__(kind, name, most=most, above=above)
        self.shares = shares  #: whether it is a task: its runs count in its group and in the server
        self.group = group  #: of that task
        self.waiting: OrderedDict[RunId, Turn] = OrderedDict()  #: want a slot, the next first
        self.kept: dict[RunId, Turn] = {}  #: want one once a pause is over
        self.leaving: set[RunId] = set()  #: holders that were asked to stop

    def first(self) -> Turn | None:
        """The turn of its next run; None while none waits that could start."""
        return next(iter(self.waiting.values())) if self.waiting and self.is_open else None

    def foremost(self) -> Places:
        """These."""
        return self

    def wait(self, run_id: RunId, turn: Turn) -> None:
        """This run wants a slot, in its turn."""
        in_order = not self.waiting or self.waiting[next(reversed(self.waiting))] < turn
        self.waiting[run_id] = turn
        if not in_order:
            self.waiting = OrderedDict(sorted(self.waiting.items(), key=_turn_of))

    def hold(self, run_id: RunId) -> None:
        """This run has a slot, here and at every gate above."""
        self.waiting.pop(run_id, None)
        for gate in self.path():
            gate.holders[run_id] = None
        self.settle()

    def forget(self, run_id: RunId) -> None:
        """This run has no place any more."""
        self.waiting.pop(run_id, None)
        self.kept.pop(run_id, None)
        self.leaving.discard(run_id)
        for gate in self.path():
            gate.holders.pop(run_id, None)
        self.settle()

    @property
    def is_empty(self) -> bool:
        """Whether nobody has a place here."""
        return not (self.holders or self.waiting or self.kept)
