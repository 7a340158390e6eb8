"""Input to runs of the installed program: typed, piped, and held through the death of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from installed import until_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from installed import Installed

CONFIG = """
[tasks.count]
run = "while [ ! -e go ]; do sleep 0.02; done; wc -c"
stdin = true

[tasks.ask]
run = ["python3", "-c", "print('Hello ' + input('Name? ')); print(len(__import__('getpass').getpass()))"]
pty = true
"""


@pytest.fixture
def rota(lend: Callable[[str], Installed]) -> Installed:
    return lend(CONFIG)


def send(rota: Installed, run: dict[str, Any], **body: Any) -> dict[str, Any]:
    status, answer, _ = rota.http("POST", f"/api/runs/{run['id']}/input", body)
    return {"status": status, **answer}


def test_input_that_was_not_read_outlives_the_server(rota: Installed) -> None:
    run = rota.trigger("count")
    rota.until_running(run["id"])
    taken = send(rota, run, text="x" * 1_000_000)
    refused = send(rota, run, text="x" * 100_000)

    rota.kill()
    rota.start()
    more = send(rota, run, text="y")
    send(rota, run, close=True)
    (rota.folder / "go").touch()
    ended = rota.until_ended(run["id"])

    assert (taken["status"], taken["unread"]) == (200, 1_000_000)
    assert (refused["status"], refused["unread"]) == (409, 1_000_000)
    assert more["unread"] == 1_000_001
    assert (ended["end_reason"], rota.log(run["id"])) == ("success", "1000001\n")


def test_a_program_that_asks_in_a_terminal_is_answered_by_another_server(rota: Installed) -> None:
    run = rota.trigger("ask")
    until_true(lambda: "Name? " in rota.log(run["id"]), "it asks for a name")

    rota.kill()
    rota.start()
    send(rota, run, text="Ada", key=None)
    send(rota, run, key="enter")
    until_true(lambda: "Password: " in rota.log(run["id"]), "it asks for a password")
    send(rota, run, text="s3cr3t\n")
    ended = rota.until_ended(run["id"])

    assert ended["exit_code"] == 0
    assert "Hello Ada\r\n" in rota.log(run["id"])
    assert rota.log(run["id"]).endswith("6\r\n")
    kept = b"".join(path.read_bytes() for path in rota.data.rglob("*") if path.is_file())
    assert b"s3cr3t" not in kept
