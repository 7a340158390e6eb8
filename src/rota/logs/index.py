"""The index beside a log: for each chunk its stream, its places, its time and its first line number.

A fixed-size entry is written after the bytes that it tells of, so that a log cut short by a kill has an
index that is right as far as it goes. Nothing stands among the program's bytes, so nothing can be forged.
Standard library only: the keeper imports it.

The beginning of a log can go (`log_on_full = drop_old`): holes are punched into the files from their first
byte, so that no offset, entry or line number ever shifts. Where the rest begins stands in the first entry,
which is written anew, with the flag CUT, *before* each hole is punched. So whoever reads

1. takes the first entry: if it has CUT, entries and bytes below those that it names are gone;
2. reads what it wants; what lies below is zeros, whose columns are still in order for a search by halving;
3. takes the first entry again before it believes bytes near the beginning of what is left: if that has moved
   beyond them, they may have been zeros already.
"""

from __future__ import annotations

from struct import Struct

STDOUT, STDERR, SYSTEM = 0, 1, 2
STREAMS = ("stdout", "stderr", "system")

#: This entry ends its stream; an open line of that stream counts as complete here.
ENDS_STREAM = 1

#: The last entry of all: the run is over, and nothing follows in log, index or Rota's words. Without it the
#: keeper was killed, or the disk was full: what the index does not tell is looked for in the files then.
COMPLETE = 4

#: Of the first entry only: the log's beginning was dropped, and the columns say where the rest begins:
#: first offset of the log that is left · first entry that is left · when this was written · lines completed
#: before that entry (all streams), which is how many lines went · 0 · 0 · SYSTEM · CUT.
#: A line that was open at the cut is numbered when it is complete, and has lost its beginning: it begins, by
#: the column that says so, below the offset at which its stream's first entry that is left begins.
CUT = 2

#: offset in the file · offset in the stream · microseconds since the epoch · lines completed before it (all
#: streams) · where in its stream the line begins that is open before it · length · stream · flags.
#: The file holds `stdout` and `stderr`, so one's offset in the stream and the file's give the other's: every
#: column but the last three grows, within its stream at least, and can be searched by halving.
#: The offset of a `system` entry is one in the `.sys` file. What Rota says is one open line until the program
#: writes again or the run is over: only then comes its newline, and with it its number.
ENTRY = Struct("<QQQQQIBBxx")

#: An entry grows, within one millisecond of one stream, to so many bytes: one small read holds it.
LONGEST = 128 * 1024
