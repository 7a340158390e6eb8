"""`make demo`: starts Rota on demo.toml, triggers a task over REST, and serves until Ctrl-C.

With ONCE=1 in the environment it ends after the first run. It needs nothing but the standard library
and the installed `rota` beside the interpreter that runs it.
"""
# ruff: noqa: T201, INP001 - a script that stands alone and talks to a person

from __future__ import annotations

import http.client
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

ROTA = Path(sys.executable).with_name("rota")
CONFIG = Path(__file__).with_name("demo.toml")
PORT = 9477
READY_WITHIN = 30.0
TASK = "hello"


class Failed(Exception):
    """The demo cannot go on; the text says what happened."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """A Rota that serves the demo."""

    process: subprocess.Popen[bytes]
    data: Path
    log: Path
    url: str = ""  #: known once it is ready

    @property
    def token(self) -> str:
        return (self.data / "token").read_text().strip()

    def ask(self, method: str, path: str) -> bytes:
        """The body of a 200 or 201; anything else fails the demo."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=90)
        try:
            connection.request(method, path, headers={"Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as fault:
            raise Failed(f"{method} {self.url}{path} broke off: {fault!r}\n{self.said()}") from fault
        finally:
            connection.close()
        if answer.status not in (200, 201):
            raise Failed(f"{method} {self.url}{path} was answered {answer.status}:\n{body.decode()}")
        return body

    def said(self) -> str:
        """The last lines of the server's log."""
        lines = self.log.read_text(errors="replace").splitlines()[-20:]
        return "\n".join(["The server's log ends with:", *lines]) if lines else "The server's log is empty."


def main() -> int:
    """Serve, show one run, and shut everything down again."""
    # Closing the terminal, or a plain `kill`, must shut down as cleanly as Ctrl-C does.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    try:
        with tempfile.TemporaryDirectory(prefix="rota-demo-") as folder, served(Path(folder)) as rota:
            show(rota)
            if os.environ.get("ONCE") == "1":
                print("\nONCE=1: shutting down.")
            else:
                serve(rota)
    except Failed as fault:
        print(f"demo: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted; everything is shut down", file=sys.stderr)
        return 130
    print("Everything is shut down.")
    return 0


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """A Rota that is ready; afterwards its runs, its keeper and itself are gone."""
    if not ROTA.exists():
        raise Failed(f"there is no {ROTA}; run `make setup` first")
    data, log = folder / "data", folder / "server.log"
    where = ["--data", str(data), "--port", str(PORT), "--any-port"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(ROTA), "serve", "--config", str(CONFIG), *where],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment(),
            start_new_session=True,  # Ctrl-C is for the demo, which then shuts down in order
        )
    rota = Served(process=process, data=data, log=log)
    try:
        yield replace(rota, url=await_ready(rota))
    finally:
        shut_down(rota)


def await_ready(rota: Served) -> str:
    """Where it serves, once it is well."""
    deadline = time.monotonic() + READY_WITHIN
    while True:
        if rota.process.poll() is not None:
            raise Failed(f"`rota serve` ended with code {rota.process.returncode}.\n{rota.said()}")
        status = ask_rota(rota, "status", "--json")
        if status.returncode == 0:
            url: str = json.loads(status.stdout)["server"]["url"]
            return url
        if time.monotonic() > deadline:
            raise Failed(f"Rota was not ready after {READY_WITHIN:.0f} s.\n{rota.said()}")


def ask_rota(rota: Served, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line, out of the reach of Ctrl-C."""
    return subprocess.run(
        [str(ROTA), *words, "--data", str(rota.data)],
        env=environment(),
        start_new_session=True,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def show(rota: Served) -> None:
    """Trigger a task, wait for its end, and print what came of it."""
    print(f"Rota serves {CONFIG.name} at {rota.url}.\n")
    print(f"POST /api/tasks/{TASK}/run?wait=true answers with the run:")
    run = json.loads(rota.ask("POST", f"/api/tasks/{TASK}/run?wait=true"))
    print(json.dumps(run, indent=2))
    if run["end_reason"] != "success":
        raise Failed(f"the run ended as {run['end_reason']}, not as success")
    print(f"\nGET /api/runs/{run['id']}/log/raw answers with its output:")
    sys.stdout.flush()
    sys.stdout.buffer.write(rota.ask("GET", f"/api/runs/{run['id']}/log/raw"))
    sys.stdout.flush()
    print("\nThe same with curl:")
    print(
        f"  curl -X POST -H 'Authorization: Bearer {rota.token}' '{rota.url}/api/tasks/{TASK}/run?wait=true'"
    )


def serve(rota: Served) -> None:
    """Say what else to try, and wait for Ctrl-C."""
    data = shlex.quote(str(rota.data))
    print("\nTry it in another terminal, and:")
    print(f"  {ROTA} list --data {data}")
    print(f"  {ROTA} run fails --data {data}")
    print(f"\nThe server's log is {rota.log}. Ctrl-C shuts everything down.", flush=True)
    try:
        code = rota.process.wait()
    except KeyboardInterrupt:
        print("\nShutting down.", flush=True)
        return
    raise Failed(f"`rota serve` ended by itself, with code {code}.\n{rota.said()}")


def shut_down(rota: Served) -> None:
    """End the runs, the keeper and the server; also when the server is dead already."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it alive
    try:
        done = ask_rota(rota, "shutdown")
        if done.returncode != 0 and rota.data.exists():
            print(
                f"demo: `rota shutdown` failed: {done.stderr.strip() or done.stdout.strip()}", file=sys.stderr
            )
        rota.process.wait(timeout=10)
    except subprocess.TimeoutExpired as late:
        print(f"demo: {late}; the server is killed", file=sys.stderr)
        rota.process.kill()
        rota.process.wait()


def environment() -> dict[str, str]:
    """This environment without settings of another Rota."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("ROTA_", "NOTIFY_SOCKET"))
    }


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
