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

#: offset in the file · offset in the stream · microseconds since the epoch · lines completed before it (all
#: streams) · where in its stream the line begins that is open before it · length · stream · flags.
#: The file holds `stdout` and `stderr`, so one's offset in the stream and the file's give the other's: every
#: column but the last three grows, within its stream at least, and can be searched by halving.
#: The offset of a `system` entry is one in the `.sys` file.
ENTRY = Struct("<QQQQQIBBxx")

#: An entry grows, within one millisecond of one stream, to so many bytes: one small read holds it.
LONGEST = 128 * 1024
