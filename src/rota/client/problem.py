"""What can go wrong between a client and its server.

RotaError
├── NoServer       nobody listens on the data folder's socket
├── NotAllowed     the socket is another user's
├── Disconnected   the server went away, or fell silent, in the middle of an exchange
└── Problem        the server's own answer: problem+json, with every fault that it names
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from rota.model.error import Fault, RotaError

if TYPE_CHECKING:
    from pathlib import Path


class NoServer(RotaError):
    """No server runs for this data folder."""

    def __init__(self, data: Path) -> None:
        super().__init__(
            f"no Rota server runs for the data folder {data}; "
            f"start one with `rota serve --data {shlex.quote(str(data))}`, "
            "or name another folder with --data or ROTA_DATA"
        )
        self.data = data


class NotAllowed(RotaError):
    """The data folder's socket belongs to somebody else."""

    def __init__(self, data: Path) -> None:
        super().__init__(
            f"the data folder {data} may not be entered by this user; "
            "run the command as the user whose server it is"
        )
        self.data = data


class Disconnected(RotaError):
    """The server was there and then was not; what was asked may or may not have happened."""

    def __init__(self, data: Path, why: str) -> None:
        super().__init__(f"the Rota server of {data} {why}; see `rota status`")
        self.data = data


class Problem(RotaError):
    """The server's refusal, as it said it (RFC 9457)."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status = status
        self.body = body
        self.title: str = str(body.get("title") or f"the server answered {status}")
        self.detail: str = str(body.get("detail") or self.title)
        self.kind = str(body.get("type", "")).rpartition("/")[2]  #: such as `run-ended`
        self.run_id: str | None = body.get("run_id")
        self.faults = tuple(
            Fault(
                location=str(each.get("location", "")), message=str(each["message"]), value=each.get("value")
            )
            for each in body.get("errors") or ()
            if isinstance(each, dict) and "message" in each
        )
        super().__init__(self.detail)
