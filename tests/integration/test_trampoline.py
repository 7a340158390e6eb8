"""What goes through the trampoline starts as any other program, and says what went wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from rota.keeper.spawn import failure

if TYPE_CHECKING:
    from pathlib import Path

_SCRIPT = """
import json, os, resource, sys
from rota.keeper.locality import Mounts
from rota.keeper.spawn import Spawner
table, argv, folder = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
read, write = os.pipe()
pid, told = Spawner(Mounts(table), 128).spawn(argv, {"PATH": os.environ["PATH"]}, folder, write, write)
os.close(write)
if told is not None:
    os.set_blocking(told, True)
said = os.read(told, 2) if told is not None else None
status = os.wait4(pid, 0)[1]
print(json.dumps({
    "said": None if said is None else list(said), "code": os.waitstatus_to_exitcode(status),
    "output": os.read(read, 65536).decode(), "sid": pid, "folder": os.getcwd(),
}))
"""


def _spawn(tmp_path: Path, argv: list[str], folder: str) -> dict[str, Any]:
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 0:1 / / rw - ext4 /dev/root rw\n"
        f"23 22 0:2 / {tmp_path}/re\\040mote rw shared:1 - nfs4 server:/x rw\n"
    )  # fmt: skip
    (tmp_path / "re mote").mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(table), json.dumps(argv), folder],
        capture_output=True, text=True, check=True, cwd="/", timeout=30,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_program_in_a_remote_folder_starts_like_any_other(tmp_path: Path) -> None:
    script = (
        "ps -o sid= -p $$; grep -E 'SigBlk|SigIgn' /proc/self/status;"
        "ls /proc/self/fd | wc -l; ulimit -n; pwd; exit 7"
    )

    answer = _spawn(tmp_path, ["sh", "-c", script], str(tmp_path / "re mote"))

    sid, blocked, ignored, files, limit, folder = answer["output"].splitlines()
    assert answer["said"] == []
    assert answer["code"] == 7
    assert int(sid) == answer["sid"]
    assert int(blocked.split()[1], 16) == 0
    of_the_c_library = 3 << 31  # 32 and 33: glibc ignores them in whatever it spawns, such as these tests
    assert int(ignored.split()[1], 16) & ~of_the_c_library == 0
    assert int(files) == 4
    assert int(limit) == 128
    assert folder == str(tmp_path / "re mote")


def test_a_local_one_goes_directly(tmp_path: Path) -> None:
    answer = _spawn(tmp_path, ["sh", "-c", "pwd"], "/usr")

    assert answer["said"] is None
    assert answer["output"] == "/usr\n"
    assert answer["folder"] == "/"


@pytest.mark.parametrize(
    ("argv", "folder", "says"),
    [
        (["true"], "re mote/none", "cannot enter the working folder"),
        (["no-such-program"], "re mote", "cannot start 'no-such-program': No such file or directory"),
        (["./none"], "re mote", "cannot start './none': No such file or directory"),
    ],
)
def test_a_failure_says_which_step_failed_and_why(
    tmp_path: Path, argv: list[str], folder: str, says: str
) -> None:
    answer = _spawn(tmp_path, argv, str(tmp_path / folder))

    assert failure(bytes(answer["said"]), argv[0], str(tmp_path / folder)).startswith(says)


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (2, "cannot set the limits of 'make': Operation not permitted"),
        (3, "cannot give a terminal to 'make': Operation not permitted"),
        (4, "cannot set the niceness of 'make': Operation not permitted"),
        (5, "cannot take on the user of 'make': Operation not permitted"),
    ],
)
def test_each_step_has_its_sentence(step: int, says: str) -> None:
    assert failure(bytes((step, 1)), "make", "/srv") == says
