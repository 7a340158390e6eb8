"""Accounts: whose a run is. The server finds them by name, the keeper gets numbers."""

from __future__ import annotations

import grp
import os
import pwd
from dataclasses import dataclass


class NoAccount(Exception):
    """A run cannot be this account's; the text says why, and what can be done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A user of this machine, with the groups that its processes are in."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]  #: all of them, `gid` too
    home: str
    shell: str

    @property
    def environment(self) -> dict[str, str]:
        """What a login as this user would set."""
        return {"HOME": self.home, "USER": self.name, "LOGNAME": self.name, "SHELL": self.shell}


def find_account(said: str) -> Account:
    """The account that `user` or `user:group` names, each by name or number.

    It asks the machine's name services, which may be far away: not to be called where nothing may wait.
    Raises NoAccount when there is none, or when it is another's and this process is not root.
    """
    user_name, colon, group_name = said.partition(":")
    user = _user(user_name)
    gid = _group(group_name) if colon else user.pw_gid
    if os.geteuid() != 0 and (user.pw_uid, gid) != (os.geteuid(), os.getegid()):
        raise NoAccount(f"only root can start a program as {said!r}, and Rota runs as {_own_name()!r}")
    return Account(
        name=user.pw_name,
        uid=user.pw_uid,
        gid=gid,
        groups=tuple(os.getgrouplist(user.pw_name, gid)),
        home=user.pw_dir,
        shell=user.pw_shell or "/bin/sh",
    )


def _user(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        try:
            return pwd.getpwuid(int(name))
        except (KeyError, ValueError, OverflowError):
            raise NoAccount(f"this machine has no user {name!r}") from None


def _group(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        try:
            return grp.getgrgid(int(name)).gr_gid
        except (KeyError, ValueError, OverflowError):
            raise NoAccount(f"this machine has no group {name!r}") from None


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
