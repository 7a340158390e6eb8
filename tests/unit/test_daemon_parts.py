"""The daemon's parts: the data folder, its lock and token, the sockets, and the process's name."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rota.cli import locks
from rota.daemon import folder, listening, systemd
from rota.daemon.naming import named
from rota.daemon.token import token_of
from rota.keeper import address
from rota.model.error import Unusable


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_data_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "a" / "b"

    folder.prepare(data)

    assert mode(data) == 0o700


def test_a_data_folder_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    folder.prepare(tmp_path)

    assert mode(tmp_path) == 0o700


@pytest.mark.parametrize("open_to", [0o770, 0o702])
def test_a_data_folder_that_others_may_write_is_refused(tmp_path: Path, open_to: int) -> None:
    tmp_path.chmod(open_to)

    with pytest.raises(Unusable, match="chmod 700"):
        folder.prepare(tmp_path)


def test_a_data_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Unusable, match="choose another with --data"):
        folder.prepare(tmp_path / "file" / "data")
    with pytest.raises(Unusable, match="is a file; choose a data folder"):
        folder.prepare(tmp_path / "file")


@pytest.mark.parametrize(
    ("name", "says"), [("x" * 200 + "/" + "y" * 250 + "/" + "z" * 40, "SQLite"), ("a\udcff", "UTF-8")]
)
def test_a_data_folder_that_the_database_cannot_lie_in_is_refused(name: str, says: str) -> None:
    with pytest.raises(Unusable, match=says):
        folder.prepare(Path("/tmp") / name)


def test_a_path_of_the_greatest_length_holds_a_database(tmp_path: Path) -> None:
    room = folder.LONGEST - len(os.fsencode(tmp_path)) - 2
    data = tmp_path / ("x" * (room // 2)) / ("y" * (room - room // 2))
    assert len(os.fsencode(data)) == folder.LONGEST

    folder.prepare(data)

    with closing(sqlite3.connect(data / "rota.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE t (x)")


def test_a_full_disk_is_told_before_anything_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)

    with pytest.raises(Unusable, match="No space left on device"):
        folder.hold(tmp_path)


def test_one_process_holds_the_lock_and_the_next_is_told_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "PATIENCE", 0.0)

    folder.hold(tmp_path)

    with pytest.raises(Unusable, match=str(os.getpid())):
        folder.hold(tmp_path)


def test_the_lock_is_held_until_the_process_is_gone(tmp_path: Path) -> None:
    program = """if True:
        import atexit, pathlib, sys
        from rota.cli import locks
        from rota.daemon import folder

        data = pathlib.Path(sys.argv[1])
        atexit.register(lambda: print(locks.is_held(data, locks.SERVER)))
        folder.hold(data)
    """

    said = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    ).stdout

    assert said == "True\n"
    assert not locks.is_held(tmp_path, locks.SERVER)


def test_a_token_is_made_once_and_is_a_secret(tmp_path: Path) -> None:
    token = token_of(tmp_path)

    assert token_of(tmp_path) == token
    assert len(token) >= 43  # 32 random bytes
    assert mode(tmp_path / "token") == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["token"]


@pytest.mark.parametrize("content", ["", "short", "x" * 40 + " y", "ä" * 40])
def test_a_token_that_is_no_secret_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "token"
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(Unusable, match="token"):
        token_of(tmp_path)


def test_a_token_that_others_may_read_is_refused(tmp_path: Path) -> None:
    token_of(tmp_path)
    (tmp_path / "token").chmod(0o640)

    with pytest.raises(Unusable, match="delete it"):
        token_of(tmp_path)


def test_the_unix_socket_is_the_owners_at_any_depth_and_gone_afterwards(tmp_path: Path) -> None:
    data = tmp_path.joinpath(*["deep" * 10] * 5)
    data.mkdir(parents=True)
    path = data / listening.SOCKET

    for _ in range(2):  # the second time over a socket that was left behind
        with listening.unix(data):
            assert mode(path) == 0o600
            address.connect(str(path)).close()
        assert not path.exists()
        path.touch()


def test_a_free_port_is_found_and_one_in_use_is_told() -> None:
    with listening.tcp("127.0.0.1", 0) as sockets:
        port = listening.port_of(sockets)
        socket.create_connection(("127.0.0.1", port)).close()

        told = rf"port {port} on 127.0.0.1 is in use.*--port"
        with pytest.raises(Unusable, match=told), listening.tcp("127.0.0.1", port):
            pass


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "8.8.8.8"])
def test_only_this_machine_is_listened_to(host: str) -> None:
    with pytest.raises(Unusable, match="this machine"), listening.tcp(host, 0):
        pass


def test_localhost_is_every_loopback_address_at_one_port() -> None:
    with listening.tcp("localhost", 0) as sockets:
        assert len({sock.getsockname()[1] for sock in sockets}) == 1


def test_a_url_has_brackets_where_they_belong() -> None:
    assert listening.url_of("127.0.0.1", 1) == "http://127.0.0.1:1"
    assert listening.url_of("::1", 1) == "http://[::1]:1"


@pytest.mark.parametrize("argv", [["rota", "serve", "--data", "/d"], ["rota", "--data=/d", "serve"]])
def test_a_command_line_that_names_the_folder_stays(argv: list[str]) -> None:
    assert named(["python", *argv], argv, config=None, data=Path("/d"), host=None, port=None) is None


@pytest.mark.parametrize(
    ("original", "argv"),
    [
        (["python", "/bin/rota", "serve", "--data", "d"], ["/bin/rota", "serve", "--data", "d"]),
        (["python", "/bin/rota", "serve"], ["/bin/rota", "serve"]),
    ],
)
def test_a_command_line_that_does_not_is_said_in_full(original: list[str], argv: list[str]) -> None:
    words = named(original, argv, config=Path("/c.toml"), data=Path("/d"), host=None, port=0)

    assert words == [
        sys.executable, "/bin/rota", "serve", "--config", "/c.toml", "--data", "/d", "--port", "0",
    ]  # fmt: skip


def test_a_module_is_named_as_a_module() -> None:
    words = named(
        ["python", "-m", "rota", "serve"], ["/x/rota/__main__.py", "serve"],
        config=None, data=Path("/d"), host="::1", port=None,
    )  # fmt: skip

    assert words == [sys.executable, "-m", "rota", "serve", "--data", "/d", "--host", "::1"]


def test_systemd_is_told_when_it_wants_to_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", path)

        systemd.notify("READY=1")

        assert listener.recv(100) == b"READY=1"
    systemd.notify("STOPPING=1")  # nobody listens any more
    monkeypatch.delenv("NOTIFY_SOCKET")
    systemd.notify("READY=1")


def test_a_unit_that_would_kill_the_runs_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    systemctl = tmp_path / "systemctl"
    systemctl.write_text("#!/bin/sh\necho control-group\n")
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")

    asyncio.run(systemd.warn_of_kill_mode())
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("SYSTEMD_EXEC_PID", str(os.getpid()))
    asyncio.run(systemd.warn_of_kill_mode())

    assert "KillMode=process" in capsys.readouterr().out
