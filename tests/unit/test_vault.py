"""The vault: what it seals only its key opens, and the key is its owner's alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from rota.storage.vault import Locked, Vault

if TYPE_CHECKING:
    from pathlib import Path

VALUES = {"TOKEN": "hunter2", "EMPTY": "", "É": "\n☃"}


def test_what_is_sealed_comes_back_also_from_another_server(tmp_path: Path) -> None:
    sealed = Vault(tmp_path).seal(VALUES)

    assert "hunter2" not in sealed
    assert Vault(tmp_path).open(sealed) == VALUES


def test_the_key_is_its_owner_s_alone(tmp_path: Path) -> None:
    Vault(tmp_path).seal(VALUES)

    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_key_that_others_may_read_is_used_for_nothing(tmp_path: Path) -> None:
    sealed = Vault(tmp_path).seal(VALUES)
    (tmp_path / "key").chmod(0o644)

    with pytest.raises(Locked, match="chmod 600"):
        Vault(tmp_path).seal(VALUES)
    with pytest.raises(Locked, match="chmod 600"):
        Vault(tmp_path).open(sealed)


@pytest.mark.parametrize("key", ["", "not a key", "x" * 44])
def test_what_is_no_key_is_told(tmp_path: Path, key: str) -> None:
    (tmp_path / "key").write_text(key)
    (tmp_path / "key").chmod(0o600)

    with pytest.raises(Locked, match="holds no key"):
        Vault(tmp_path).seal(VALUES)


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    sealed = Vault(tmp_path).seal(VALUES)
    (tmp_path / "key").unlink()
    Vault(tmp_path).seal(VALUES)

    with pytest.raises(Locked, match="another key"):
        Vault(tmp_path).open(sealed)


def test_without_its_key_nothing_is_opened_and_no_key_is_made(tmp_path: Path) -> None:
    sealed = Vault(tmp_path).seal(VALUES)
    (tmp_path / "key").unlink()

    with pytest.raises(Locked, match="cannot be read"):
        Vault(tmp_path).open(sealed)
    assert list(tmp_path.iterdir()) == []


def test_secrets_that_come_at_once_have_one_key(tmp_path: Path) -> None:
    vault = Vault(tmp_path)

    with ThreadPoolExecutor(8) as threads:
        sealed = list(threads.map(vault.seal, [VALUES] * 32))

    assert [Vault(tmp_path).open(each) for each in sealed] == [VALUES] * 32


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(Locked, match="cannot be written"):
        Vault(tmp_path / "nowhere").seal(VALUES)
