"""`rota logs`: what a run wrote, live or afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from rota.cli import times
from rota.cli.complaint import Misuse
from rota.cli.follow import follow
from rota.cli.options import Given, Json
from rota.cli.service_logs import LINES, MOST_LINES, ServiceLog
from rota.cli.service_logs import follow as follow_service
from rota.cli.service_logs import show as show_service
from rota.cli.show_log import Bytes, Lines, LinesWanted
from rota.cli.suggest import suggest_runs_and_services
from rota.cli.which_run import is_id, run_or_latest
from rota.logs.entries import EVERY
from rota.logs.line import Stream, microseconds, moment
from rota.logs.pattern import PatternInvalid, Wanted, compiled

if TYPE_CHECKING:
    from rota.cli.show_log import Show
    from rota.client.client import Client
    from rota.logs.pattern import Pattern

_Flag = Parameter(negative=(), show_default=False)


def logs(
    run: Annotated[str, Parameter(completer=suggest_runs_and_services)],
    /,
    *,
    follow_: Annotated[bool, Parameter(name=("--follow", "-f"), negative=(), show_default=False)] = False,
    tail: Annotated[int | None, Parameter(name=("--tail", "-n"))] = None,
    since: str | None = None,
    stream: Literal["stdout", "stderr", "system"] | None = None,
    grep: str | None = None,
    regex: Annotated[bool, _Flag] = False,
    ignore_case: Annotated[
        bool, Parameter(name=("--ignore-case", "-i"), negative=(), show_default=False)
    ] = False,
    timestamps: Annotated[
        bool, Parameter(name=("--timestamps", "-t"), negative=(), show_default=False)
    ] = False,
    raw: Annotated[bool, _Flag] = False,
    instance: int | None = None,
    json: Json = False,
    options: Given,
) -> None:
    """Print what a run or a service wrote: its standard output to ours, its standard error to ours.

    A service is shown line by line over all its lives, each with its instance: the last 1,000 lines unless
    told otherwise. Of a run the bytes come as they are.

    With --tail, --since, --grep, --timestamps or --json it comes line by line, once each is complete, as it
    stands when carriage returns and cursor moves are carried out.

    Parameters
    ----------
    run
        Id of the run, a unique ending of it of at least 4 characters, a task (its latest run), or a service.
    follow_
        Go on until the run has ended; with a service, until Ctrl-C, which ends this command alone.
    tail
        Only the last so many lines, and with --follow what comes after them.
    since
        Only lines that came at this time or later: such as 2026-11-22T20:00:00Z, or 10m ago.
    stream
        Only this stream; `system` is Rota's own words.
    grep
        Only lines that contain this text.
    regex
        What --grep says is a regular expression, in the syntax of RE2.
    ignore_case
        Upper and lower case are the same to --grep.
    timestamps
        Before each line the time when it was complete, in UTC.
    raw
        Only the program's own bytes, both streams to standard output in the order of their arrival.
    instance
        Of a service only the instance of this index.
    """
    streams = EVERY if stream is None else (Stream(stream).number,)
    wanted = LinesWanted(
        streams=streams,
        tail=tail,
        since=None if since is None else _moment(since),
        pattern=_pattern(grep, regex=regex, ignore_case=ignore_case),
        timestamps=timestamps,
        json=json,
    )
    by_line = wanted != LinesWanted(streams=streams)
    if tail is not None and tail < 0:
        raise Misuse("--tail takes the number of lines, 0 or more")
    if raw and (by_line or stream == "system"):
        raise Misuse("--raw gives the program's bytes as they are; it goes with --follow and --stream alone")
    client = options.client()
    if not is_id(run) and any(service["name"] == run for service in client.services()):
        if raw:
            raise Misuse("--raw gives the bytes of one run; name it by its id (`rota services` has them)")
        log = ServiceLog(run, pattern=wanted.pattern, timestamps=timestamps, as_json=json)
        filters = _filters(stream, tail, wanted.since, instance, live=follow_)
        (follow_service if follow_ else show_service)(client, run, log, filters)
        return
    if instance is not None:
        raise Misuse(f"--instance goes with the name of a service, which {run!r} is not")
    found = run_or_latest(client, run)
    show = (
        Lines(client.data, found["id"], wanted)
        if by_line
        else Bytes(client.data, found["id"], streams=streams, together=raw)
    )
    _show(client, found["id"], show, has_ended=found["status"] == "ended", live=follow_)


def _show(client: Client, run_id: str, show: Show, *, has_ended: bool, live: bool) -> None:
    if live and not has_ended:
        follow(client, run_id, show)
    else:
        show(ended=has_ended)


def _filters(
    stream: str | None, tail: int | None, since: int | None, instance: int | None, *, live: bool
) -> dict[str, str]:
    """What of a service's log is asked for."""
    wanted = {"ansi": "keep"} | ({} if stream is None else {"stream": stream})
    if instance is not None:
        wanted["instance"] = str(instance)
    if since is not None:
        if live or tail is not None:
            raise Misuse("--since of a service goes neither with --follow nor with --tail")
        return {**wanted, "from_at": f"{moment(since).replace(tzinfo=None).isoformat()}Z"}
    return {**wanted, "tail" if live else "limit": str(LINES if tail is None else min(tail, MOST_LINES))}


def _pattern(text: str | None, *, regex: bool, ignore_case: bool) -> Pattern | None:
    if text is None:
        if regex or ignore_case:
            raise Misuse("--regex and --ignore-case say how --grep is meant")
        return None
    try:
        return compiled(Wanted(text=text, regex=regex, case=not ignore_case))
    except PatternInvalid as error:
        raise Misuse(f"--grep {text!r}: {error}") from error


def _moment(text: str) -> int:
    """A time, or how long ago."""
    from rota.timing.duration import parse_duration

    try:
        return microseconds(datetime.now(UTC) - parse_duration(text))
    except (ValueError, OverflowError):
        pass
    try:
        at = times.moment(text)
    except ValueError:
        raise Misuse(
            f"--since {text!r}: it is a time such as 2026-11-22T20:00:00Z, or how long ago, such as 10m"
        ) from None
    return microseconds(at.astimezone(UTC))
