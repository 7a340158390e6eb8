"""`make demo`: one command that shows a run, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

from bench.process import with_argument

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


def demo(folder: Path, **more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "TMPDIR": str(folder), **more}
    return subprocess.Popen(
        [sys.executable, "-u", str(DEMO)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answered_run(output: str) -> dict[str, object]:
    return json.JSONDecoder().raw_decode(output[output.index("{\n") :])[0]


def test_once_it_prints_a_run_and_its_output_and_leaves_nothing_behind(tmp_path: Path):
    process = demo(tmp_path, ONCE="1")

    output, errors = process.communicate(timeout=60)

    assert process.returncode == 0, errors
    run = answered_run(output)
    assert run["task_name"] == "hello"
    assert run["status"] == "ended"
    assert run["end_reason"] == "success"
    assert run["exit_code"] == 0
    assert run["triggered_by"] == "api"
    assert f"Hello from run {run['id']} of task hello." in output
    assert re.search(
        r"^  curl -X POST -H '.*' 'http://.*/api/tasks/hello/run\?wait=true'$", output, re.MULTILINE
    )
    assert errors == ""
    assert list(tmp_path.iterdir()) == []
    assert with_argument(str(tmp_path)) == []


def test_it_takes_another_port_when_its_own_is_taken(tmp_path: Path):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 9477))
            taken.listen()
        except OSError:
            pass  # somebody has it already, which serves as well
        process = demo(tmp_path, ONCE="1")

        output, errors = process.communicate(timeout=60)

    assert process.returncode == 0, errors
    port = re.search(r"at http://127\.0\.0\.1:(\d+)\.", output)
    assert port is not None
    assert int(port[1]) != 9477


def test_several_that_begin_at_once_take_a_port_each(tmp_path: Path):
    processes = [demo(tmp_path, ONCE="1") for _ in range(3)]

    told = [process.communicate(timeout=60) for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0], told
    assert list(tmp_path.iterdir()) == []


def test_it_serves_until_interrupted_and_the_line_to_try_works(tmp_path: Path):
    process = demo(tmp_path, ONCE="")
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    url, token = re.search(r"Bearer (\S+)' '(http://\S+)'", "".join(lines)).group(2, 1)

    answer = subprocess.run(
        [sys.executable, "-c", TRIGGER, url, token], capture_output=True, text=True, timeout=60, check=True
    )
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=60)

    assert json.loads(answer.stdout)["end_reason"] == "success"
    assert process.returncode == 0, errors
    assert "Everything is shut down." in rest
    assert with_argument(str(tmp_path)) == []


def test_it_says_what_is_wrong_when_rota_is_not_installed(tmp_path: Path):
    bare = tmp_path / "bin"
    bare.mkdir()
    (bare / "python").symlink_to(Path(sys.executable).resolve())

    done = subprocess.run([bare / "python", DEMO], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert "make setup" in done.stderr


#: What the curl line does, for machines without curl.
TRIGGER = """
import sys, urllib.request
url, token = sys.argv[1:]
request = urllib.request.Request(url, method="POST", headers={"Authorization": "Bearer " + token})
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print(opener.open(request).read().decode())
"""
