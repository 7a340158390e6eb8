"""Which paths are on local disks, found without touching any other. Standard library only.

A look at a file on a dead network mount never returns, and `posix_spawn` holds its caller until the program
is loaded. So the keeper touches nothing of a spawn before it knows, from the kernel's table of mounts, that
it is local; the rest is left to the trampoline (see `rota.keeper.spawn`).
"""

from __future__ import annotations

import errno
import os
import select
import stat

#: File systems whose files are on this machine. Whatever is not listed is treated as remote.
LOCAL = frozenset(
    "ext2 ext3 ext4 xfs btrfs zfs f2fs jfs reiserfs bcachefs nilfs2 tmpfs ramfs rootfs overlay aufs squashfs "
    "erofs iso9660 udf vfat exfat ntfs3 proc sysfs devtmpfs devpts cgroup cgroup2 securityfs debugfs tracefs "
    "configfs bpf pstore efivarfs hugetlbfs mqueue binfmt_misc fusectl selinuxfs nsfs bdev".split()
)

_LINKS = 40  # the kernel gives up after as many symbolic links


class NotLocal(Exception):
    """The path, or a part of it, is on a file system that may not answer."""


class Mounts:
    """The kernel's table of mounts, read again when it has changed."""

    def __init__(self, table: str = "/proc/self/mountinfo") -> None:
        self._remote: tuple[str, ...] = ()
        try:
            self._fd = os.open(table, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # not Linux: everything is taken as local
            self._fd = -1
            return
        self._changed = select.poll()
        self._changed.register(self._fd, select.POLLPRI | select.POLLERR)
        self._read()

    def remote(self) -> tuple[str, ...]:
        """The mount points of file systems that are not local."""
        if self._fd >= 0 and self._changed.poll(0):
            self._read()
        return self._remote

    def check(self, path: str) -> None:
        """Raise NotLocal when `path`, or a link on the way to it, leads to a remote file system."""
        remote = self.remote()
        if remote:
            _walk(path, remote)

    def find(self, program: str, folder: str, search: str) -> str:
        """The program's path, by the rules of execvp in `folder`; OSError when there is none, or NotLocal."""
        if os.sep in program:
            where = os.path.join(folder, program)
            self._check_program(where)
            return where
        refused = errno.ENOENT
        for place in search.split(os.pathsep):
            where = os.path.join(folder, place, program)
            self.check(where)
            try:
                status = os.stat(where)
            except OSError as error:
                if error.errno == errno.EACCES:
                    refused = errno.EACCES
                continue
            if not stat.S_ISREG(status.st_mode):
                continue
            if not os.access(where, os.X_OK, effective_ids=True):
                refused = errno.EACCES
                continue
            self._check_program(where)
            return where
        raise OSError(refused, os.strerror(refused), program)

    def _check_program(self, path: str) -> None:
        remote = self.remote()
        if not remote:
            return
        _walk(path, remote)
        try:
            with open(path, "rb", buffering=0) as file:
                first = file.read(256)
        except OSError:
            return  # exec will say why
        if first.startswith(b"#!"):
            words = first[2:].split(b"\n", 1)[0].split()
            if words:
                _walk(os.fsdecode(words[0]), remote)

    def _read(self) -> None:
        os.lseek(self._fd, 0, os.SEEK_SET)
        text = b""
        while piece := os.read(self._fd, 1 << 16):
            text += piece
        remote = []
        for line in os.fsdecode(text).splitlines():
            left, _, right = line.partition(" - ")
            if right and right.split(" ", 1)[0] not in LOCAL:
                remote.append(_unescaped(left.split(" ")[4]))
        self._remote = tuple(remote)


def _walk(path: str, remote: tuple[str, ...]) -> None:
    # Every component is held against the table before it is looked at, since the look is what hangs.
    parts = [part for part in os.path.abspath(path).split("/") if part]
    at, links = "/", 0
    while parts:
        at = os.path.join(at, parts.pop(0))
        if at in remote:
            raise NotLocal(path)
        try:
            target = os.readlink(at)
        except OSError:
            continue  # no link, or nothing there: then exec will say so
        links += 1
        if links > _LINKS:
            return
        base = os.path.dirname(at)
        parts = [part for part in os.path.normpath(os.path.join(base, target)).split("/") if part] + parts
        at = "/"


def _unescaped(text: str) -> str:
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, char)
    return text
