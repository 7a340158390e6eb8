"""Control groups (cgroup v2): one for each run that has limits. It holds them, and every process of the run.

They lie in a group of the data folder's own, below the nearest place that is the keeper's to use. Where there
is none, or the kernel cannot hold a limit there, `held_by` says what can be done instead. Nothing here waits:
what could (moving a process) is done by the forked child itself. Standard library only.
"""

from __future__ import annotations

import binascii
import os
import signal

from rota.keeper import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    #: `memory_max` in bytes, `cpu_max` in processors, `tasks_max` in processes and threads.
    Limits = Mapping[str, float]

#: By whom a limit is held. `rlimit`: by the kernel for each process alone; `nothing`: by nobody.
CGROUP, RLIMIT, NOTHING = "cgroup", "rlimit", "nothing"

#: The controller that holds each limit.
CONTROLLERS = {"memory_max": "memory", "cpu_max": "cpu", "tasks_max": "pids"}

_PERIOD = 100_000  # microseconds, the kernel's own choice
_LEAST_QUOTA = 1_000  # microseconds; the kernel takes no less


def held_by(limits: Limits, controllers: frozenset[str], uid: int) -> dict[str, str]:
    """Who holds each of these limits for a run of this user.

    There is no rlimit for a share of processors (`RLIMIT_CPU` is a sum of seconds), and the one for processes
    counts those of a user, and never binds root.
    """
    return {
        name: CGROUP
        if CONTROLLERS[name] in controllers
        else NOTHING
        if name == "cpu_max" or (name == "tasks_max" and uid == 0)
        else RLIMIT
        for name in limits
    }


def settings(name: str, value: float) -> list[tuple[str, str, bool]]:
    """The files that make a limit, what is written to each, and whether the limit needs it."""
    if name == "memory_max":
        # Without swap: else a run that wants too much becomes slow instead. A run is one, and killed whole.
        return [
            ("memory.max", f"{value:.0f}", True),
            ("memory.swap.max", "0", False),
            ("memory.oom.group", "1", False),
        ]
    if name == "cpu_max":
        return [("cpu.max", f"{max(_LEAST_QUOTA, round(value * _PERIOD))} {_PERIOD}", True)]
    return [("pids.max", f"{value:.0f}", True)]


def base(proc: str = "/proc", *, is_root: bool | None = None) -> str | None:
    """The folder below which this process may make groups; None where there is none.

    In this order: the group above our own, if that was given to us (systemd's `Delegate=` with a
    `DelegateSubgroup=`, or a container that has moved us aside); for root the top of the machine; our own
    group, if it was given to us. The last can hold processes together, and no limits, since the kernel has
    none for the children of a group that has processes itself.
    """
    top, own = _top(proc), _own(proc)
    if top is None or own is None:
        return None
    here = top + own.rstrip("/")
    above = os.path.dirname(here)
    at_top = own == "/"
    if not at_top and (_is_given(above) or (above == top and not _is_the_machines(top))) and _is_ours(above):
        return above
    if (os.geteuid() == 0 if is_root is None else is_root) and _is_the_machines(top) and _is_ours(top):
        return top
    if (_is_given(here) or at_top) and _is_ours(here):
        return here
    return None


class Cgroups:
    """The groups of one data folder's runs."""

    def __init__(self, data: str, base: str | None) -> None:
        name = f"rota-{binascii.crc32(os.fsencode(os.path.realpath(data))):08x}"
        self._base = base
        self.folder = None if base is None else f"{base}/{name}"  #: each of them is in here
        self.controllers: frozenset[str] = frozenset()  #: those that hold limits here
        self.left: list[str] = []  #: groups that could not be removed yet

    def leaf(self, run_id: str) -> str | None:
        """Where a run's group is, once it is made; None where there can be none."""
        return None if self.folder is None else f"{self.folder}/{run_id}"

    def make(self, run_id: str, limits: Limits, uid: int) -> tuple[str | None, dict[str, str]]:
        """Make a run's group with its limits: the group, if there is one, and who holds each limit."""
        leaf = self.leaf(run_id)
        if leaf is None or not self._is_made() or not _make(leaf):
            return None, held_by(limits, frozenset(), uid)
        kept = set(self.controllers)
        for name, value in limits.items():
            if CONTROLLERS[name] in kept and not _set(leaf, name, value):
                kept.discard(CONTROLLERS[name])
        return leaf, held_by(limits, frozenset(kept), uid)

    def remove(self, leaf: str) -> None:
        """Remove a run's group; one in which something was left alone goes later."""
        if not _remove(leaf):
            self.left.append(leaf)

    def tidy(self) -> None:
        """Remove what could not be removed before."""
        self.left = [leaf for leaf in self.left if not _remove(leaf)]

    def sweep(self) -> None:
        """Remove whatever stands here empty, this folder's own group too: an earlier keeper has left it."""
        for leaf in [] if self.folder is None else _below(self.folder):
            _remove(leaf)
        if self.folder is not None:
            _remove(self.folder)

    def _is_made(self) -> bool:
        if self.folder is None or self._base is None:
            return False
        if not os.path.isdir(self.folder):
            _enable(self._base)
            if not _make(self.folder):
                return False
            self.controllers = frozenset()
        if not self.controllers:
            self.controllers = _enable(self.folder)
        return True


def processes(leaf: str) -> list[int]:
    """Every process in a group and below it; none when it is gone."""
    found = [int(word) for word in _words(f"{leaf}/cgroup.procs")]
    for inner in _below(leaf):
        found += processes(inner)
    return found


def kill(leaf: str) -> None:
    """SIGKILL to everything in a group and below it, at once: nothing that is being forked escapes."""
    if _write(f"{leaf}/cgroup.kill", "1"):
        return
    for pid in processes(leaf):  # a kernel before 5.14
        facts = tree.stat(pid)
        if facts is not None:
            tree.send((pid, facts[3]), signal.SIGKILL)


def killed_for_memory(leaf: str) -> bool:
    """Whether the kernel has killed something in it for want of memory."""
    words = _words(f"{leaf}/memory.events")
    return any(
        int(count) > 0 for name, count in zip(words[::2], words[1::2], strict=False) if name == "oom_kill"
    )


def of(pid: int) -> list[str]:
    """The names of the groups that a process is in, the outermost first."""
    return (_own(f"/proc/{pid}", "cgroup") or "").split("/")


def _top(proc: str) -> str | None:
    """Where the kernel's groups of version 2 are mounted."""
    try:
        with open(f"{proc}/self/mounts", "rb") as file:
            mounts = [line.split() for line in file]
    except OSError:
        return None
    found = next((fields[1] for fields in mounts if fields[2] == b"cgroup2"), None)
    return None if found is None else os.fsdecode(found.replace(b"\\040", b" "))


def _own(proc: str, file: str = "self/cgroup") -> str | None:
    try:
        with open(f"{proc}/{file}", "rb") as lines:
            found = next((line[3:] for line in lines if line.startswith(b"0::")), b"..")
    except OSError:
        return None
    path = os.fsdecode(found).rstrip("\n")
    return None if ".." in path.split("/") else path


def _is_given(folder: str) -> bool:
    """Whether systemd has marked a group as somebody else's to divide."""
    try:
        return os.getxattr(folder, "user.delegate") == b"1"
    except (OSError, AttributeError):
        return False


def _is_the_machines(folder: str) -> bool:
    """Whether it is the top of the machine's groups, and not of a container's."""
    return not os.path.exists(f"{folder}/cgroup.type")


def _is_ours(folder: str) -> bool:
    return os.access(folder, os.W_OK) and os.access(f"{folder}/cgroup.procs", os.W_OK)


def _enable(folder: str) -> frozenset[str]:
    """Have the children of a group hold limits, as far as the kernel lets it; the controllers that do."""
    control = f"{folder}/cgroup.subtree_control"
    for controller in CONTROLLERS.values():
        _write(control, f"+{controller}")
    return frozenset(_words(control)) & frozenset(CONTROLLERS.values())


def _make(folder: str) -> bool:
    try:
        os.mkdir(folder)
    except OSError:
        return os.path.isdir(folder)
    return True


def _set(leaf: str, name: str, value: float) -> bool:
    return all(_write(f"{leaf}/{file}", text) or not needed for file, text, needed in settings(name, value))


def _remove(folder: str) -> bool:
    """Remove a group and those that were made within it; False while something is in them."""
    for inner in _below(folder):
        _remove(inner)
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _below(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _words(path: str) -> list[str]:
    try:
        with open(path, "rb") as file:
            return file.read().decode().split()
    except OSError:
        return []


def _write(path: str, text: str) -> bool:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.write(fd, text.encode())
    except OSError:
        return False
    finally:
        os.close(fd)
    return True
