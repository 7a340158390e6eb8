"""Files that include others: what belongs together, in which order, and where each fault is."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from rota.config.load import ConfigFault, ConfigInvalid, load
from rota.config.watched import marks

if TYPE_CHECKING:
    from pathlib import Path

    from rota.config.config import Config


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "conf.d").mkdir()
    return tmp_path


def write(folder: Path, **files: str) -> Path:
    """Files by their names, in which `__` is a folder; the main one."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '.d/')}.toml"
        path.write_text(text, encoding="utf-8")
    return folder / "rota.toml"


def loaded(folder: Path, **files: str) -> Config:
    return load(write(folder, **files), {"HERE": "there"})


def faults(folder: Path, **files: str) -> list[ConfigFault]:
    with pytest.raises(ConfigInvalid) as told:
        loaded(folder, **files)
    return told.value.faults


def task(name: str, more: str = "") -> str:
    return f'[tasks.{name}]\nrun = "true"\n{more}\n'


def test_tasks_and_calendars_of_included_files_belong_to_the_configuration(folder: Path) -> None:
    config = loaded(
        folder,
        rota='include = ["conf.d/*.toml"]\n[defaults]\ntimeout = "9s"\n' + task("main", 'only = "work"'),
        conf__b=task("b") + '[calendars.work]\nweekdays = ["MON"]\n',
        conf__a=task("a", 'except = "work"\ncron = "@daily"'),
    )

    assert list(config.tasks) == ["main", "a", "b"]
    assert {each.timeout.total_seconds() for each in config.tasks.values() if each.timeout} == {9}
    assert set(config.calendars) == {"work"}


def test_relative_paths_begin_in_the_folder_of_the_file_that_says_them(folder: Path) -> None:
    (folder / "main.env").write_text("WHERE=main\n")
    (folder / "conf.d" / "own.env").write_text("WHERE=own\n")
    (folder / "conf.d" / "text").write_text("from beside\n")

    config = loaded(
        folder,
        rota='include = "conf.d/a.toml"\n[defaults]\nenv_file = "main.env"\n' + task("main"),
        conf__a=task("a") + task("b", 'env_file = "own.env"\nworking_dir = "sub"')
        + task("c", 'env = { T = "${file:text}" }'),
    )  # fmt: skip

    tasks = config.tasks
    assert tasks["main"].working_dir == str(folder)
    assert tasks["a"].working_dir == str(folder / "conf.d")
    assert tasks["b"].working_dir == str(folder / "conf.d" / "sub")
    assert [tasks[name].file_env["WHERE"].reveal() for name in ("a", "b")] == ["main", "own"]
    assert tasks["c"].env == {"T": "from beside"}


def test_the_folder_of_defaults_is_that_of_the_main_file(folder: Path) -> None:
    config = loaded(
        folder, rota='include = "conf.d/a.toml"\n[defaults]\nworking_dir = "work"\n', conf__a=task("a")
    )

    assert config.tasks["a"].working_dir == str(folder / "work")


def test_an_included_file_includes_others(folder: Path) -> None:
    config = loaded(folder, rota='include = "conf.d/a.toml"\n', conf__a='include = ["more/*"]\n' + task("a"))
    assert set(config.tasks) == {"a"}

    (folder / "conf.d" / "more").mkdir()
    (folder / "conf.d" / "more" / "x.toml").write_text(task("x"))
    (folder / "conf.d" / "more" / ".hidden").write_text("nonsense")
    assert set(load(folder / "rota.toml").tasks) == {"a", "x"}


def test_a_pattern_may_match_nothing_and_a_path_may_not(folder: Path) -> None:
    assert loaded(folder, rota='include = "nowhere/*.toml"\n' + task("a")).tasks.keys() == {"a"}

    [fault] = faults(folder, rota='include = [\n  "none.toml",\n]\n')

    assert (fault.file, fault.line, fault.column) == (str(folder / "rota.toml"), 2, 3)
    assert fault.message == f"there is no file {folder / 'none.toml'}"


def test_of_a_list_that_thing_is_told_which_includes_nothing(folder: Path) -> None:
    [fault, nul] = faults(
        folder, rota='include = "conf.d/a.toml"\n', conf__a='include = ["b*", 3, "a\\u0000"]\n' + task("a")
    )

    assert (fault.file, fault.line) == (str(folder / "conf.d" / "a.toml"), 1)
    assert (fault.key, "the number 3 includes nothing" in fault.message) == ("include[1]", True)
    assert nul.key == "include[2]"


def test_a_folder_is_included_by_a_pattern(folder: Path) -> None:
    [fault] = faults(folder, rota='include = "conf.d"\n')

    assert fault.message == f"{folder / 'conf.d'} is a folder"
    assert fault.allowed == "the files in it, such as conf.d/*.toml"


def test_a_file_that_two_patterns_match_is_included_once(folder: Path) -> None:
    (folder / "link.toml").symlink_to(folder / "conf.d" / "a.toml")
    include = 'include = ["conf.d/*", "conf.d/a.toml", "link.toml"]\n'

    assert set(loaded(folder, rota=include, conf__a=task("a")).tasks) == {"a"}


def test_a_name_in_two_files_is_a_fault_that_names_both_places(folder: Path) -> None:
    [first, second] = faults(
        folder,
        rota='include = "conf.d/*"\n' + task("a"),
        conf__a="# mine\n" + task("a") + '[calendars.x]\nweekdays = ["MON"]\n',
        conf__b='[calendars.x]\nweekdays = ["TUE"]\n',
    )

    assert (first.place, first.key) == (f"{folder / 'conf.d/a.toml'}:2:8", "tasks.a")
    assert first.message == f'there is a "a" already, at {folder / "rota.toml"}:2:8'
    assert (second.place, second.key) == (f"{folder / 'conf.d/b.toml'}:1:12", "calendars.x")
    assert str(folder / "conf.d/a.toml") in second.message


def test_faults_are_told_of_all_files_at_once_each_in_its_own(folder: Path) -> None:
    found = faults(
        folder,
        rota='include = "conf.d/*"\n' + task("m", 'cron = "nonsense"'),
        conf__a=task("a", 'rnu = 1\nenv = { A = "${NOT_SET}" }')
        + '[server]\nport = 1\n[tusks.b]\nrun = "x"\n',
        conf__b=task("b", 'only = "nowhere"\nenv_file = "none.env"'),
        conf__c="[tasks.c\n",
        conf__d="tasks = 3\ninclude = 3\n",
    )

    told = {(fault.file.removeprefix(f"{folder}/"), fault.line, fault.key) for fault in found}
    assert told == {
        ("rota.toml", 4, "tasks.m.cron"),
        ("conf.d/a.toml", 3, "tasks.a.rnu"),
        ("conf.d/a.toml", 4, "tasks.a.env.A"),
        ("conf.d/a.toml", 5, "server"),
        ("conf.d/a.toml", 7, "tusks"),
        ("conf.d/b.toml", 3, "tasks.b.only"),
        ("conf.d/b.toml", 4, "tasks.b.env_file"),
        ("conf.d/c.toml", 1, None),
        ("conf.d/d.toml", 1, "tasks"),
        ("conf.d/d.toml", 2, "include"),
    }
    assert next(fault.nearest for fault in found if fault.key == "tusks") == "tasks"


def test_warnings_name_their_file_too(folder: Path) -> None:
    [warning] = loaded(
        folder, rota='include = "conf.d/*"\n' + task("m"), conf__a=task("a", 'jitter = "5s"')
    ).warnings

    assert warning.place == f"{folder / 'conf.d/a.toml'}:3:1"


@pytest.mark.parametrize(
    ("rota", "a", "file", "said"),
    [
        ('include = "*.toml"\n', "", "rota.toml", "includes itself"),
        ('include = "conf.d/*"\n', 'include = "a.toml"\n', "conf.d/a.toml", "includes itself"),
        ('include = "conf.d/*"\n', 'include = "../*.toml"\n', "conf.d/a.toml", "a file that includes it"),
    ],
)
def test_files_that_include_each_other_in_a_circle_are_refused(
    folder: Path, rota: str, a: str, file: str, said: str
) -> None:
    [fault] = faults(folder, rota=rota, conf__a=a)

    assert (fault.file, fault.line, fault.key) == (str(folder / file), 1, "include")
    assert said in fault.message


@pytest.mark.parametrize("include", ["3", '[""]', "[1]", "{}"])
def test_what_cannot_be_included_is_told_once(folder: Path, include: str) -> None:
    assert {fault.line for fault in faults(folder, rota=f"include = {include}\n")} == {1}


def test_the_managed_file_is_a_part_of_the_configuration_once_it_is_there(folder: Path) -> None:
    main = '[server]\nmanaged_file = "agents.toml"\n' + task("m")

    config = loaded(folder, rota=main)
    assert set(config.tasks) == {"m"}
    assert config.server.managed_file == str(folder / "agents.toml")

    assert set(loaded(folder, rota=main, agents=task("x")).tasks) == {"m", "x"}
    [fault] = faults(folder, rota=main, agents=task("x", 'cron = "nonsense"'))
    assert fault.file == str(folder / "agents.toml")
    assert set(loaded(folder, rota='include = "a*.toml"\n' + main, agents=task("x")).tasks) == {"m", "x"}


def test_all_that_was_read_or_looked_for_is_named_also_when_there_are_faults(folder: Path) -> None:
    (folder / "key").write_text("hunter2")
    text = 'include = ["conf.d/*", "none.toml"]\n[server]\nmanaged_file = "agents.toml"\n'
    main = text + task("m", 'env = { A = "${file:key}" }\nenv_file = "m.env"')

    with pytest.raises(ConfigInvalid) as told:
        loaded(folder, rota=main, conf__a=task("a"))

    watched = told.value.watched
    names = {os.path.relpath(path, folder) for path in watched.files}
    assert names == {"rota.toml", "conf.d/a.toml", "none.toml", "agents.toml", "key", "m.env"}
    assert watched.patterns == (str(folder / "conf.d/*"),)


def test_a_mark_is_another_when_the_content_is_however_that_came(folder: Path) -> None:
    (folder / "v1").mkdir()
    (folder / "v2").mkdir()
    for version in ("v1", "v2"):
        (folder / version / "rota.toml").write_text(task("a"))
    (folder / "data").symlink_to("v1")
    (folder / "rota.toml").symlink_to("data/rota.toml")
    watched = load(folder / "rota.toml").watched

    seen = [marks(watched)]
    (folder / "new").symlink_to("v2")
    (folder / "new").rename(folder / "data")  # as Kubernetes does
    seen.append(marks(watched))
    (folder / "draft").write_text(task("b"))
    (folder / "draft").rename(folder / "v2" / "rota.toml")  # as editors do
    seen.append(marks(watched))
    (folder / "v2" / "rota.toml").unlink()
    seen.append(marks(watched))

    assert all(earlier != later for earlier, later in pairwise(seen))
    assert marks(watched) == seen[-1]
