"""Cursors of lists that go by name."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import AfterValidator


def write(name: str) -> str:
    """Where a page ended."""
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def read(cursor: str) -> str:
    """The name that a page ended with. Raises ValueError."""
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise ValueError("it is not a cursor of this list; begin without one") from error


#: A cursor in a query, as the name that it stands for.
NameCursor = Annotated[str, AfterValidator(read)]
