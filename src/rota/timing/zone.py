"""Time zones: finding one by name, and the stretches of time in which its clock keeps one offset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from rota.timing.unreadable import Unreadable

ALLOWED = 'an IANA name such as "Europe/Paris" or "UTC"'

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A stretch of one UTC year in which a zone's clock keeps one offset. Moments are naive UTC."""

    starts: datetime
    ends: datetime  #: exclusive: the clock is changed here, or the year is over
    offset: timedelta  #: local time minus UTC
    offset_before: timedelta  #: the one that it replaced at `starts`; the same at a turn of the year


def find_zone(name: str) -> ZoneInfo:
    """The zone of this IANA name; Unreadable says what is allowed, and the nearest name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: the name of a folder of zones, such as Europe
        raise Unreadable(f'"{name}" is not a time zone', ALLOWED, nearest_zone(name)) from None


def nearest_zone(name: str) -> str | None:
    """The zone that somebody who wrote `name` may have meant: other capitals, a city alone, a slip."""
    wanted = name.strip().replace(" ", "_").lower()
    zones = {zone.lower(): zone for zone in sorted(available_timezones())}
    cities = {lower.rpartition("/")[2]: zone for lower, zone in zones.items() if "/" in lower}
    if wanted in zones or wanted in cities:
        return zones.get(wanted) or cities[wanted]
    if len(wanted) < 5:  # abbreviations resemble each other and mean different clocks
        return None
    near = get_close_matches(wanted, [*zones, *cities], n=1, cutoff=0.8)
    return (zones.get(near[0]) or cities[near[0]]) if near else None


def span_at(zone: ZoneInfo, moment: datetime) -> Span:
    """The span that holds this naive UTC moment."""
    return next(span for span in _spans(zone, moment.year) if moment < span.ends)


@lru_cache(maxsize=4096)
def _spans(zone: ZoneInfo, year: int) -> tuple[Span, ...]:
    # zoneinfo does not tell its transitions. No zone changes its clock twice within a day, so that
    # one look a day finds each of them; halving then finds its second.
    spans = []
    starts = day = datetime(year, 1, 1)  # noqa: DTZ001  # naive UTC throughout, see Span
    offset_before, offset = _offset(zone, starts - _SECOND), _offset(zone, starts)
    while day.year == year:
        following = day + _DAY
        if _offset(zone, following) != offset:
            ends = _change_between(zone, day, following)
            spans.append(Span(starts=starts, ends=ends, offset=offset, offset_before=offset_before))
            starts, offset_before, offset = ends, offset, _offset(zone, ends)
        day = following
    if starts < day:
        spans.append(Span(starts=starts, ends=day, offset=offset, offset_before=offset_before))
    return tuple(spans)


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    offset = _offset(zone, before)
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if _offset(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    offset = moment.replace(tzinfo=UTC).astimezone(zone).utcoffset()
    assert offset is not None  # noqa: S101  # a ZoneInfo always has one
    return offset
