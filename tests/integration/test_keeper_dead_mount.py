"""A network mount that never answers freezes the run that touches it, and no other."""

from __future__ import annotations

import asyncio
import ctypes
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from keeper_probe import Probe, is_alive

from rota.keeper.finding import shutdown_keeper
from rota.model.run import Cause

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/dev/fuse").exists(),
    reason="needs root and /dev/fuse to make a dead mount",
)


@pytest.fixture
async def probe(tmp_path: Path) -> AsyncIterator[Probe]:
    (tmp_path / "data").mkdir()
    probe = await Probe(tmp_path / "data").connect()
    yield probe
    await probe.disconnect()
    await shutdown_keeper(probe.data)


@pytest.fixture
def dead(tmp_path: Path) -> Iterator[DeadMount]:
    mount = DeadMount(tmp_path / "dead")
    yield mount
    mount.revive()


class DeadMount:
    """A FUSE file system whose server never answers: every look at it hangs, as on a dead NFS server."""

    def __init__(self, where: Path) -> None:
        self.path = where
        where.mkdir()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fuse = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self._fuse},rootmode=40000,user_id=0,group_id=0".encode()
        if self._libc.mount(b"dead", os.fsencode(where), b"fuse.dead", 0, options):
            os.close(self._fuse)
            pytest.skip(f"cannot mount: {os.strerror(ctypes.get_errno())}")

    def revive(self) -> None:
        """What hangs on it gets an error now; a second time is fine."""
        if self._fuse >= 0:
            os.close(self._fuse)
            self._fuse = -1
            self._libc.umount2(os.fsencode(self.path), 2)


async def test_a_working_folder_that_hangs_freezes_only_its_own_run(probe: Probe, dead: DeadMount) -> None:
    hung = probe.spawn("true", cwd=str(dead.path / "folder"))

    others = [probe.shell(f"echo {n}; exit {n}") for n in range(5)]
    ends = [await probe.until_ended(run) for run in others]

    assert [end.ending.exit_code for end in ends] == [0, 1, 2, 3, 4]
    assert hung not in probe.ended
    dead.revive()
    ended = await probe.until_ended(hung)
    assert ended.ending.cause is Cause.START_FAILED
    assert "cannot enter the working folder" in str(ended.ending.message)


async def test_a_program_that_hangs_freezes_only_its_own_run(
    probe: Probe, dead: DeadMount, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(dead.path)
    script = tmp_path / "script"
    script.write_text(f"#!{dead.path}/interpreter\n")
    script.chmod(0o755)
    hung = [
        probe.spawn(str(dead.path / "program")),
        probe.spawn(str(tmp_path / "link" / "program")),
        probe.spawn("program", env={"PATH": f"/usr/bin:{dead.path}"}),
        probe.spawn(str(script)),
    ]

    assert (await probe.until_ended(probe.shell("exit 3"))).ending.exit_code == 3
    assert not any(run in probe.ended for run in hung)

    dead.revive()
    ends = [await probe.until_ended(run) for run in hung]
    assert {end.ending.cause for end in ends} == {Cause.START_FAILED}


async def test_a_stop_of_a_hanging_start_ends_it_when_the_kernel_lets_go(
    probe: Probe, dead: DeadMount
) -> None:
    hung = probe.spawn("true", cwd=str(dead.path))
    await probe.until_ended(probe.spawn("true"))

    probe.link.stop(hung, "a test")
    dead.revive()

    ended = await probe.until_ended(hung)
    assert ended.ending.cause in (Cause.STOPPED, Cause.START_FAILED)
    async with asyncio.timeout(10):
        while ended.pid is not None and is_alive(ended.pid):
            await asyncio.sleep(0.01)
