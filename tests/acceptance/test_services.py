"""Services, with the installed program and real processes: each promise of `docs/services.md`."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import pytest
from installed import PATIENCE, ROTA, Installed, environment, is_alive, until_gone, until_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Install = Callable[[str], Installed]

#: Accepts connections on its port, after so many tenths of a second.
SERVER = """\
exec python3 -c '
import os, socket, time
time.sleep(float(os.environ.get("LATE", "0")))
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
print("listening", flush=True)
while True: listener.accept()[0].close()
'"""


def free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody has."""
    for first in range(20_000 + os.getpid() % 20_000, 60_000, count):
        with suppress(OSError):
            for port in range(first, first + count):
                socket.create_server(("127.0.0.1", port)).close()
            return first
    raise AssertionError("no ports are free")


def service(rota: Installed, name: str = "web") -> dict[str, Any]:
    return rota.client.service(name)


def states(rota: Installed, name: str = "web") -> list[str]:
    return [each["state"] for each in service(rota, name)["instances"]]


def pids(rota: Installed, name: str = "web") -> list[int | None]:
    return [each["pid"] for each in service(rota, name)["instances"]]


def until_healthy(rota: Installed, name: str = "web") -> list[int | None]:
    until_true(lambda: set(states(rota, name)) == {"healthy"}, f"{name} is healthy")
    return pids(rota, name)


def test_instances_live_with_their_own_index_and_port_and_are_runs(install: Install) -> None:
    rota = install(
        """
        [services.web]
        run = 'echo "$ROTA_SERVICE $ROTA_INSTANCE_INDEX $PORT"; exec sleep 100'
        instances = 3
        port = 18000
        """
    ).start()

    until_healthy(rota)

    runs = rota.runs(task_name="web")
    assert sorted(rota.log(run["id"]) for run in runs) == [f"web {n} {18000 + n}\n" for n in range(3)]
    assert {(run["kind"], run["triggered_by"], run["status"]) for run in runs} == {
        ("service", "service", "running")
    }
    assert sorted(run["instance_index"] for run in runs) == [0, 1, 2]


def test_one_that_is_killed_comes_back_with_another_pid(install: Install) -> None:
    rota = install("[services.web]\nrun = 'exec sleep 100'\nrestart_delay = '50ms'").start()
    [pid] = until_healthy(rota)

    os.kill(pid, signal.SIGKILL)
    until_true(lambda: pids(rota) not in ([pid], [None]), "it has another process")
    until_healthy(rota)

    [now] = service(rota)["instances"]
    assert (now["restarts"], now["failures"]) == (1, 0)
    ended = rota.runs(task_name="web", status="ended")
    assert [(run["end_reason"], run["signal"]) for run in ended] == [("failed", "SIGKILL")]


def test_one_that_never_gets_healthy_is_given_up_and_says_why(install: Install) -> None:
    rota = install(
        """
        [services.web]
        run = "echo oh no; exit 3"
        restart_delay = "20ms"
        restart_attempts = 3
        """
    ).start()

    until_true(lambda: states(rota) == ["failed"], "it has failed")

    [now] = service(rota)["instances"]
    assert (now["failures"], now["message"]) == (
        3,
        "given up after 3 failures in a row: it ended with exit code 3",
    )
    assert len(rota.runs(task_name="web")) == 3
    started = rota.rota("start", "web")
    assert started.returncode == 1
    assert "(instance 0: given up after 3 failures in a row: it ended with exit code 3)" in started.stdout
    assert "web[0] is backing off: it ended with exit code 3" in started.stderr


def test_a_program_that_there_is_not_fails_too(install: Install) -> None:
    rota = install('[services.web]\nrun = ["/no/such/program"]\nrestart_attempts = 1').start()

    until_true(lambda: states(rota) == ["failed"], "it has failed")

    [now] = service(rota)["instances"]
    assert "/no/such/program" in now["message"]


@pytest.mark.parametrize(("restart", "code", "state", "lives"), [
    ("on_failure", 0, "stopped", 1), ("never", 0, "stopped", 1), ("never", 4, "failed", 1),
])  # fmt: skip
def test_restart_says_whether_there_is_another_life(
    install: Install, restart: str, code: int, state: str, lives: int
) -> None:
    rota = install(f"[services.web]\nrun = 'exit {code}'\nrestart = '{restart}'").start()

    until_true(lambda: states(rota) == [state], f"it is {state}")
    rota.kill()
    rota.start()

    assert states(rota) == [state]
    assert len(rota.runs(task_name="web")) == lives


def test_failures_say_which_ends_of_a_life_are_followed_by_another(install: Install) -> None:
    rota = install(
        """
        [defaults]
        failures = ["start_failed"]
        [services.web]
        run = "exit 4"
        restart = "on_failure"
        [services.api]
        run = ["/no/such/program"]
        restart = "on_failure"
        restart_delay = "20ms"
        restart_attempts = 2
        """
    ).start()

    until_true(lambda: states(rota) == ["stopped"], "it has done its work")
    until_true(lambda: states(rota, "api") == ["failed"], "it was given up")

    assert [run["is_failure"] for run in rota.runs(task_name="web")] == [False]
    assert [run["is_failure"] for run in rota.runs(task_name="api")] == [True, True]


def test_dependents_begin_when_what_they_need_is_healthy_and_end_before_it(
    install: Install, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    body = (
        f'echo "$ROTA_SERVICE begins" >> {trace}; trap \'echo "$ROTA_SERVICE ends" >> {trace}; exit 0\' TERM;'
    )
    rota = install(
        f"""
        [services.web]
        run = '''{body} while :; do sleep 0.02; done'''
        depends_on = "queue"
        [services.queue]
        run = '''{body} while :; do sleep 0.02; done'''
        depends_on = "db"
        autostart = false
        [services.db]
        run = '''{body} while :; do sleep 0.02; done'''
        healthy_after = "300ms"
        autostart = false
        """
    ).start()
    until_healthy(rota)

    assert rota.rota("shutdown").returncode == 0

    assert trace.read_text().split("\n")[:-1] == [
        "db begins", "queue begins", "web begins", "web ends", "queue ends", "db ends",
    ]  # fmt: skip


def test_who_waits_for_what_has_failed_is_told_so(install: Install) -> None:
    rota = install(
        """
        [services.web]
        run = "exec sleep 100"
        instances = 2
        depends_on = "db"
        autostart = false

        [services.db]
        run = "exit 3"
        restart_delay = "20ms"
        restart_attempts = 2
        """
    ).start()

    started = rota.rota("start", "web")

    assert started.returncode == 1
    assert started.stdout == (
        "web is starting, 0 of 2 instances healthy (instances 0, 1: it waits for db, which is failed)\n"
    )
    assert "db[0] is failed: given up after 2 failures in a row: it ended with exit code 3" in started.stderr
    now = service(rota)
    assert (now["waiting_for"], now["settled"]) == ("db", True)


def test_the_server_may_be_killed_and_the_same_processes_go_on_as_many_as_wanted(install: Install) -> None:
    rota = install("[services.web]\nrun = 'exec sleep 100'\ninstances = 5").start()
    before = until_healthy(rota)
    assert rota.rota("scale", "web", "3").returncode == 0
    assert pids(rota) == before[:3]
    for pid in before[3:]:
        assert pid is not None
        until_gone(pid)

    rota.kill()
    rota.start()

    until_healthy(rota)
    assert pids(rota) == before[:3]
    assert service(rota)["scale"] == 3


def test_what_dies_while_no_server_lives_is_replaced_by_the_next_one(install: Install) -> None:
    rota = install("[services.web]\nrun = 'exec sleep 100'\ninstances = 2").start()
    first, second = until_healthy(rota)
    assert first is not None
    rota.kill()
    os.kill(first, signal.SIGKILL)
    until_gone(first)

    rota.start()
    until_true(lambda: pids(rota)[0] not in (first, None), "the first has another process")

    assert pids(rota)[1] == second
    assert len(rota.runs(task_name="web", status="running")) == 2


def test_a_dead_keepers_instances_are_ended_before_they_are_started_again(
    install: Install, tmp_path: Path
) -> None:
    lock = tmp_path / "lock"
    rota = install(
        f"""
        [services.web]
        run = "exec flock --nonblock --conflict-exit-code 9 {lock} sleep 100"
        restart_delay = "10ms"
        """
    ).start()
    [pid] = until_healthy(rota)

    os.kill(rota.keeper(), signal.SIGKILL)
    until_true(lambda: pids(rota) not in ([pid], [None]), "it has another process")
    until_healthy(rota)

    assert pid is not None
    assert not is_alive(pid)
    assert [run["end_reason"] for run in rota.runs(task_name="web", status="ended")] == ["lost"]


def test_a_stop_outlasts_a_restart_of_the_server_and_not_a_shutdown(install: Install) -> None:
    rota = install("[services.web]\nrun = 'exec sleep 100'").start()
    [pid] = until_healthy(rota)
    stopped = rota.rota("stop", "web")
    assert (stopped.returncode, stopped.stdout) == (0, "web is stopped\n")
    assert pid is not None
    assert not is_alive(pid)

    rota.kill()
    rota.start()
    assert states(rota) == ["stopped"]

    assert rota.rota("shutdown").returncode == 0
    assert rota.server is not None
    rota.server.wait()
    rota.start()
    until_healthy(rota)


def test_an_http_check_decides_what_is_healthy_and_what_is_started_again(
    install: Install, tmp_path: Path
) -> None:
    port = free_ports(1)
    (tmp_path / "well").write_text("yes")
    rota = install(
        f"""
        [services.web]
        run = "exec python3 -m http.server --bind 127.0.0.1 --directory {tmp_path} $PORT"
        port = {port}
        restart_delay = "50ms"
        health = {{ http = "http://127.0.0.1:{{port}}/well", interval = "100ms", retries = 2 }}
        """
    ).start()
    [pid] = until_healthy(rota)

    (tmp_path / "well").rename(tmp_path / "ill")
    assert pid is not None
    until_gone(pid)
    until_true(lambda: rota.runs(task_name="web", status="ended") != [], "its end is known")

    run = rota.runs(task_name="web", status="ended")[-1]
    assert run["end_reason"] == "stopped"
    assert f"its health check: http://127.0.0.1:{port}/well answers 404" in run["message"]


def test_a_command_checks_from_within_and_its_words_are_told(install: Install, tmp_path: Path) -> None:
    rota = install(
        f"""
        [services.web]
        run = "exec sleep 100"
        env = {{ WHERE = "{tmp_path}" }}
        instances = 2
        [services.web.health]
        command = 'test -e "$WHERE/well-{{index}}" || {{ echo "instance {{index}} is tired"; exit 1; }}'
        interval = "100ms"
        restart = false
        """
    ).start()
    (tmp_path / "well-0").touch()

    until_true(lambda: states(rota) == ["healthy", "unhealthy"], "the first is healthy, the second not")

    message = service(rota)["instances"][1]["message"]
    assert message == "the command has ended with exit code 1: instance 1 is tired"
    (tmp_path / "well-1").touch()
    until_healthy(rota)


def test_a_program_says_itself_that_it_is_ready_also_while_no_server_hears_it(
    install: Install, tmp_path: Path
) -> None:
    rota = install(
        f"""
        [services.web]
        run = ["python3", "-c", '''
        import os, socket, time
        while not os.path.exists("{tmp_path}/go"): time.sleep(0.01)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"].replace("@", chr(0), 1))
        open("{tmp_path}/said", "w")
        time.sleep(100)
        ''']
        health = {{ notify = true, interval = "1m" }}
        """.replace("\n        ", "\n")
    ).start()
    until_true(lambda: pids(rota) != [None], "it lives")
    [pid] = pids(rota)
    time.sleep(1.1)  # longer than `healthy_after`: only its word is missing
    assert states(rota) == ["starting"]

    rota.kill()
    (tmp_path / "go").touch()
    until_true((tmp_path / "said").exists, "it has said so")
    rota.start()

    until_healthy(rota)
    assert pids(rota) == [pid]


def test_a_signal_reaches_every_main_process(install: Install) -> None:
    rota = install(
        """
        [services.web]
        run = "trap 'echo again' HUP; echo ready; while :; do sleep 0.02; done"
        instances = 2
        reload_signal = "HUP"
        """
    ).start()
    until_healthy(rota)
    lives = [each["run_id"] for each in service(rota)["instances"]]
    until_true(lambda: all(rota.log(life) == "ready\n" for life in lives), "both are ready")

    assert rota.rota("signal", "web").stdout == "sent SIGHUP to web\n"

    until_true(lambda: all(rota.log(life) == "ready\nagain\n" for life in lives), "both have heard it")
    for name in ("hup", "1"):
        sent = rota.rota("signal", "web", name, "--instance", "1").stdout
        assert sent == "sent SIGHUP to web[1]\n"
    until_true(lambda: rota.log(lives[1]) == "ready\n" + 3 * "again\n", "one has heard it again")
    assert rota.log(lives[0]) == "ready\nagain\n"
    assert rota.rota("logs", "web").stderr.splitlines().count("web[1] | rota: cli sent SIGHUP") == 3
    assert rota.rota("signal", "web", "NOPE").returncode == 1
    assert rota.rota("signal", "web", "99").returncode == 1


def test_the_task_route_names_the_right_one(install: Install) -> None:
    rota = install("[services.web]\nrun = 'exec sleep 100'").start()

    status, problem, _ = rota.http("POST", "/api/tasks/web/run")

    assert (status, problem["type"]) == (409, "/problems/task-is-service")
    assert "POST /api/services/web/start" in problem["detail"]
    ran = rota.rota("run", "web")
    assert (ran.returncode, ran.stderr) == (
        125, "rota: 'web' is a service, which is kept alive and not run: `rota start web`\n"
    )  # fmt: skip


# --- rolling restarts

EIGHT = """
[services.web]
run = '''{server}'''
instances = 8
port = {port}
env = {{ LATE = "0.1" }}
health = {{ tcp = "127.0.0.1:{{port}}", interval = "200ms", start_period = "1m" }}
healthy_after = "100ms"
"""


class Watch:
    """Connects to every port again and again, from outside, and counts those that accept."""

    def __init__(self, first: int, count: int) -> None:
        self.fewest = count
        self._ports = range(first, first + count)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look_on(self) -> None:
        while not self._over.is_set():
            self.fewest = min(self.fewest, sum(_accepts(port) for port in self._ports))
            self._over.wait(0.01)  # the machine has other work


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def healthy_counts(rota: Installed) -> Iterator[int]:
    """How many are healthy, after each change that the server tells."""
    states = {each["index"]: each["state"] for each in service(rota)["instances"]}
    with rota.client.events({"task_name": "web"}) as events:
        yield list(states.values()).count("healthy")
        for event in events:
            if event.name.startswith("service."):
                states[event.data["instance"]["index"]] = event.data["instance"]["state"]
                yield list(states.values()).count("healthy")


def test_a_rolling_restart_of_8_never_has_fewer_than_7_healthy(install: Install) -> None:
    port = free_ports(8)
    rota = install(EIGHT.format(server=SERVER, port=port)).start()
    before = until_healthy(rota)
    counted: list[int] = []

    with Watch(port, 8) as watch:
        for count in healthy_counts(rota):
            if not counted:
                assert rota.http("POST", "/api/services/web/restart", {"rolling": True})[0] == 202
            counted.append(count)
            if count == 8 and len(counted) > 8 and service(rota)["restarting"] is None:
                break

    assert min(counted) == 7
    assert watch.fewest >= 7
    after = until_healthy(rota)
    assert not set(before) & set(after)
    assert counted.count(8) >= 8


def test_a_killed_servers_rolling_restart_goes_on_where_it_stood(install: Install) -> None:
    port = free_ports(8)
    rota = install(EIGHT.format(server=SERVER, port=port)).start()
    before = until_healthy(rota)
    with Watch(port, 8) as watch:
        assert rota.http("POST", "/api/services/web/restart", {"rolling": True})[0] == 202
        until_true(lambda: service(rota)["restarting"]["left"] <= 5, "three are replaced")

        rota.kill()
        rota.start()
        halfway = service(rota)
        until_true(lambda: service(rota)["restarting"] is None, "the restart is over")
        after = until_healthy(rota)

    assert halfway["restarting"]["rolling"] is True
    assert halfway["restarting"]["left"] <= 5
    assert watch.fewest >= 7
    assert not set(before) & set(after)
    assert len(rota.runs(task_name="web")) == 16


def test_a_rolling_restart_stands_still_when_the_new_life_fails(install: Install, tmp_path: Path) -> None:
    rota = install(
        f"""
        [services.web]
        run = "test ! -e {tmp_path}/broken && exec sleep 100"
        instances = 3
        restart_delay = "20ms"
        restart_attempts = 2
        """
    ).start()
    before = until_healthy(rota)
    (tmp_path / "broken").touch()

    restarted = rota.rota("restart", "--rolling", "web")

    assert restarted.returncode == 1
    assert restarted.stdout == (
        "web has failed, 2 of 3 instances healthy (instance 0: "
        "given up after 2 failures in a row: it ended with exit code 1); "
        "its restart stands still, 2 left to replace\n"
    )
    assert states(rota) == ["failed", "healthy", "healthy"]
    listed = rota.rota("services").stdout.splitlines()[1]
    assert "restarts one by one, 2 left; instance 0: given up after 2 failures in a row" in listed
    assert pids(rota)[1:] == before[1:]
    (tmp_path / "broken").unlink()
    assert rota.rota("start", "web").returncode == 0
    until_true(lambda: service(rota)["restarting"] is None, "the restart has gone on")
    assert not set(before) & set(until_healthy(rota))


def test_sixty_four_that_crash_are_all_given_their_chances(install: Install) -> None:
    rota = install(
        "[services.web]\nrun = 'exit 1'\ninstances = 64\nrestart_delay = '10ms'\nrestart_attempts = 2"
    ).start()

    until_true(lambda: set(states(rota)) == {"failed"}, "all have failed")

    assert len(rota.runs(task_name="web", limit="1000")) == 128


# --- logs


def test_logs_are_shown_and_followed_over_lives_instances_and_servers(
    install: Install, tmp_path: Path
) -> None:
    rota = install(
        f"""
        [services.web]
        run = '''
        echo "begins"
        while [ ! -e {tmp_path}/go-$ROTA_INSTANCE_INDEX ]; do sleep 0.02; done
        rm {tmp_path}/go-$ROTA_INSTANCE_INDEX
        echo "ends" >&2
        '''
        instances = 2
        restart_delay = "10ms"
        """
    ).start()
    until_healthy(rota)
    until_true(lambda: len(rota.rota("logs", "web").stdout.splitlines()) == 2, "both have begun")
    following = subprocess.Popen(
        [ROTA, "--data", rota.data, "logs", "web", "-f"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
    )  # fmt: skip
    out, err = Lines(following.stdout), Lines(following.stderr)
    try:
        assert {out.next(), out.next()} == {"web[0] | begins", "web[1] | begins"}
        (tmp_path / "go-1").touch()
        assert err.next() == "web[1] | ends"
        assert out.next() == "web[1] | begins"
        rota.kill()
        (tmp_path / "go-0").touch()
        rota.start()
        assert err.next().startswith(
            "rota: the server went away; the service goes on, and this command waits"
        )
        assert err.next() == "web[0] | ends"
        assert out.next() == "web[0] | begins"
    finally:
        following.send_signal(signal.SIGINT)
        assert following.wait(PATIENCE) == 130
        out.close()
        err.close()

    shown = rota.rota("logs", "web", "--timestamps")
    assert [line.split(" ", 1)[1] for line in shown.stdout.splitlines()].count("web[0] | begins") == 2
    assert rota.rota("logs", "web", "--grep", "ends").stderr.splitlines() == [
        "web[1] | ends",
        "web[0] | ends",
    ]
    one = rota.rota("logs", "web", "--instance", "1")
    assert set(one.stdout.splitlines()) == {"web[1] | begins"}
    assert one.stderr.splitlines() == ["web[1] | ends"]
    of_a_run = rota.rota("logs", rota.runs(task_name="web")[0]["id"], "--instance", "1")
    assert (of_a_run.returncode, "--instance goes with the name of a service" in of_a_run.stderr) == (2, True)
    [last] = rota.rota("logs", "web", "-n", "1", "--json").stdout.splitlines()
    assert (json.loads(last)["instance_index"], json.loads(last)["line"]["text"]) == (0, "begins")


class Lines:
    """The lines of a stream, waited for."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        assert stream is not None
        self._stream = stream
        self._rest = b""

    def next(self) -> str:
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._stream], [], [], PATIENCE)
            assert ready, "no line has come"
            self._rest += os.read(self._stream.fileno(), 65_536)
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def close(self) -> None:
        self._stream.close()


def test_services_and_instances_are_listed(install: Install) -> None:
    rota = install("[services.web]\nrun = 'exec sleep 100'\ninstances = 2\ndescription = 'Serves'").start()
    until_healthy(rota)

    listed = rota.rota("services").stdout.splitlines()
    instances = rota.rota("services", "web").stdout.splitlines()
    told = json.loads(rota.rota("services", "web", "--json").stdout)

    assert listed[0].split() == [
        *("SERVICE", "STATE", "HEALTHY", "RESTARTS", "SINCE", "MESSAGE", "DESCRIPTION")
    ]
    assert listed[1].split()[:4] == ["web", "healthy", "2/2", "0"]
    assert [line.split()[:2] for line in instances[1:]] == [["0", "healthy"], ["1", "healthy"]]
    assert told == service(rota)
    assert "services  1 healthy" in rota.rota("status").stdout
