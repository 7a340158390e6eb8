"""A backoff: how the pause before the next try grows with the tries that failed. Pure."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

_MOST_DOUBLINGS = 62
"""More would be more than any pause, and a number without bound."""


class Backoff(StrEnum):
    """How a pause grows."""

    CONSTANT = "constant"  #: it does not
    LINEAR = "linear"  #: by as much each time as it was at first
    EXPONENTIAL = "exponential"  #: twice as long each time


def pause(backoff: Backoff, *, first: timedelta, failures: int, longest: timedelta) -> timedelta:
    """The pause after so many failures in a row, of which there was one at least.

    One that is longer than `longest` from the first stays as it is, and grows no more.
    """
    doublings = min(failures - 1, _MOST_DOUBLINGS)
    match backoff:
        case Backoff.CONSTANT:
            times = 1
        case Backoff.LINEAR:
            times = failures
        case Backoff.EXPONENTIAL:
            times = 1 << doublings
    return (
        first
        if first >= longest
        else timedelta(seconds=min(first.total_seconds() * times, longest.total_seconds()))
    )
