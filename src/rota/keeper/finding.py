"""Finds the keeper of a data folder: launches one where none runs, and upgrades one of another version."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import rota
from rota.keeper import address
from rota.keeper.link import KeeperLink
from rota.keeper.protocol import PROTOCOL
from rota.model.error import Unusable

_HERE = Path(__file__).resolve().parent
_PYTHON = (sys.executable, "-I", "-S", "-X", "utf8")
_TRIES = 50
_PAUSE = 0.1  # seconds between tries, while an old keeper leaves or a new one begins


async def find_keeper(
    data: Path,
    *,
    launch: bool = True,
    upgrade: bool = True,
    descriptors: int | None = None,
) -> KeeperLink:
    """Connect to the keeper of `data`.

    Launches one when none runs, which first ends what a dead one left; has one of another version
    replace itself by this program's. `descriptors` is the soft limit that the programs of a keeper
    launched now get; None is ours. Raises Unusable when there is none to be had.
    """
    for _ in range(_TRIES):
        link = await _connect(data, launch=launch, descriptors=descriptors)
        try:
            if await link.greet():
                if upgrade and not _is_ours(link):
                    await upgrade_keeper(link, data)
                return link
        except BaseException:
            await link.close()
            raise
        await link.close()  # it was dying as it was called; the next try finds it gone
    raise Unusable(f"the keeper for {data} ends every connection; see keeper.log there")


async def upgrade_keeper(link: KeeperLink, data: Path) -> None:
    """Have the keeper become this program's version, with all its runs; Unusable when it cannot."""
    program = [*_PYTHON, str(_HERE / "main.py")]
    check = await asyncio.create_subprocess_exec(*program, "--check", stderr=asyncio.subprocess.PIPE)
    _, said = await check.communicate()
    if check.returncode:
        raise Unusable(f"this program's keeper does not start: {said.decode(errors='replace').strip()}")
    link.upgrade([*program, str(data)])
    for _ in range(_TRIES):
        if not await link.greet():
            raise Unusable(f"the keeper did not survive its upgrade; see {data / 'keeper.log'}")
        if _is_ours(link):
            return
        # The hello came along with the upgrade: the program before answered it.
        await asyncio.sleep(_PAUSE)
    raise Unusable(f"the keeper goes on as version {link.version}; see {data / 'keeper.log'}")


async def shutdown_keeper(data: Path) -> bool:
    """Have the keeper of `data` end every run and leave, without a server; False when none runs.

    The ends stay on file for the next server.
    """
    try:
        link = await _connect(data, launch=False)
    except Unusable:
        return False
    await link.shutdown()
    async for _ in link:
        continue
    await link.close()
    return True


async def _connect(data: Path, *, launch: bool, descriptors: int | None = None) -> KeeperLink:
    """A connection on which nothing was said yet."""
    for _ in range(_TRIES):
        try:
            sock = address.connect(os.fspath(data / "keeper.sock"))
            sock.setblocking(False)
            return KeeperLink(*await asyncio.open_unix_connection(sock=sock))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            if not launch:
                raise Unusable(f"no keeper runs for {data}") from error
        said = await _launch(data, descriptors)
        if said not in ("ready", "another keeper runs"):
            raise Unusable(f"the keeper for {data} does not start: {said or 'see keeper.log there'}")
        if said != "ready":
            await asyncio.sleep(_PAUSE)  # that one is about to listen, or about to leave
    raise Unusable(f"a keeper holds {data / 'keeper.lock'} but does not answer; see keeper.log there")


async def _launch(data: Path, descriptors: int | None) -> str:
    process = await asyncio.create_subprocess_exec(
        *_PYTHON,
        str(_HERE / "launch.py"),
        str(data),
        *(() if descriptors is None else ("--descriptors", str(descriptors))),
        env={"PATH": os.environ.get("PATH", os.defpath)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return said.decode(errors="replace").strip()


def _is_ours(link: KeeperLink) -> bool:
    return (link.version, link.protocol) == (rota.__version__, PROTOCOL)
