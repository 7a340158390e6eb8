"""Send input: to a run's standard input, or typed into its terminal; whole, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from rota.auth.may import Act, may
from rota.model.error import Fault, Invalid, JobsOff
from rota.model.input import KEYS, MOST_UNREAD, Input
from rota.operations.get_run import get_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rota.auth.caller import Caller
    from rota.model.run import RunId
    from rota.operations.rota import Rota


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """What somebody wants to send: one of the first four."""

    text: str | None = None
    data: bytes | None = None
    key: str | None = None
    close: bool = False
    secret: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """All of it was taken."""

    run_id: RunId
    unread: int  #: bytes of its input that the run has not read then


async def send_input(rota: Rota, run_id: str, given: Given, *, caller: Caller, by: str) -> Taken:
    """Send it to the run of this id, or to the only one that ends so.

    Raises Invalid, RunNotFound, RunUnclear, JobsOff, RunEnded, RunNotStarted, InputClosed, InputFull,
    NoTerminal, KeeperUnavailable.
    """
    faults = list(_faults(given))
    if faults:
        raise Invalid(faults)
    data = given.text.encode() if given.text is not None else given.data
    meant = Input(data=data, key=given.key, close=given.close, secret=given.secret)
    run = await get_run(rota, run_id)
    if run.job is not None and not (verdict := may(caller, Act.FEED_JOB, rota.config)):
        raise JobsOff(verdict.why_not)
    return Taken(run_id=run.id, unread=await rota.engine.feeding.send(run.id, meant, by=by))


def _faults(given: Given) -> Iterator[Fault]:
    named = [name for name in ("text", "data", "key") if getattr(given, name) is not None]
    named += ["close"] if given.close else []
    if len(named) != 1:
        wrong = f"it has {' and '.join(named)}" if named else "there is nothing to send"
        yield Fault(location="body", message=f"{wrong}; give one of text, data, key and close")
    if given.text is not None and "\0" in given.text:
        yield Fault(
            location="body.text", message="it has a NUL character; bytes that are no text go into data"
        )
    for name, value in (("text", given.text), ("data", given.data)):
        if value is not None and not value:
            yield Fault(location=f"body.{name}", message="it is empty")
        if value is not None and _size(value) > MOST_UNREAD:
            said = f"it has {_size(value)} bytes, and at most {MOST_UNREAD} can wait; send it in parts"
            yield Fault(location=f"body.{name}", message=said)
    if given.key is not None and given.key not in KEYS:
        near = get_close_matches(given.key.lower(), KEYS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(KEYS)}"
        yield Fault(location="body.key", message=f"there is no such key; {hint}", value=given.key)


def _size(value: str | bytes) -> int:
    return len(value.encode()) if isinstance(value, str) else len(value)
