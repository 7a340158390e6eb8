"""Starts a program: directly where nothing can hang, through a trampoline where something might.

Directly is `posix_spawn`: it shares the keeper's memory until the program is loaded, so it is fast for a
keeper of any size, and it holds the keeper for as long as loading takes. The trampoline is a fork: the
child, not the keeper, enters the folder and loads the program, and says through a pipe how that went. A
fork touches no file at all, so it works when every disk but the memory is gone.

Through the trampoline goes also what `posix_spawn` cannot do: a controlling terminal, another user, a umask,
a niceness, limits (`Manner`); and, with very many runs, pipes whose numbers are beyond the limit of programs.

Either way a program starts with its own session, default signals, an empty signal mask, no descriptor but its
three, and the descriptor limit that the keeper itself was given. Standard library only.
"""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
import termios

from rota.keeper import tree
from rota.keeper.cgroup import RLIMIT
from rota.keeper.locality import NotLocal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rota.keeper.cgroup import Limits
    from rota.keeper.locality import Mounts

_RESET = [number for number in signal.valid_signals() if number not in (signal.SIGKILL, signal.SIGSTOP)]

#: What the parts of a spawn are called when one fails; the trampoline sends the index.
STEPS = (
    *("enter the working folder", "start", "set the limits of", "give a terminal to", "set the niceness of"),
    *("take on the user of", "move into its control group", "limit"),
)


class SpawnFailed(Exception):
    """Nothing was spawned; the text says which step failed and why."""


class Manner:
    """How a program starts for which the usual way will not do."""

    __slots__ = ("account", "group", "limits", "nice", "rlimits", "terminal", "umask")

    def __init__(self, message: dict[str, Any]) -> None:
        self.terminal = bool(message.get("pty"))  #: its standard input becomes its controlling terminal
        self.account: tuple[int, int, list[int]] | None = message.get("account")  #: user, group, all groups
        self.umask: int | None = message.get("umask")
        self.nice: int | None = message.get("nice")
        self.limits: Limits = message.get("limits") or {}
        self.group: str | None = None  #: the control group that it is moved into
        self.rlimits: Limits = {}  #: the limits that it is given itself

    @property
    def uid(self) -> int:
        """Whose it is."""
        return os.geteuid() if self.account is None else self.account[0]

    def take(self, group: str | None, held: dict[str, str]) -> None:
        """The limits are held so."""
        self.group = group
        self.rlimits = {name: value for name, value in self.limits.items() if held[name] == RLIMIT}

    @classmethod
    def of(cls, message: dict[str, Any]) -> Manner | None:
        """What a spawn asks for; None for the usual way."""
        return cls(message) if not cls._NAMES.isdisjoint(message) else None

    _NAMES = frozenset(("pty", "account", "umask", "nice", "limits"))


class Spawner:
    """Starts programs for the keeper."""

    def __init__(self, mounts: Mounts, descriptors: int) -> None:
        self.mounts = mounts
        self.descriptors = descriptors  #: the soft limit that programs get
        self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)

    def spawn(
        self,
        argv: list[str],
        env: dict[str, str],
        folder: str,
        out: int,
        err: int,
        stdin: int | None = None,
        manner: Manner | None = None,
    ) -> tuple[int, int | None]:
        """Start `argv` with its output to the descriptors `out` and `err`.

        `stdin` is its standard input, `/dev/null` if None; `manner` what is unusual about it.
        Returns its pid, and for one that goes through the trampoline the descriptor of a pipe: its end
        without a byte says that the program is loaded, two bytes say what failed (see `failure`).
        """
        if not argv or not argv[0]:
            raise SpawnFailed("there is no program to start")
        if stdin is None:
            stdin = self._null
        if manner is not None or max(stdin, out, err) >= self.descriptors:
            return self._trampoline(argv, env, folder, (stdin, out, err), manner)
        try:
            self.mounts.check(folder)
            return self._direct(argv, env, folder, out, err, stdin), None
        except NotLocal:
            return self._trampoline(argv, env, folder, (stdin, out, err), None)

    def _direct(
        self, argv: list[str], env: dict[str, str], folder: str, out: int, err: int, stdin: int
    ) -> int:
        step = STEPS[0]
        try:
            os.chdir(folder)
            try:
                step = STEPS[1]
                program = self.mounts.find(argv[0], folder, env.get("PATH", os.defpath))
                with _Limit(self.descriptors):
                    return os.posix_spawn(
                        program,
                        argv,
                        env,
                        file_actions=[
                            (os.POSIX_SPAWN_DUP2, stdin, 0),
                            (os.POSIX_SPAWN_DUP2, out, 1),
                            (os.POSIX_SPAWN_DUP2, err, 2),
                        ],
                        setsid=True,
                        setsigmask=[],
                        setsigdef=_RESET,
                    )
            finally:
                os.chdir("/")
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in (errno.EAGAIN, errno.ENOMEM):
                raise  # the machine is out of processes or memory for now
            raise SpawnFailed(_sentence(step, argv[0], folder, error)) from error

    def _trampoline(
        self,
        argv: list[str],
        env: dict[str, str],
        folder: str,
        streams: tuple[int, int, int],
        manner: Manner | None,
    ) -> tuple[int, int]:
        told, tell = os.pipe()
        everything = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            pid = os.fork()
            if pid == 0:
                self._become(argv, env, folder, streams, manner, tell)
        except OSError:
            os.close(told)
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, everything)
            os.close(tell)
        os.set_blocking(told, False)
        return pid, told

    def _become(
        self,
        argv: list[str],
        env: dict[str, str],
        folder: str,
        streams: tuple[int, int, int],
        manner: Manner | None,
        tell: int,
    ) -> None:
        # In the forked child: whatever happens, it must not come back into the keeper's own code.
        step = [2]
        try:
            signal.set_wakeup_fd(-1)
            os.setsid()
            for number, fd in enumerate(streams):
                os.dup2(fd, number)
            os.dup2(tell, 3, inheritable=False)
            # A child that hangs on a dead mount must not keep the server's connection open.
            os.closerange(4, os.sysconf("SC_OPEN_MAX"))
            if manner is not None and manner.group is not None:
                step[0] = 6
                _move_into(manner.group)
                step[0] = 2
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.descriptors, hard))
            for number in _RESET:
                try:
                    signal.signal(number, signal.SIG_DFL)
                except (OSError, ValueError):
                    continue  # the C library keeps some for itself
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            if manner is not None:
                _take_on(manner, step)
            step[0] = 0
            os.chdir(folder)
            if manner is not None and manner.rlimits:
                step[0] = 7
                _limit(manner.rlimits, manner.uid)
            step[0] = 1
            _load(argv, env)
        except OSError as error:
            os.write(3, bytes((step[0], min(error.errno or 0, 255))))
        except BaseException:  # noqa: BLE001 - in the forked child nothing may pass
            os.write(3, bytes((step[0], errno.EINVAL)))
        finally:
            os._exit(127)


def _take_on(manner: Manner, step: list[int]) -> None:
    if manner.terminal:
        step[0] = 3
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    if manner.nice is not None:
        step[0] = 4
        os.setpriority(os.PRIO_PROCESS, 0, manner.nice)
    if manner.umask is not None:
        os.umask(manner.umask)
    if manner.account is not None:
        step[0] = 5
        user, group, groups = manner.account
        if os.geteuid() == 0:  # who is not root is that user already, and may not even say so
            os.setgroups(groups)
            os.setgid(group)
            os.setuid(user)


def _move_into(group: str) -> None:
    # The keeper itself would wait for the kernel here.
    fd = os.open(f"{group}/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
    os.write(fd, b"0")
    os.close(fd)


def _limit(limits: Limits, uid: int) -> None:
    """The limits of one process, which its children have likewise. Address space would be the wrong memory:
    many programs reserve far more of it than they use.
    """
    if "memory_max" in limits:
        _set_limit(resource.RLIMIT_DATA, int(limits["memory_max"]))
    if "tasks_max" in limits:
        # The kernel counts all that the user has on the machine: so many more than there are now.
        _set_limit(resource.RLIMIT_NPROC, tree.tasks_of(uid) + int(limits["tasks_max"]))


def _set_limit(which: int, most: int) -> None:
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(which, (most, most))


def _load(argv: list[str], env: dict[str, str]) -> None:
    """As `os.execvpe`; that imports a module, from a disk that may be dead or not be the user's to read."""
    if os.sep in argv[0]:
        os.execve(argv[0], argv, env)
    refused = errno.ENOENT
    for place in env.get("PATH", os.defpath).split(os.pathsep):
        try:
            os.execve(os.path.join(place, argv[0]), argv, env)
        except OSError as error:
            if error.errno == errno.EACCES:
                refused = errno.EACCES
            elif error.errno not in (errno.ENOENT, errno.ENOTDIR):
                raise
    raise OSError(refused, os.strerror(refused))


def failure(told: bytes, program: str, folder: str) -> str:
    """The sentence for the two bytes that a trampoline sent."""
    return _sentence(STEPS[told[0]], program, folder, OSError(told[1], os.strerror(told[1])))


class _Limit:
    """The descriptor limit of programs, for the moment of a spawn: they inherit the keeper's."""

    __slots__ = ("_now", "_soft")

    def __init__(self, soft: int) -> None:
        self._soft = soft

    def __enter__(self) -> None:
        self._now = resource.getrlimit(resource.RLIMIT_NOFILE)
        if self._now[0] != self._soft:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self._soft, self._now[1]))

    def __exit__(self, *_: object) -> None:
        if self._now[0] != self._soft:
            resource.setrlimit(resource.RLIMIT_NOFILE, self._now)


def _sentence(step: str, program: str, folder: str, error: Exception) -> str:
    what = repr(folder if step == STEPS[0] else program)
    why = error.strerror if isinstance(error, OSError) else str(error)
    if isinstance(error, OSError) and error.errno == errno.ENOEXEC:
        why = "it is no program that this machine can load; a script needs a first line such as #!/bin/sh"
    return f"cannot {step} {what}: {why}"
