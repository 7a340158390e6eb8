"""`rota shutdown`: end every run, the keeper and the server."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from rota.cli import locks
from rota.cli.complaint import say
from rota.cli.options import Given, Json
from rota.cli.output import Output
from rota.cli.verdict import verdict
from rota.client.client import Client
from rota.client.problem import Disconnected, NoServer
from rota.engine.farewell import leave_word
from rota.keeper import survivors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    #: Takes a run that has ended: its id, and a sentence on it.
    Tell = Callable[[str, str], None]

#: Seconds between two looks at a process that neither answers nor leaves.
LOOK = 0.1


def shutdown(*, json: Json = False, options: Given) -> None:
    """End every run, then the keeper and the server, and wait until all are gone.

    Runs get their stop signal, and SIGKILL after their grace; those that wait are cancelled. To end the
    server alone and leave the runs alone, end its process with SIGTERM instead. When the server is gone
    already, its keeper and the runs are ended; how they ended is kept on file for the next server. When the
    keeper is gone too, the processes that it left are ended, and the next server has their runs as lost.
    """
    out = Output()
    data = options.data_path()
    server, keeper = locks.is_held(data, locks.SERVER), locks.is_held(data, locks.KEEPER)
    ended: list[str] = []

    def tell(run_id: str, sentence: str) -> None:
        ended.append(run_id)
        if not json:
            print(sentence, flush=True)

    if server:
        _end_server(Client(data), tell)
    elif (data / locks.SERVER).exists():  # else it is no folder of ours, and nothing may be left in it
        leave_word(data)  # for the runs that wait: they are only in the database
    _end_keeper(data, tell)
    left = _end_survivors(data)
    if json:
        out.json({"data": str(data), "server": server, "keeper": keeper, "runs": ended, "processes": left})
    elif server or keeper:
        gone = " and ".join(name for name, lived in (("server", server), ("keeper", keeper)) if lived)
        print(f"{gone} gone ({data})")
    elif left:
        print(f"what a dead keeper left is gone ({data})")
    else:
        print(f"nothing runs for {data}")


def _end_server(client: Client, tell: Tell) -> None:
    while locks.is_held(client.data, locks.SERVER):
        try:
            _ask_server(client, tell)
        except NoServer:
            time.sleep(LOOK)  # it is about to listen, or about to leave
        else:
            locks.wait_until_free(client.data, locks.SERVER)


def _ask_server(client: Client, tell: Tell) -> None:
    # The ends that follow are told from before the question on, and until the server is gone.
    with client.events({"kind": "run.ended"}) as events:
        client.shutdown()
        with contextlib.suppress(Disconnected):
            for event in events:
                if event.name == "run.ended":
                    run: dict[str, Any] = event.data["run"]
                    tell(run["id"], verdict(run))


def _end_keeper(data: Path, tell: Tell) -> None:
    """End the keeper that a server left behind, and the runs with it."""
    while locks.is_held(data, locks.KEEPER):
        import asyncio

        if asyncio.run(_ask_keeper(data, tell)):
            locks.wait_until_free(data, locks.KEEPER)
        else:
            time.sleep(LOOK)  # it is about to listen, or about to leave


def _end_survivors(data: Path) -> int:
    """End what a dead keeper left; under its lock, so that no run of a new one is taken for such."""
    with locks.taken(data, locks.KEEPER) as ours:
        return survivors.end(str(data), say) if ours else 0


async def _ask_keeper(data: Path, tell: Tell) -> bool:
    from rota.keeper.finding import find_keeper
    from rota.keeper.messages import Ended
    from rota.model.error import Unusable

    try:
        link = await find_keeper(data, launch=False, upgrade=False)
    except Unusable:
        return False
    await link.shutdown()
    async for message in link:
        if isinstance(message, Ended):
            code, signal = message.ending.exit_code, message.ending.signal
            how = f"exit code {code}" if code is not None else signal or "never started"
            tell(message.run_id, f"run {message.run_id} was stopped ({how})")
    await link.close()
    return True
