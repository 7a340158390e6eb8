"""Tasks that are written into a file of others: what else stands there stays, and no secret is shown."""

from __future__ import annotations

import os
import stat
import threading
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from rota.config.managed import NotEditable, difference_of, with_task
from rota.config.swap import locked, swap, text_of

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
# What the agents do

[tasks.a]  # the first
run = "x"   # why it is so
cron = "@daily"
secrets = { KEY = "hunter2" }

[calendars.x]
weekdays = ["MON"]

[tasks.b]
run = "y"
[tasks.b.env]
K = "1"

[[tasks.b.params]]
env = "E"
type = "secret"
default = "swordfish"

[services.c]
run = "z"
secrets.KEY = "tolkien9"
"""


def lines(before: str, after: str) -> list[str]:
    """The lines that are others, with + and -."""
    diff = difference_of(before, after, file="f.toml").splitlines()
    return [line for line in diff[2:] if line[0] in "+-"]


def test_a_key_is_changed_where_it_stands_with_the_comments_around_it() -> None:
    after = with_task(TEXT, "a", {"cron": "@hourly", "run": "z"})

    assert lines(TEXT, after) == [
        '-run = "x"   # why it is so', '-cron = "@daily"', '+run = "z"   # why it is so', '+cron = "@hourly"',
    ]  # fmt: skip


def test_a_new_task_stands_at_the_end() -> None:
    said = {"run": ["a", "b"], "env": {"K": "2"}, "params": [{"env": "X", "default": 3}]}

    after = with_task(TEXT, "shop.c", said)

    assert after.startswith(TEXT)
    assert after.removeprefix(TEXT).startswith('\n[tasks."shop.c"]\n')
    assert tomllib.loads(after)["tasks"]["shop.c"] == said


@pytest.mark.parametrize("text", ["", "# only words", "x = 1\n", "[tasks.b]\nrun = 'y'\n\n"])
def test_so_it_does_in_a_file_that_has_little_in_it_yet(text: str) -> None:
    after = with_task(text, "a", {"run": "true"})

    assert after.startswith(text)
    assert tomllib.loads(after)["tasks"]["a"] == {"run": "true"}


def test_none_takes_a_key_away_and_what_is_not_named_stays() -> None:
    after = with_task(TEXT, "b", {"env": None, "timeout": "5m"})

    assert set(tomllib.loads(after)["tasks"]["b"]) == {"run", "params", "timeout"}


@pytest.mark.parametrize("run", ["a\nb\n", "\na", 'quotes """ and \\ and \t\n', "a\r\nb", "x\n'''", "ü\n☃"])
def test_a_script_is_written_over_several_lines_and_means_the_same(run: str) -> None:
    for text in ("", TEXT):
        assert tomllib.loads(with_task(text, "a", {"run": run}))["tasks"]["a"]["run"] == run
    assert with_task("", "a", {"run": "a\nb\n"}) == '[tasks.a]\nrun = """\na\nb\n"""\n'


def test_what_says_the_same_already_changes_nothing() -> None:
    assert with_task(TEXT, "a", {"run": "x", "secrets": {"KEY": "hunter2"}}) == TEXT


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("tasks = { a = { run = 'x' } }\n", "b", {"run": "y"}),
        ("tasks = 3\n", "a", {"run": "y"}),
        ("[tasks]\na = 3\n", "a", {"run": "y"}),
        ("[tasks.a\n", "a", {"run": "y"}),
        ("", "a", {"run": object()}),
        ("", "a", {"env": {"A": None}}),
    ],
)
def test_what_cannot_be_done_without_harm_is_not_done(text: str, name: str, said: dict[str, Any]) -> None:
    with pytest.raises(NotEditable):
        with_task(text, name, said)


def test_a_diff_shows_no_secret_be_it_old_new_or_beside_the_change() -> None:
    after = with_task(TEXT, "b", {"run": "z", "secrets": {"NEW": "correct horse"}})
    after = with_task(after, "c", {"run": "z", "secrets": {"OTHER": "battery staple"}})

    diff = difference_of(TEXT, after, file="f.toml")

    assert '+secrets = {OTHER = "[redacted]"}' in diff
    for secret in ("hunter2", "swordfish", "correct horse", "battery staple", "tolkien9"):
        assert secret not in diff


def test_a_diff_says_that_a_secret_is_another_one() -> None:
    after = with_task(TEXT, "a", {"secrets": {"KEY": "hunter3"}})

    assert lines(TEXT, after) == [
        '-secrets = { KEY = "[redacted]" }', '+secrets = {KEY = "[redacted] (another one)"}',
    ]  # fmt: skip
    assert lines(after, with_task(after, "a", {"run": "z"})) == [
        '-run = "x"   # why it is so', '+run = "z"   # why it is so',
    ]  # fmt: skip


def test_a_file_is_swapped_whole_with_its_rights_and_behind_its_links(tmp_path: Path) -> None:
    file, link = tmp_path / "real.toml", tmp_path / "link.toml"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)

    assert swap(str(link), "old", "new")

    assert link.is_symlink()
    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["link.toml", "real.toml"]


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "new.toml"

    assert text_of(str(file)) == ""
    assert swap(str(file), "", "x")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_was_written_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("of somebody else")

    assert not swap(str(file), "old", "new")

    assert file.read_text() == "of somebody else"
    assert os.listdir(tmp_path) == ["a.toml"]


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    file = str(tmp_path / "a.toml")

    def write(names: list[str]) -> None:
        for name in names:
            with locked(file):
                before = text_of(file)
                assert swap(file, before, with_task(before, name, {"run": "true"}))

    writers = [
        threading.Thread(target=write, args=([f"{who}-{n}" for n in range(20)],)) for who in ("one", "two")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert len(tomllib.loads(text_of(file))["tasks"]) == 40
