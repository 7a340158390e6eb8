"""What server and keeper say to each other: one JSON object a line. Standard library only.

The server sends `op`:

    hello     protocol, version, pid         answered by `hello`, the list of all runs, `listed`
    spawn     run, attempt, argv, env, cwd, timeout, stop_signal, grace, keep_children, merge_stderr,
              log_max_size, log_on_full; and where it is wanted: stdin, or pty, rows, cols; account, umask,
              nice; secrets, texts that are hidden in its log; limits, by the names of `rota.keeper.cgroup`;
              notify, to be told what it says by sd_notify(3)
    stop      run, by                        the stop ladder; `by` is for the run's log
    input     id, run, by, secret, and: data  bytes for its standard input
                                        typed bytes for a terminal, instead of `data`
                                        key   their name, for the log
                                        signal, or close: what is done where there are no bytes
    resize    id, run, rows, cols            of its terminal
    look      id, run                        how its input stands
    signal    id, run, by, number            sent to its main process alone
    check     id, run, argv, env, cwd, timeout, and as with spawn account, umask, nice
                                             a command that tells how the run is
    ack       runs                           the server has committed these ends
    upgrade   argv                           re-execute in place as this command; a `hello` sent after it
                                             is answered by whoever is there then
    room      min_free_space                 bytes of the disk that output leaves free, from now on
    shutdown                                 end every run, then leave

The keeper sends `event`:

    hello     protocol, version, keeper, boot, pid
    started   run, attempt, pid, at, limits
    ended     run, attempt, pid, start_at, end_at, duration, cause, exit_code, signal, cpu_time, max_rss,
              message, leftovers, log_size, limits
    not_now   run, attempt, message          out of descriptors or room: nothing was spawned, ask again later
    input_taken     id, run, unread          all of it, or what was asked is done
    input_refused   id, run, why, unread     nothing of it, or no `resize`; see `rota.keeper.asked`
    resized         id, run
    signalled       id, run
    checked         id, run, exit_code, signal, late, said     `said` is the last line of its output
    notified  run, attempt, ready, departs, pinged            all that it has said so far; also in the list
    seen            id, run, open, pty, unread, waiting
    listed    the list after `hello` is complete
    failed    op, message                    an upgrade that could not be done

Times are microseconds since the epoch, durations seconds, sizes bytes, `signal` and `stop_signal` numbers;
bytes are text of the characters 0 to 255. What is asked with an `id` is answered with it.

`limits` says of each limit of a run how much it is, and who holds it; null for a run without any.

Protocol 2 has brought input, terminals and accounts, 3 limits, signals, checks and notices.

Fields that one side does not know are ignored. A newer server speaks at least the two protocols before its
own.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PROTOCOL = 3
OLDEST = 1

#: The longest line, in bytes: an environment may be large.
LONGEST = 16 * 1024 * 1024

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class ProtocolError(Exception):
    """The other side said something that is no message."""


def encode(message: dict[str, Any]) -> bytes:
    """One line, with its newline."""
    return _encode(message).encode("ascii") + b"\n"


def decode(line: bytes | bytearray) -> dict[str, Any]:
    """The message in one line; ProtocolError when it is none."""
    try:
        message = json.loads(line)
    except ValueError as error:
        raise ProtocolError(f"not JSON: {bytes(line[:80])!r}") from error
    if not isinstance(message, dict):
        raise ProtocolError(f"not an object: {bytes(line[:80])!r}")
    return message


class Lines:
    """Cuts a byte stream into lines."""

    __slots__ = ("_searched", "rest")

    def __init__(self, rest: bytes = b"") -> None:
        self.rest = bytearray(rest)  #: an unfinished line
        self._searched = 0

    def feed(self, data: bytes) -> list[bytearray]:
        """The lines that `data` completes."""
        self.rest += data
        if self.rest.find(b"\n", self._searched) < 0:
            self._searched = len(self.rest)
            if self._searched > LONGEST:
                raise ProtocolError(f"a line is longer than {LONGEST} bytes")
            return []
        *lines, self.rest = self.rest.split(b"\n")
        self._searched = len(self.rest)
        return lines
