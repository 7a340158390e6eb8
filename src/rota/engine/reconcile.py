"""What becomes of the open runs when a server meets a keeper: the rules of the hand-over. Pure.

Not handed over: it waits, and is admitted in its turn. Handed to this keeper and unknown to it: the server
died between commit and spawn, and the same attempt is spawned again, which changes nothing if it was spawned
after all. Known to the keeper: it is as the keeper says. Handed to another keeper, or before the machine's
last boot: the exit on file, else lost, and never started again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rota.keeper.messages import Ended, Started
from rota.model.run import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rota.model.run import HandOver, Run, RunId


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdicts:
    """What to do. Every open run stands in exactly one of the first five."""

    waiting: list[Run] = field(default_factory=list)  #: not handed over
    spawn: list[Run] = field(default_factory=list)  #: send the same attempt (again)
    running: list[tuple[Run, Started]] = field(default_factory=list)
    ended: list[tuple[Run, Ended]] = field(default_factory=list)
    lost: list[Run] = field(default_factory=list)
    acknowledge: list[RunId] = field(default_factory=list)  #: ends that the keeper need not keep
    strays: list[Started] = field(
        default_factory=list
    )  #: live, and the store knows no such attempt: stop them


def reconcile(
    open_runs: Iterable[Run],
    listed: Iterable[Started | Ended],
    *,
    keeper_id: str,
    boot_id: str,
    on_file: Mapping[RunId, Ended],
) -> Verdicts:
    """The verdict on each open run of the store and on each run that the keeper holds.

    `on_file` has the exits that earlier keepers left of the runs that `handed_elsewhere` named.
    """
    verdicts = Verdicts()
    held: dict[RunId, Started | Ended] = {told.run_id: told for told in listed}
    for run in open_runs:
        told = held.get(run.id)
        if told is not None and run.hand_over is not None and told.attempt == run.hand_over.attempt:
            del held[run.id]
            _as_told(run, told, verdicts)
        elif run.hand_over is None:
            # A keeper that holds an attempt of a run that was never handed over got it from a store that
            # has since gone back in time (a restored backup): a second start must not follow.
            (verdicts.waiting if told is None else verdicts.lost).append(run)
        elif not _is_here(run.hand_over, keeper_id, boot_id):
            _from_file(run, run.hand_over, on_file, verdicts)
        elif run.status is Status.PENDING and told is None:
            verdicts.spawn.append(run)
        else:
            verdicts.lost.append(run)
    for told in held.values():
        if isinstance(told, Ended):
            verdicts.acknowledge.append(told.run_id)
        else:
            verdicts.strays.append(told)
    return verdicts


def handed_elsewhere(open_runs: Iterable[Run], *, keeper_id: str, boot_id: str) -> list[RunId]:
    """The runs whose keeper is gone, so that only its files can say how they ended."""
    return [
        run.id
        for run in open_runs
        if run.hand_over is not None and not _is_here(run.hand_over, keeper_id, boot_id)
    ]


def _is_here(hand_over: HandOver, keeper_id: str, boot_id: str) -> bool:
    return hand_over.keeper_id == keeper_id and hand_over.boot_id == boot_id


def _as_told(run: Run, told: Started | Ended, verdicts: Verdicts) -> None:
    if isinstance(told, Ended):
        verdicts.ended.append((run, told))
    else:
        verdicts.running.append((run, told))


def _from_file(run: Run, hand_over: HandOver, on_file: Mapping[RunId, Ended], verdicts: Verdicts) -> None:
    ended = on_file.get(run.id)
    if ended is not None and ended.attempt == hand_over.attempt:
        verdicts.ended.append((run, ended))
    else:
        verdicts.lost.append(run)
