"""Control groups: where they may be made, what is written into them, and who holds a limit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rota.keeper import cgroup
from rota.keeper.cgroup import Cgroups, base, held_by, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    Machine = Callable[..., tuple[str, Path]]

ALL = frozenset({"memory", "cpu", "pids"})
LIMITS = {"memory_max": 64_000_000, "cpu_max": 0.5, "tasks_max": 10}
FILES = (
    *("cgroup.procs", "cgroup.kill", "cgroup.subtree_control", "cgroup.type", "memory.max", "memory.events"),
    *("memory.swap.max", "memory.oom.group", "cpu.max", "pids.max"),
)


class Kernel:
    """What the kernel does with folders of control groups, as far as files can: it fills and empties them."""

    def __init__(self, top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.top = top
        self.busy: set[str] = set()
        self._mkdir, self._rmdir = os.mkdir, os.rmdir
        monkeypatch.setattr(os, "mkdir", self.mkdir)
        monkeypatch.setattr(os, "rmdir", self.rmdir)

    def mkdir(self, path: str, mode: int = 0o777) -> None:
        self._mkdir(path, mode)
        for name in FILES:
            with open(f"{path}/{name}", "w"):
                pass

    def rmdir(self, path: str) -> None:
        if path in self.busy or any(entry.is_dir() for entry in os.scandir(path)):
            raise OSError(16, "Device or resource busy")
        for entry in os.scandir(path):
            os.unlink(entry.path)
        self._rmdir(path)


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel(tmp_path / "top", monkeypatch)
    os.mkdir(kernel.top)
    monkeypatch.setattr(cgroup, "_enable", lambda _: ALL)
    return kernel


def test_a_controller_holds_its_limit_and_only_its_own() -> None:
    assert held_by(LIMITS, ALL, 1000) == dict.fromkeys(LIMITS, "cgroup")
    assert held_by(LIMITS, frozenset({"cpu"}), 1000) == {
        "memory_max": "rlimit", "cpu_max": "cgroup", "tasks_max": "rlimit",
    }  # fmt: skip


def test_without_controllers_nothing_holds_a_share_of_processors_nor_the_tasks_of_root() -> None:
    assert held_by(LIMITS, frozenset(), 0) == {
        "memory_max": "rlimit", "cpu_max": "nothing", "tasks_max": "nothing",
    }  # fmt: skip
    assert held_by(LIMITS, frozenset(), 1000)["tasks_max"] == "rlimit"


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        (
            *("memory_max", 64_000_000),
            [("memory.max", "64000000"), ("memory.swap.max", "0"), ("memory.oom.group", "1")],
        ),
        ("cpu_max", 0.5, [("cpu.max", "50000 100000")]),
        ("cpu_max", 2.0, [("cpu.max", "200000 100000")]),
        ("cpu_max", 0.001, [("cpu.max", "1000 100000")]),
        ("tasks_max", 10, [("pids.max", "10")]),
    ],
)  # fmt: skip
def test_a_limit_is_written_as_the_kernel_reads_it(
    name: str, value: float, written: list[tuple[str, str]]
) -> None:
    assert [(file, text) for file, text, _ in settings(name, value)] == written


def test_a_run_gets_a_group_with_its_limits_which_goes_with_it(kernel: Kernel, tmp_path: Path) -> None:
    groups = Cgroups(str(tmp_path), str(kernel.top))

    leaf, held = groups.make("a-run", LIMITS, 0)

    assert leaf == groups.leaf("a-run")
    assert held == dict.fromkeys(LIMITS, "cgroup")
    assert leaf is not None
    assert {name: Path(leaf, name).read_text() for name in ("memory.max", "cpu.max", "pids.max")} == {
        "memory.max": "64000000", "cpu.max": "50000 100000", "pids.max": "10",
    }  # fmt: skip

    groups.remove(leaf)

    assert not os.path.exists(leaf)
    assert groups.left == []


def test_a_limit_that_the_kernel_refuses_is_held_otherwise(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = cgroup._write
    monkeypatch.setattr(cgroup, "_write", lambda path, text: "memory.max" not in path and write(path, text))

    leaf, held = Cgroups(str(tmp_path), str(kernel.top)).make("a-run", LIMITS, 0)

    assert leaf is not None
    assert held == {"memory_max": "rlimit", "cpu_max": "cgroup", "tasks_max": "cgroup"}


def test_a_group_in_which_something_was_left_alone_goes_when_it_is_empty(
    kernel: Kernel, tmp_path: Path
) -> None:
    groups = Cgroups(str(tmp_path), str(kernel.top))
    leaf, _ = groups.make("a-run", LIMITS, 0)
    assert leaf is not None
    kernel.busy.add(leaf)

    groups.remove(leaf)
    groups.tidy()

    assert groups.left == [leaf]

    kernel.busy.clear()
    groups.tidy()

    assert groups.left == []
    assert not os.path.exists(leaf)


def test_groups_that_an_earlier_keeper_left_empty_are_swept_and_those_of_others_are_not(
    kernel: Kernel, tmp_path: Path
) -> None:
    leaf, _ = Cgroups(str(tmp_path), str(kernel.top)).make("a-run", LIMITS, 0)
    other, _ = Cgroups(str(tmp_path / "other"), str(kernel.top)).make("a-run", LIMITS, 0)
    assert leaf is not None
    assert other is not None
    os.mkdir(f"{leaf}/made-by-the-run")

    Cgroups(str(tmp_path), str(kernel.top)).sweep()

    assert not os.path.exists(os.path.dirname(leaf))
    assert os.path.exists(other)


def test_without_a_place_for_groups_there_are_none(tmp_path: Path) -> None:
    groups = Cgroups(str(tmp_path), None)

    assert groups.make("a-run", LIMITS, 1000) == (None, held_by(LIMITS, frozenset(), 1000))
    groups.sweep()


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ("low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\noom_group_kill 1\n", True),
        ("max 3\noom 1\noom_kill 0\n", False),
    ],
)
def test_a_kill_for_want_of_memory_is_read_from_the_events_of_the_group(
    tmp_path: Path, events: str, told: bool
) -> None:
    (tmp_path / "memory.events").write_text(events)

    assert cgroup.killed_for_memory(str(tmp_path)) is told
    assert cgroup.killed_for_memory(str(tmp_path / "gone")) is False


# --- the place


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A `/proc` and a tree of groups: ours is `own`; those in `given` are marked as delegated."""

    def make(own: str, *, given: tuple[str, ...] = (), container: bool = False) -> tuple[str, Path]:
        top = tmp_path / "sys fs"
        for folder in (top, *(top / part for part in (own.lstrip("/"), *given))):
            folder.mkdir(parents=True, exist_ok=True)
            while folder != tmp_path:
                (folder / "cgroup.procs").touch()
                if folder != top or container:
                    (folder / "cgroup.type").touch()
                folder = folder.parent
        for folder in given:
            os.setxattr(top / folder, "user.delegate", b"1")
        proc = tmp_path / "proc"
        (proc / "self").mkdir(parents=True)
        mount = str(top).replace(" ", "\\040")
        (proc / "self" / "mounts").write_text(f"proc /proc proc rw 0 0\ncgroup2 {mount} cgroup2 rw 0 0\n")
        (proc / "self" / "cgroup").write_text(f"4:memory:/x\n0::{own}\n")
        return str(proc), top

    return make


def test_below_a_unit_with_a_subgroup_the_units_own_group_is_the_place(
    machine: Machine,
) -> None:
    proc, top = machine("/system.slice/rota.service/server", given=("system.slice/rota.service",))

    assert base(proc, is_root=True) == f"{top}/system.slice/rota.service"
    assert base(proc, is_root=False) == f"{top}/system.slice/rota.service"


def test_in_a_unit_without_a_subgroup_root_has_the_top_and_another_only_the_unit(
    machine: Machine,
) -> None:
    proc, top = machine("/system.slice/rota.service", given=("system.slice/rota.service",))

    assert base(proc, is_root=True) == str(top)
    assert base(proc, is_root=False) == f"{top}/system.slice/rota.service"


def test_in_a_container_that_has_moved_us_aside_its_top_is_the_place(
    machine: Machine,
) -> None:
    proc, top = machine("/init", container=True)

    assert base(proc, is_root=True) == str(top)


def test_what_is_nobodys_gift_is_not_taken(machine: Machine) -> None:
    proc, _ = machine("/user.slice/session-1.scope")

    assert base(proc, is_root=False) is None


def test_a_machine_without_groups_of_version_2_has_no_place(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "mounts").write_text("cgroup /sys/fs/cgroup/memory cgroup rw 0 0\n")
    (tmp_path / "self" / "cgroup").write_text("4:memory:/x\n")

    assert base(str(tmp_path), is_root=True) is None
