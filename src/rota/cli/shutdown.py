"""`rota shutdown`: end every run, the keeper and the server."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from rota.cli import locks
from rota.cli.options import Given, Json
from rota.cli.output import Output
from rota.cli.verdict import verdict
from rota.client.client import Client
from rota.client.problem import Disconnected, NoServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tell = Callable[[str, str], None]


def shutdown(*, json: Json = False, options: Given) -> None:
    """End every run, then the keeper and the server, and wait until all are gone.

    Runs get their stop signal, and SIGKILL after their grace. To end the server alone and leave the runs
    alone, end its process with SIGTERM instead. When the server is gone already, its keeper and the runs are
    ended; how they ended is kept on file for the next server.
    """
    out = Output()
    data = options.data_path()
    server, keeper = locks.is_held(data, locks.SERVER), locks.is_held(data, locks.KEEPER)
    ended: list[str] = []

    def tell(run_id: str, sentence: str) -> None:
        ended.append(run_id)
        if not json:
            print(sentence, flush=True)

    _by_server(Client(data), tell)
    locks.wait_until_free(data, locks.SERVER)
    _by_keeper(data, tell)
    locks.wait_until_free(data, locks.KEEPER)
    if json:
        out.json({"data": str(data), "server": server, "keeper": keeper, "runs": ended})
    elif server or keeper:
        gone = " and ".join(name for name, lived in (("server", server), ("keeper", keeper)) if lived)
        print(f"{gone} gone ({data})")
    else:
        print(f"nothing runs for {data}")


def _by_server(client: Client, tell: Tell) -> None:
    try:
        # The ends that follow are told from before the question on, and until the server is gone.
        with client.events({"kind": "run.ended"}) as events:
            client.shutdown()
            with contextlib.suppress(Disconnected):
                for event in events:
                    if event.name == "run.ended":
                        run: dict[str, Any] = event.data["run"]
                        tell(run["id"], verdict(run))
    except NoServer:
        return  # it is dead, or was never there: what is left is the keeper's


def _by_keeper(data: Path, tell: Tell) -> None:
    if not locks.is_held(data, locks.KEEPER):
        return
    import asyncio

    asyncio.run(_end_keeper(data, tell))


async def _end_keeper(data: Path, tell: Tell) -> None:
    from rota.keeper.link import Ended, KeeperLink
    from rota.model.error import Unusable

    try:
        link = await KeeperLink.open(data, launch=False, upgrade=False)
    except Unusable:
        return  # it is leaving already
    await link.shutdown()
    async for message in link:
        if isinstance(message, Ended):
            code, signal = message.ending.exit_code, message.ending.signal
            how = f"exit code {code}" if code is not None else signal or "never started"
            tell(message.run_id, f"run {message.run_id} was stopped ({how})")
    await link.close()
