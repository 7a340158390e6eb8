"""Listing: a page of what is all at hand, and the cursor for the rest."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, TypeVar

from rota.mcp.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


def page_of(
    items: Sequence[T], limit: int, last: str | None, name: Callable[[T], str]
) -> tuple[list[T], str | None]:
    """The first items behind the name `last`, and the cursor behind them; the items are in order of name."""
    following = [each for each in items if last is None or name(each) > last]
    shown = following[:limit]
    more = len(following) > limit
    return shown, _cursor(name(shown[-1])) if more else None


def after(cursor: str | None) -> str | None:
    """The name that a cursor stands for. Raises Refusal."""
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise Refusal(
            "cursor: this is none; take next_cursor of the answer before, or leave it out"
        ) from error


def _cursor(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).rstrip(b"=").decode()
