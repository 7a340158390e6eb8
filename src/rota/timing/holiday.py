"""Public holidays of countries, from the `holidays` library.

It takes half a second and twenty megabytes, so it is imported when a calendar first names a country.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

from rota.timing.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Container
    from datetime import date

PATTERN = r"^[A-Za-z]{2,3}(-.+)?$"
ALLOWED = 'a country by its ISO 3166 code such as "DE", with a part of it such as "DE-BY" or "US-CA"'


def find_holidays(code: str) -> str:
    """The country, or part of one, that this code means; Unreadable says what is allowed."""
    country, _, part = code.strip().partition("-")
    known = _countries()
    found = country.upper()
    if found not in known:
        raise Unreadable(f'"{code}" is not a country whose holidays are known', ALLOWED, _nearest(country))
    if not part:
        return found
    parts = {each.upper(): each for each in known[found]}
    if not parts:
        raise Unreadable(f"{found} has the same holidays everywhere", f'"{found}"')
    if part.upper() not in parts:
        near = get_close_matches(part.upper(), parts, n=1)
        raise Unreadable(
            f'"{part}" is not a part of {found} whose holidays are known',
            f'"{found}" for all of it, or {found}- with one of {", ".join(known[found])}',
            f"{found}-{parts[near[0]]}" if near else None,
        )
    return f"{found}-{parts[part.upper()]}"


def is_holiday(code: str, day: date) -> bool:
    """Whether this day is a public holiday there; `code` is one that `find_holidays` gave."""
    return day in _holidays(code)


@lru_cache(maxsize=64)
def _holidays(code: str) -> Container[date]:
    from holidays import country_holidays

    country, _, part = code.partition("-")
    return country_holidays(country, subdiv=part or None)


@lru_cache(maxsize=1)
def _countries() -> dict[str, list[str]]:
    from holidays import list_supported_countries

    return dict(list_supported_countries(include_aliases=True))


def _nearest(country: str) -> str | None:
    """The code of the country that somebody who wrote its name may have meant."""
    from holidays.registry import COUNTRIES

    codes = {module.replace("_", " "): names[1] for module, names in COUNTRIES.items()}
    near = get_close_matches(country.strip().lower().replace("_", " "), codes, n=1, cutoff=0.8)
    return codes[near[0]] if near else None
