"""Re-executes the keeper in place: same pid, same children, same descriptors, new program.

What it knows goes into a memory file that the new program reads; every descriptor in use stays open under
its number. Signals are blocked from before to after, so none is lost in between. Standard library only.
"""

from __future__ import annotations

import json
import os
import signal
import socket

from rota.keeper.child import Child
from rota.keeper.connection import Connection
from rota.keeper.pump import Pump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rota.keeper.keeper import Keeper

_BLOCKED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)


def upgrade(keeper: Keeper, argv: list[str], lock: int) -> None:
    """Become `argv` with two more arguments, `--state` and a descriptor; OSError when that cannot be."""
    state, descriptors = _state(keeper, lock)
    memory = _memory(json.dumps(state).encode())
    signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED)
    try:
        for fd in (memory, *descriptors):
            os.set_inheritable(fd, True)
        os.execv(argv[0], [*argv, "--state", str(memory)])
    except OSError:
        for fd in descriptors:
            os.set_inheritable(fd, False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _BLOCKED)
        os.close(memory)
        raise


def read(memory: int) -> dict[str, Any]:
    """The state that the program before this one left."""
    with os.fdopen(memory, "rb") as file:
        state: dict[str, Any] = json.load(file)
    for fd in state["descriptors"]:
        os.set_inheritable(fd, False)
    return state


def restore(keeper: Keeper, state: dict[str, Any]) -> None:
    """Take over every run, end and connection."""
    keeper.room.min_free = state.get("min_free", 0)
    keeper.ends.kept = state["ended"]
    keeper.cgroups.left = state.get("groups", [])
    keeper.reaper.strays = dict(state["strays"])
    for saved in state["children"]:
        child = Child.restored(keeper.loop, keeper.data, saved, keeper)
        keeper.take_notices(child, saved.get("notices"))
        keeper.children[child.run_id] = keeper.reaper.leaders[child.pid] = child
        child.arm()
        if child.told_fd >= 0:
            keeper.watch_told(child)
    for fd, stream in state["discarding"]:
        pump = Pump(keeper.loop, fd, stream, None, _nobody)
        keeper.discarding.append(pump)
    for saved in state["connections"]:
        connection = Connection(keeper.loop, socket.socket(fileno=saved["fd"]), keeper.hear)
        connection.lines.rest += saved["in"].encode("latin-1")
        connection.out += saved["out"].encode("latin-1")
        connection.is_server = saved["server"]
        keeper.servers.connections.append(connection)
        keeper.loop.soon(connection.turn)


def unblock() -> None:
    """Let the signals come that were held back."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _BLOCKED)


def _state(keeper: Keeper, lock: int) -> tuple[dict[str, Any], list[int]]:
    children = list(keeper.children.values())
    for child in children:
        child.end_quotes()  # before the descriptors are counted
    discarding = [pump for pump in keeper.discarding if pump.fd >= 0]
    connections = [connection for connection in keeper.servers.connections if not connection.closed]
    descriptors = [
        lock,
        keeper.servers.listener.fileno(),
        *(fd for child in children for fd in child.descriptors()),
        *(pump.fd for pump in discarding),
        *(connection.fileno() for connection in connections),
    ]
    return {
        "keeper": keeper.keeper_id,
        "boot": keeper.boot_id,
        "lock": lock,
        "min_free": keeper.room.min_free,
        "listener": keeper.servers.listener.fileno(),
        "programs": keeper.spawner.descriptors,
        "children": [child.state() for child in children],
        "ended": keeper.ends.kept,
        "groups": keeper.cgroups.left,
        "strays": list(keeper.reaper.strays.items()),
        "discarding": [[pump.fd, pump.stream] for pump in discarding],
        "connections": [
            {
                "fd": connection.fileno(), "server": connection.is_server,
                "in": connection.lines.rest.decode("latin-1"), "out": connection.out.decode("latin-1"),
            }
            for connection in connections
        ],
        "descriptors": descriptors,
    }, descriptors  # fmt: skip


def _memory(content: bytes) -> int:
    if hasattr(os, "memfd_create"):
        memory = os.memfd_create("rota-keeper", 0)
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            memory = os.dup(file.fileno())
    os.set_inheritable(memory, True)
    done = 0
    while done < len(content):
        done += os.write(memory, content[done:])
    os.lseek(memory, 0, os.SEEK_SET)
    return memory


def _nobody() -> None:
    """The run of a discarded pipe is over: nobody waits for it."""
