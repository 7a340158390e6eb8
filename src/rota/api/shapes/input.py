"""What was sent to a run, and the size of its terminal."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rota.api.shapes.shape import RunIdText, Shape


class InputTaken(Shape):
    """What was sent to a run was taken, all of it."""

    run_id: RunIdText
    unread: int = Field(ge=0, description="Bytes that were taken, by now or before, and not read yet.")

    @staticmethod
    def as_json(run_id: str, unread: int) -> dict[str, Any]:
        return {"run_id": run_id, "unread": unread}


class TerminalSize(Shape):
    """The size of a run's terminal."""

    run_id: RunIdText
    rows: int = Field(ge=1)
    cols: int = Field(ge=1)

    @staticmethod
    def as_json(run_id: str, rows: int, cols: int) -> dict[str, Any]:
        return {"run_id": run_id, "rows": rows, "cols": cols}
