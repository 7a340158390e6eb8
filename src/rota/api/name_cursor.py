"""Cursors of lists that go by name."""

from __future__ import annotations

import base64
import binascii

from rota.model.error import Fault, Invalid


def write(name: str) -> str:
    """Where a page ended."""
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def read(cursor: str | None) -> str | None:
    """The name that a page ended with; None for the first page. Raises Invalid."""
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        fault = "it is not a cursor of this list; begin without one"
        raise Invalid([Fault(location="query.cursor", message=fault, value=cursor)]) from error
