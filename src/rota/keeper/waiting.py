"""Whether a process waits for its input, by what the kernel says it is blocked in. Standard library only.

A thread that reads names the descriptor; one that polls or selects has the list of its descriptors in its
memory; an epoll's list is in `/proc`. A process into which nobody may look is not known to wait.
"""

from __future__ import annotations

import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    #: Arguments of a system call.
    Arguments = list[int]

_MOST = 1024  # descriptors of one call that are looked at
_LOOKED_AT = 256  # processes
_POLLIN = 1


def waits(pids: Iterable[int], names: set[str]) -> bool | None:
    """Whether one of these processes waits to read what `/proc/PID/fd` calls by one of these names.

    None when none is seen to, and not every one could be looked into.
    """
    if _CALLS is None:
        return None
    known = True
    for number, pid in enumerate(pids):
        if number == _LOOKED_AT:
            return None
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                for fd in _waited_for(pid, thread):
                    if _name(pid, fd) in names:
                        return True
        except PermissionError:
            known = False
        except OSError:
            continue  # it has ended meanwhile
    return False if known else None


def _waited_for(pid: int, thread: str) -> Iterator[int]:
    with open(f"/proc/{pid}/task/{thread}/syscall", "rb") as file:
        words = file.read().split()
    if len(words) < 7 or _CALLS is None:  # it is running, or in no call
        return iter(())
    find = _CALLS.get(int(words[0]))
    return find(pid, [int(word, 16) for word in words[1:7]]) if find is not None else iter(())


def _read(_pid: int, arguments: Arguments) -> Iterator[int]:
    yield arguments[0]


def _poll(pid: int, arguments: Arguments) -> Iterator[int]:
    for fd, events, _ in struct.iter_unpack("=ihh", _memory(pid, arguments[0], 8 * min(arguments[1], _MOST))):
        if events & _POLLIN:
            yield fd


def _select(pid: int, arguments: Arguments) -> Iterator[int]:
    count = min(arguments[0], _MOST)
    if not arguments[1]:
        return
    bits = int.from_bytes(_memory(pid, arguments[1], (count + 7) // 8), "little")
    yield from (fd for fd in range(count) if bits >> fd & 1)


def _epoll(pid: int, arguments: Arguments) -> Iterator[int]:
    with open(f"/proc/{pid}/fdinfo/{arguments[0]}", "rb") as file:
        for line in file:
            words = line.split()
            if words[:1] == [b"tfd:"] and int(words[3], 16) & _POLLIN:
                yield int(words[1])


def _memory(pid: int, address: int, length: int) -> bytes:
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(memory, length, address)
    finally:
        os.close(memory)


def _name(pid: int, fd: int) -> str:
    # Only the name is asked for: a look at the file itself could hang on a dead mount.
    try:
        return os.readlink(f"/proc/{pid}/fd/{fd}")
    except FileNotFoundError:
        return ""


def _calls() -> dict[int, Callable[[int, Arguments], Iterator[int]]] | None:
    """What the system calls do that wait for a descriptor, by their number on this machine."""
    match os.uname().sysname, os.uname().machine:
        case "Linux", "x86_64":
            return {
                0: _read, 19: _read, 7: _poll, 271: _poll, 23: _select, 270: _select,
                232: _epoll, 281: _epoll, 441: _epoll,
            }  # fmt: skip
        case "Linux", "aarch64" | "riscv64":
            return {63: _read, 65: _read, 73: _poll, 72: _select, 22: _epoll, 441: _epoll}
    return None


_CALLS = _calls() if os.path.exists("/proc/self/syscall") else None
