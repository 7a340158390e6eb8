"""A login: the environment that a job finds."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

import pytest

from rota.engine.login import login
from rota.keeper.account import NoAccount

if TYPE_CHECKING:
    from pathlib import Path

ME = pwd.getpwuid(os.geteuid())


def test_it_says_who_one_is_and_nothing_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/somewhere/else")
    monkeypatch.setenv("SERVER_SECRET", "x")

    found = login(None, tmp_path)

    assert found.home == ME.pw_dir
    assert found.environment["USER"] == found.environment["LOGNAME"] == ME.pw_name
    assert found.environment["HOME"] == ME.pw_dir
    assert set(found.environment) == {"HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG"}


def test_path_and_language_are_the_machine_s(tmp_path: Path) -> None:
    (tmp_path / "login.defs").write_text(
        "# ENV_PATH PATH=/no\nENV_PATH\tPATH=/a:/b\nENV_SUPATH\tPATH=/s:/a\n"
    )
    (tmp_path / "default").mkdir()
    (tmp_path / "default" / "locale").write_text('#  a comment\nLANG="de_DE.UTF-8"\n')

    environment = login(None, tmp_path).environment

    assert environment["PATH"] == ("/s:/a" if ME.pw_uid == 0 else "/a:/b")
    assert environment["LANG"] == "de_DE.UTF-8"


def test_a_machine_that_says_nothing_has_the_usual(tmp_path: Path) -> None:
    environment = login(None, tmp_path).environment

    assert environment["PATH"].endswith("/usr/bin:/sbin:/bin" if ME.pw_uid == 0 else "/usr/bin:/bin")
    assert environment["LANG"] == "C.UTF-8"


def test_there_is_no_login_of_a_user_that_there_is_not() -> None:
    with pytest.raises(NoAccount, match="nobody-of-this-name"):
        login("nobody-of-this-name")


def test_a_server_whose_user_has_no_name_can_still_run_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 61_234)
    monkeypatch.setenv("HOME", "/data")

    found = login(None)

    assert (found.home, found.environment["USER"]) == ("/data", "61234")
