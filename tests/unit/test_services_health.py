"""What checks find, what that means for a life, and what of a definition a process can see."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rota.engine.services import definition, probe
from rota.engine.services.checking import Finding, after_check, filled
from rota.engine.services.definition import Redefinition, fingerprint, redefinition
from rota.engine.services.instance import Life
from rota.model.run import RunId
from rota.model.secret import Secret
from rota.model.service import HealthCheck, Service
from rota.model.task import Task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LIFE = Life(run_id=RunId("r"), began=0.0, checking=True)
CHECK = HealthCheck(tcp="127.0.0.1:1", interval=timedelta(seconds=10))


# --- what a check means


def test_a_check_that_passes_ends_a_row_of_failures() -> None:
    after = after_check(CHECK, replace(LIFE, misses=2), Finding(passed=True), 5.0)

    assert (after.passed, after.misses, after.checking) == (True, 0, False)


def test_failures_add_up() -> None:
    once = after_check(CHECK, LIFE, Finding(passed=False), 5.0)
    twice = after_check(CHECK, once, Finding(passed=False), 6.0)

    assert (twice.misses, twice.passed) == (2, False)


def test_a_check_that_could_not_be_made_says_nothing() -> None:
    before = replace(LIFE, misses=2, passed=True)

    after = after_check(CHECK, before, Finding(passed=None), 5.0)

    assert (after.misses, after.passed, after.checking) == (2, True, False)


def test_until_it_is_healthy_it_is_looked_at_each_second_and_then_each_interval() -> None:
    young = after_check(CHECK, LIFE, Finding(passed=False), 5.0)
    grown = after_check(CHECK, replace(LIFE, was_healthy=True), Finding(passed=True), 5.0)
    brisk = after_check(replace(CHECK, interval=timedelta(seconds=0.2)), LIFE, Finding(passed=False), 5.0)

    assert (young.next_check, grown.next_check, brisk.next_check) == (6.0, 15.0, 5.2)


def test_a_check_finds_its_index_and_port_and_keeps_other_braces() -> None:
    assert filled("awk '{print}' {index} {port} {x}", index=3, port=8003) == "awk '{print}' 3 8003 {x}"


# --- connections and requests


@asynccontextmanager
async def serve(answer: bytes | None, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A port at which every connection is answered so, or with silence."""
    speaking: list[asyncio.Task[None]] = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await (reader.read() if answer is None else reader.readuntil(b"\r\n\r\n"))
            writer.write(answer or b"")
            await writer.drain()
        writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        speaking.append(asyncio.create_task(speak(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]
    await asyncio.gather(*speaking)
    await asyncio.sleep(0)


async def test_who_accepts_a_connection_is_well() -> None:
    async with serve(None) as port:
        assert await probe.tcp(f"127.0.0.1:{port}", 5) == Finding(passed=True)


async def test_where_nobody_listens_it_says_so() -> None:
    async with serve(None) as port:
        pass

    found = await probe.tcp(f"127.0.0.1:{port}", 5)

    assert found.passed is False
    assert found.message is not None
    assert found.message.startswith(f"127.0.0.1:{port}: ")
    assert "refused" in found.message.lower() or "Connect call failed" in found.message


@pytest.mark.parametrize(
    ("status", "passed"), [("200 OK", True), ("204 No Content", True), ("302 Found", True), ("399", True),
                           ("404 Not Found", False), ("500 Oh", False), ("199 Hm", False)]
)  # fmt: skip
async def test_the_status_of_an_answer_decides(status: str, passed: bool) -> None:
    async with serve(f"HTTP/1.1 {status}\r\n\r\n".encode()) as port:
        found = await probe.http(f"http://127.0.0.1:{port}/health", 5)

    assert found.passed is passed
    assert found.message == (None if passed else f"http://127.0.0.1:{port}/health answers {status[:3]}")


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"x" * 100_000])
async def test_who_does_not_speak_http_is_not_well(answer: bytes) -> None:
    async with serve(answer) as port:
        assert (await probe.http(f"http://127.0.0.1:{port}/", 5)).passed is False


async def test_who_is_silent_for_too_long_is_not_well() -> None:
    async with serve(None) as port:
        found = await probe.http(f"http://127.0.0.1:{port}/", 0.05)

    assert found == Finding(passed=False, message=f"http://127.0.0.1:{port}/ has not answered within 0.05 s")


async def test_a_certificate_of_ones_own_will_do(tmp_path: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=elsewhere"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    async with serve(b"HTTP/1.1 200 OK\r\n\r\n", context) as port:
        assert await probe.http(f"https://127.0.0.1:{port}/", 5) == Finding(passed=True)


# --- definitions


def service(name: str = "web", life: dict[str, object] | None = None, **fields: object) -> Service:
    return Service(life=Task(**{"name": name, "run": "serve", **(life or {})}), **fields)  # type: ignore[arg-type]


SAME = service(life={"env": {"A": "1", "B": "2"}, "secrets": {"K": Secret("hunter22")}})


@pytest.mark.parametrize(
    "other",
    [
        service(life={"env": {"B": "2", "A": "1"}, "secrets": {"K": Secret("hunter22")}}),
        replace(SAME, life=replace(SAME.life, description="x", grace=timedelta(9), keep_runs=1)),
        replace(SAME, restart_attempts=1, instances=5, health=CHECK, depends_on=("x",), autostart=False),
    ],
)
def test_what_its_processes_do_not_see_restarts_nothing(other: Service) -> None:
    assert fingerprint(other, {}) == fingerprint(SAME, {})
    assert redefinition({"web": SAME}, {"web": other}).restarted == ()


@pytest.mark.parametrize(
    "other",
    [
        replace(SAME, life=replace(SAME.life, run="serve --more")),
        replace(SAME, life=replace(SAME.life, env={"A": "1"})),
        replace(SAME, life=replace(SAME.life, secrets={"K": Secret("hunter23")})),
        replace(SAME, life=replace(SAME.life, user="www-data")),
        replace(SAME, port=8000),
        replace(SAME, health=HealthCheck(notify=True)),
    ],
)
def test_what_they_see_restarts_them(other: Service) -> None:
    digests = [{"secrets.K": each.life.secrets["K"].reveal()} for each in (SAME, other)]

    assert fingerprint(other, digests[1]) != fingerprint(SAME, digests[0])
    assert redefinition({"web": SAME}, {"web": other}).restarted == ("web",)


def test_how_often_it_has_to_say_that_it_lives_is_seen_by_its_processes() -> None:
    often, seldom = (service(health=HealthCheck(notify=True, retries=retries)) for retries in (1, 3))

    assert redefinition({"web": seldom}, {"web": often}).restarted == ("web",)


def test_a_key_that_an_earlier_version_did_not_know_restarts_nothing_by_its_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = fingerprint(SAME, {})

    monkeypatch.setattr(definition, "_UNSEEN", definition._UNSEEN | {"umask"})
    earlier = fingerprint(SAME, {})

    assert now == earlier
    monkeypatch.undo()
    assert fingerprint(replace(SAME, life=replace(SAME.life, umask=0o27)), {}) != earlier


def test_the_way_from_one_file_to_another_is_told() -> None:
    before = {"a": service("a"), "b": service("b"), "c": service("c"), "d": service("d")}
    after = {
        "b": service("b", instances=3),
        "c": service("c", life={"run": "other"}),
        "d": service("d"),
        "e": service("e"),
    }

    assert redefinition(before, after) == Redefinition(
        added=("e",), removed=("a",), restarted=("c",), scaled=("b",), changed=("b", "c")
    )
