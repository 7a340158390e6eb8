"""Accounts: a user and a group of this machine, found by name or number."""

from __future__ import annotations

import grp
import os
import pwd

import pytest

from rota.keeper.account import NoAccount, find_account

ME = pwd.getpwuid(os.geteuid())
MY_GROUP = grp.getgrgid(os.getegid())
IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="another user takes root")


@pytest.mark.parametrize("said", [ME.pw_name, str(ME.pw_uid), f"{ME.pw_name}:{MY_GROUP.gr_name}"])
def test_ones_own_user_is_found_by_name_and_number(said: str) -> None:
    account = find_account(said)

    assert (account.name, account.uid, account.gid) == (ME.pw_name, ME.pw_uid, MY_GROUP.gr_gid)
    assert account.gid in account.groups
    assert account.environment == {
        "HOME": ME.pw_dir,
        "USER": ME.pw_name,
        "LOGNAME": ME.pw_name,
        "SHELL": ME.pw_shell or "/bin/sh",
    }


@needs_root
def test_a_group_takes_the_place_of_the_users_own() -> None:
    other = next(group for group in grp.getgrall() if group.gr_gid != pwd.getpwnam("nobody").pw_gid)

    for said in (f"nobody:{other.gr_name}", f"nobody:{other.gr_gid}"):
        account = find_account(said)

        assert (account.name, account.gid) == ("nobody", other.gr_gid)
        assert other.gr_gid in account.groups


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("no-such-user", "this machine has no user 'no-such-user'"),
        ("4000000000", "this machine has no user '4000000000'"),
        ("99999999999999", "this machine has no user"),
        (f"{ME.pw_name}:no-such-group", "this machine has no group 'no-such-group'"),
    ],
)
def test_who_is_not_there_is_named(said: str, says: str) -> None:
    with pytest.raises(NoAccount, match=says):
        find_account(said)


def test_only_root_can_be_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: pwd.getpwnam("nobody").pw_uid)

    with pytest.raises(NoAccount, match="only root can start a program as 'root', and Rota runs as 'nobody'"):
        find_account("root")
