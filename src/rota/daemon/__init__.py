"""The server's process: it builds every part, starts them in order, and stops them in reverse."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def serve(
    *,
    config: Path | None,
    data: Path,
    host: str | None = None,
    port: int | None = None,
    any_port: bool = False,
) -> int:
    """Serve until told to end; the process's exit code.

    `host` and `port` take precedence over the file's; with `any_port` another port will do. Raises
    ConfigInvalid and Unusable.
    """
    # What a start makes stays: to look through it for garbage took a third of its time. See `_settle_memory`.
    gc.disable()
    # Here, since the imports take long: a process that is about to take its name need not pay for them twice.
    from rota.daemon.naming import take_name

    _load_structlog_alone()
    from rota.daemon.process import run

    take_name(config=config, data=data, host=host, port=port, any_port=any_port)
    return run(config=config, data=data, host=host, port=port, any_port=any_port)


def _load_structlog_alone() -> None:
    """Without rich, which it would load for tracebacks in colours that Rota's log does not have: 5 MB."""
    if "rich" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # so an import fails, as if it were not there
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]
