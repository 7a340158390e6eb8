"""Health: whether the engine can do its work, and what is in its way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """Sound, or what is wrong, a sentence each."""

    ok: bool
    problems: list[str]
