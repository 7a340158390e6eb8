"""Secrets in the keeper: hidden in logs before the disk, and in no file of it, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from keeper_probe import Probe

from rota.keeper.finding import find_keeper, shutdown_keeper, upgrade_keeper
from rota.model.input import Input
from rota.model.task import Stdin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SECRETS = ("hunter2-and-more", "swordfish")


@pytest.fixture
async def probe(tmp_path: Path) -> AsyncIterator[Probe]:
    probe = await Probe(tmp_path).connect()
    yield probe
    await probe.disconnect()
    await shutdown_keeper(tmp_path)


def files_with(folder: Path, text: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text in path.read_bytes()]


async def test_both_streams_are_hidden_before_they_reach_the_disk(probe: Probe) -> None:
    run = probe.shell(
        "echo a hunter2-and-more b; echo swordfishswordfish >&2; printf hunter2-and", secrets=SECRETS
    )

    await probe.until_ended(run)

    log = probe.log(run)
    assert log.replace(b"[redacted][redacted]\n", b"") == b"a [redacted] b\nhunter2-and"
    assert files_with(probe.data, b"swordfish") == []


async def test_a_secret_that_comes_in_two_reads_is_hidden_also_over_a_re_execution(probe: Probe) -> None:
    run = probe.shell(
        "printf 'begun hunter2-'; touch come; while [ ! -e go ]; do sleep 0.02; done; "
        "printf 'and-more ended'; echo swordfish >&2",
        secrets=SECRETS, cwd=str(probe.data),
    )  # fmt: skip
    async with asyncio.timeout(30):
        while not (probe.data / "come").exists() or probe.log(run) != b"begun ":
            await asyncio.sleep(0.005)

    await probe.disconnect()
    link = await find_keeper(probe.data)
    await upgrade_keeper(link, probe.data)
    await link.close()
    (probe.data / "go").touch()
    again = await Probe(probe.data).connect()
    await again.until_ended(run)
    await again.disconnect()

    assert probe.log(run).replace(b"[redacted]\n", b"") == b"begun [redacted] ended"
    for secret in SECRETS:
        assert files_with(probe.data, secret[:8].encode()) == []


async def test_one_that_is_sent_as_input_is_hidden_where_the_log_quotes_it(probe: Probe) -> None:
    run = probe.shell("read -r line; echo $line", secrets=SECRETS, stdin=Stdin.PIPE)
    await probe.until_started(run)

    await probe.link.send_input(run, Input(data=b"so hunter2-and-more it is\n"), "a test")
    await probe.until_ended(run)

    assert probe.words(run) == "a test sent 'so [redacted] it is\\n'\n"
    assert probe.log(run) == b"so [redacted] it is\n"


async def test_the_keeper_writes_secrets_down_nowhere(probe: Probe) -> None:
    env = {"PATH": "/usr/bin:/bin", "TOKEN": SECRETS[0]}
    runs = [
        probe.shell("echo up; sleep 1000", env=env, secrets=SECRETS),
        probe.spawn("/no/such/program", env=env, secrets=SECRETS),
        probe.shell("true", env=env | {"ODD": "\ud800" + SECRETS[1]}, secrets=SECRETS),
        probe.shell("true", env=env | {"ODD": "\0" + SECRETS[1]}, secrets=SECRETS),
    ]
    await probe.until_written(runs[0], b"up")
    for run in runs[1:]:
        await probe.until_ended(run)

    assert files_with(probe.data, runs[0].encode())  # the keeper's journal
    for secret in SECRETS:
        assert files_with(probe.data, secret.encode()) == []
        assert secret not in str([ended.ending.message for ended in probe.ended.values()])
