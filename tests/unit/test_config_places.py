"""Places: which file and which folder are taken when nobody says."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from rota.config import places
from rota.config.machine_zone import machine_zone
from rota.model.error import Unusable


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, as a person who is not root."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(places, "SYSTEM_CONFIG", tmp_path / "etc" / "rota.toml")
    return folder


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home")}


def made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_the_file_is_the_first_of_flag_variable_folder_home_and_system(
    here: Path, tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert places.config_path(None, environ) is None

    system = made(tmp_path / "etc" / "rota.toml")
    assert places.config_path(None, environ) == system

    home = made(tmp_path / "home" / ".config" / "rota" / "rota.toml")
    assert places.config_path(None, environ) == home

    xdg = made(tmp_path / "xdg" / "rota" / "rota.toml")
    assert places.config_path(None, environ | {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}) == xdg

    local = made(here / "rota.toml")
    assert places.config_path(None, environ) == local

    assert places.config_path(None, environ | {"ROTA_CONFIG": "other.toml"}) == here / "other.toml"
    assert places.config_path("../flag.toml", environ | {"ROTA_CONFIG": "x"}) == tmp_path / "flag.toml"


def test_a_working_folder_that_is_gone_is_told_and_needed_for_relative_paths_alone(
    here: Path, environ: dict[str, str]
) -> None:
    here.rmdir()

    assert places.data_path("/data", environ) == Path("/data")
    assert places.config_path(None, environ) is None
    with pytest.raises(Unusable, match="the folder that this was started in is gone"):
        places.data_path("data", environ)


def test_a_user_without_a_home_is_told_what_to_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)

    assert places.data_path("/data", {}) == Path("/data")
    for look in (places.config_path, places.data_path):
        with pytest.raises(Unusable, match="set HOME, or name the file with --config"):
            look(None, {})


def test_the_system_s_file_is_root_s_alone(tmp_path: Path, environ: dict[str, str]) -> None:
    made(tmp_path / "etc" / "rota.toml")

    assert places.config_path(None, environ) is None


def test_a_file_that_was_named_is_taken_at_its_word(here: Path, environ: dict[str, str]) -> None:
    made(here / "rota.toml")

    assert places.config_path("/nowhere/rota.toml", environ) == Path("/nowhere/rota.toml")
    assert places.config_path("~/rota.toml", environ) == Path(environ["HOME"]) / "rota.toml"


def test_the_data_is_where_it_is_said_or_in_the_state_folder(
    here: Path, tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert places.data_path("data", environ | {"ROTA_DATA": "/x"}) == here / "data"
    assert places.data_path(None, environ | {"ROTA_DATA": "/x"}) == Path("/x")
    assert places.data_path(None, environ | {"XDG_STATE_HOME": "/state"}) == Path("/state/rota")
    assert places.data_path(None, environ) == tmp_path / "home" / ".local" / "state" / "rota"

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert places.data_path(None, environ) == Path("/var/lib/rota")


def test_what_is_empty_or_relative_where_it_must_not_be_is_as_good_as_absent(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    state = tmp_path / "home" / ".local" / "state" / "rota"

    assert places.data_path("", environ | {"ROTA_DATA": ""}) == state
    assert places.data_path(None, environ | {"XDG_STATE_HOME": "relative"}) == state
    assert places.data_path(None, {}).is_absolute()


def test_the_zone_of_the_machine_is_named_by_tz_localtime_or_timezone(tmp_path: Path) -> None:
    assert machine_zone({}, tmp_path) == "UTC"

    (tmp_path / "timezone").write_text("America/New_York\n")
    assert machine_zone({}, tmp_path) == "America/New_York"

    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Australia/Lord_Howe")
    assert machine_zone({}, tmp_path) == "Australia/Lord_Howe"

    assert machine_zone({"TZ": ":Europe/Paris"}, tmp_path) == "Europe/Paris"
    assert machine_zone({"TZ": "/usr/share/zoneinfo/Asia/Tokyo"}, tmp_path) == "Asia/Tokyo"
    assert machine_zone({"TZ": "CET-1CEST"}, tmp_path) == "Australia/Lord_Howe"
