"""A child that tells its clock and nothing else: a static program of some hundred bytes, made here.

A shell needs a millisecond of processor time to start, and two hundred of them at once on a small machine
then measure each other. This child needs a tenth of that, so what is measured is who starts it. It is
given as the `shell` of a task: called with any arguments, it appends its clock to the file that the last
one names, as two little-endian 64-bit numbers, seconds and nanoseconds.
"""

from __future__ import annotations

import platform
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BASE = 0x400000
_ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_CLOCK = struct.Struct("<qq")

#: x86-64. The stack holds argc and then argv at the start, so that the last argument is at rsp + 8 * argc.
_CODE = bytes.fromhex(
    "48 8b 1c 24"  # mov rbx, [rsp]
    "4c 8b 24 dc"  # mov r12, [rsp + 8 * rbx]
    "48 83 ec 10"  # sub rsp, 16
    "b8 e4 00 00 00 31 ff 48 89 e6 0f 05"  # clock_gettime(CLOCK_REALTIME, rsp)
    "b8 02 00 00 00 4c 89 e7 be 41 04 00 00 ba 80 01 00 00 0f 05"  # open(r12, WRONLY|CREAT|APPEND, 0600)
    "89 c7 b8 01 00 00 00 48 89 e6 ba 10 00 00 00 0f 05"  # write(the descriptor, rsp, 16)
    "b8 3c 00 00 00 31 ff 0f 05"  # exit(0)
)


def available() -> bool:
    """Whether this machine can run it."""
    return (platform.system(), platform.machine()) == ("Linux", "x86_64")


def make_clock(path: Path) -> Path:
    """Write the program as an executable file."""
    start = _ELF_HEADER.size + _PROGRAM_HEADER.size
    size = start + len(_CODE)
    identity = b"\x7fELF" + bytes([2, 1, 1])  # 64 bits, little-endian, version 1
    header = _ELF_HEADER.pack(
        identity.ljust(16, b"\0"),
        2,  # an executable
        62,  # x86-64
        1,
        _BASE + start,
        _ELF_HEADER.size,
        0,
        0,
        _ELF_HEADER.size,
        _PROGRAM_HEADER.size,
        1,  # one program header: all of the file, to be read and executed
        0,
        0,
        0,
    )
    segment = _PROGRAM_HEADER.pack(1, 5, 0, _BASE, _BASE, size, size, 0x1000)
    path.write_bytes(header + segment + _CODE)
    path.chmod(0o755)
    return path


def read_clocks(path: Path) -> list[float]:
    """The moments in a file, in seconds since the epoch."""
    return [seconds + nanoseconds / 1e9 for seconds, nanoseconds in _CLOCK.iter_unpack(path.read_bytes())]
