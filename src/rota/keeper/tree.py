"""The processes of a run, found in `/proc` and signalled without mistaking one for another.

The keeper is a child subreaper: what a run's main process leaves behind, double forks included, becomes the
keeper's own child, and everything else of the run is below it. Which run an adopted process belongs to is
written in its initial environment (`ROTA_RUN_ID`) or in its session. Standard library only.
"""

from __future__ import annotations

import os
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    #: A process that cannot be mistaken for a later one of the same pid: (pid, start time in clock ticks).
    Process = tuple[int, int]

#: A stop looks again until nothing new appears; a program that forks faster is met again at the next look.
_LOOKS = 50

_NEARLY_A_PAGE = 4080  # bytes; the kernel gives as many whole numbers as fit a page, less is the end

_LOADING = 0.01  # seconds that are given to a process to load its program


#: Whether the kernel lists children; one that does not is asked for every process of the machine instead.
LISTS_CHILDREN = os.path.exists(f"/proc/self/task/{os.getpid()}/children")
#: Without `/proc` (macOS) a run's processes are those of its process group.
HAS_PROC = os.path.exists("/proc/self/stat")


def children(pid: int) -> list[int]:
    """The living and the dead children of a process, those of all its threads; none when it is gone."""
    if not LISTS_CHILDREN:
        return [other for other in processes() if parent(other) == pid] if HAS_PROC else []
    found: set[int] = set()
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    for thread in threads:
        where = f"/proc/{pid}/task/{thread}/children"
        # While a sibling ends, the kernel may leave out its neighbour: two looks see both.
        found.update(_numbers(where))
        found.update(_numbers(where))
    return sorted(found)


class OwnChildren:
    """The living and the dead children of this one-threaded process: a quick look, at every run's end."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._fd = -1
        if LISTS_CHILDREN:
            self._fd = os.open(f"/proc/{self._pid}/task/{self._pid}/children", os.O_RDONLY | os.O_CLOEXEC)

    def pids(self) -> list[int]:
        """All of them."""
        if self._fd < 0:
            return children(self._pid)
        first, second = self._look(), self._look()
        return list(map(int, first if first == second else {*first, *second}))

    def _look(self) -> list[bytes]:
        text = piece = os.pread(self._fd, 1 << 16, 0)
        while len(piece) >= _NEARLY_A_PAGE:
            piece = os.pread(self._fd, 1 << 16, len(text))
            text += piece
        return text.split()


def descendants(roots: Iterable[int]) -> list[int]:
    """The roots and everything below them."""
    found: list[int] = []
    waiting, seen = list(roots), set()
    while waiting:
        pid = waiting.pop()
        if pid not in seen:
            seen.add(pid)
            found.append(pid)
            waiting.extend(children(pid))
    return found


def stat(pid: int) -> tuple[str, str, int, int] | None:
    """Name, state letter, session and start time of a process; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    name, _, rest = text.partition(b"(")[2].rpartition(b")")
    fields = rest.split()
    return os.fsdecode(name), chr(fields[0][0]), int(fields[3]), int(fields[19])


def run_of(pid: int, looks: int = 1) -> str | None:
    """The run named in the environment that a process was started with, if that can be seen.

    While a process is loading its program, its environment is empty: it is looked at so many times.
    """
    environ = b""
    for look in range(looks):
        if look:
            time.sleep(_LOADING / looks)
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                environ = file.read()
        except OSError:
            return None
        if environ:
            break
    for entry in environ.split(b"\0"):
        if entry.startswith(b"ROTA_RUN_ID="):
            return os.fsdecode(entry[12:])
    return None


def processes() -> list[int]:
    """Every process of the machine that can be seen."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def tasks_of(uid: int) -> int:
    """How many processes and threads a user has."""
    count = 0
    for pid in processes() if HAS_PROC else ():
        try:
            if os.stat(f"/proc/{pid}").st_uid == uid:
                count += len(os.listdir(f"/proc/{pid}/task"))
        except OSError:
            continue  # it is gone
    return count


def parent(pid: int) -> int | None:
    """The parent of a process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except OSError:
        return None


def send(process: Process, number: int) -> bool:
    """Signal exactly this process; False when it is gone."""
    pid, start = process
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        # The descriptor holds on to whoever has the pid now; the start time says whether that is the one.
        now = stat(pid)
        if now is None or now[3] != start:
            return False
        signal.pidfd_send_signal(fd, number)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


def signal_all(roots: Callable[[], list[int]], number: int) -> list[Process]:
    """Signal the roots and everything below them, looking again until nothing new appears.

    The roots are asked for anew at each look: what loses its parent meanwhile becomes a root itself.
    Returns those that were signalled.
    """
    if not HAS_PROC:
        return _signal_groups(roots(), number)
    signalled: dict[Process, None] = {}
    for _ in range(_LOOKS):
        new = False
        for pid in descendants(roots()):
            facts = stat(pid)
            if facts is None or facts[1] in "ZX":
                continue
            process = (pid, facts[3])
            if process not in signalled and send(process, number):
                signalled[process] = None
                new = True
        if not new:
            break
    if number not in (signal.SIGKILL, signal.SIGCONT):
        for process in signalled:
            send(process, signal.SIGCONT)  # a process that is suspended would not notice the signal
    return list(signalled)


def _signal_groups(leaders: list[int], number: int) -> list[Process]:
    signalled = []
    for leader in leaders:
        try:
            os.killpg(leader, number)
        except OSError:
            continue
        signalled.append((leader, 0))
    return signalled


def _numbers(path: str) -> list[int]:
    try:
        with open(path, "rb") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []
