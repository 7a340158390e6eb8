"""What a reload changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from rota.api.shapes.shape import Inner, RunIdText, Shape
from rota.config.difference import PartKind

if TYPE_CHECKING:
    from rota.operations.reload import Reloaded


class Part(Inner):
    """Something that a configuration has by its name."""

    kind: PartKind
    name: str = Field(description="Of a table that there is once, such as `jobs`, the table's.")


class ChangedPart(Part):
    """The same, of which the configuration says something else."""

    keys: list[str] = Field(description="Those that mean something else now, `[defaults]` counted in.")


class StoppedByReload(Inner):
    """A service that stops, or a run that ends before it has started."""

    kind: Literal["service", "run"]
    name: str = Field(description="The service's, or the run's task's.")
    run_id: RunIdText | None = Field(description="Of a run.")


class Reload(Shape):
    """What a reload has changed, or with `dry_run` would change."""

    dry_run: bool
    added: list[Part]
    removed: list[Part]
    changed: list[ChangedPart]
    restarted: list[str] = Field(
        description="Services whose processes see something else now: one instance after another."
    )
    scaled: list[str] = Field(description="Services with another number of instances.")
    stopped: list[StoppedByReload] = Field(
        description="Services that are gone, and runs that waited of such tasks."
    )
    needs_server_restart: list[str] = Field(
        description="Keys such as `server.port`, whose change waits for the next start of the server."
    )
    warnings: list[str] = Field(description="What the configuration would better say otherwise.")

    @staticmethod
    def as_json(it: Reloaded) -> dict[str, Any]:
        return {
            "dry_run": it.dry_run,
            "added": [{"kind": each.kind, "name": each.name} for each in it.difference.added],
            "removed": [{"kind": each.kind, "name": each.name} for each in it.difference.removed],
            "changed": [
                {"kind": each.kind, "name": each.name, "keys": list(each.keys)}
                for each in it.difference.changed
            ],
            "restarted": list(it.effects.restarted),
            "scaled": list(it.effects.scaled),
            "stopped": [
                *({"kind": "service", "name": name, "run_id": None} for name in it.effects.stopped_services),
                *({"kind": "run", "name": run.task_name, "run_id": run.id} for run in it.effects.stopped),
            ],
            "needs_server_restart": list(it.difference.needs_server_restart),
            "warnings": list(it.warnings),
        }
