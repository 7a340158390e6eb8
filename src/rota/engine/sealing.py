"""Sealing: what is kept of secrets, made beside the loop, since the key may have to come from a slow disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from rota.model.error import StoreUnavailable
from rota.storage.vault import Locked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rota.storage.vault import Vault

T = TypeVar("T")


async def seal(vault: Vault, secrets: Mapping[str, str]) -> str | None:
    """What a run keeps of its secrets until it starts; None without any. Raises StoreUnavailable."""
    return await _kept(vault.seal, secrets) if secrets else None


async def digests(vault: Vault, secrets: Mapping[str, str]) -> dict[str, str]:
    """What tells equal secrets from others, and nothing else of them. Raises StoreUnavailable."""
    return await _kept(vault.digests, secrets) if secrets else {}


async def _kept(keep: Callable[[Mapping[str, str]], T], secrets: Mapping[str, str]) -> T:
    try:
        return await asyncio.to_thread(keep, secrets)
    except Locked as error:
        raise StoreUnavailable(f"secrets cannot be kept: {error}") from error
