"""The index beside a log: for each chunk its stream, its places, its time and its first line number.

A fixed-size entry is written after the bytes that it tells of, so that a log cut short by a kill has an
index that is right as far as it goes. Nothing stands among the program's bytes, so nothing can be forged.
Standard library only: the keeper imports it.
"""

from __future__ import annotations

from struct import Struct

STDOUT, STDERR, SYSTEM = 0, 1, 2
STREAMS = ("stdout", "stderr", "system")

#: This entry ends its stream; an open line of that stream counts as complete here.
ENDS_STREAM = 1

#: offset in the file, offset in the stream, microseconds since the epoch, lines completed before it
#: (all streams), length, stream, flags. The offset of a `system` entry is one in the `.sys` file.
ENTRY = Struct("<QQQQIBBxx")
