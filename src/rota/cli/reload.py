"""`rota reload`: have the server go by its configuration as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rota.cli.complaint import say
from rota.cli.options import Given, Json
from rota.cli.output import NOTHING, Output

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TITLES = ("WHAT", "KIND", "NAME", "WHY")


def reload(
    *,
    dry_run: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    json: Json = False,
    options: Given,
) -> None:
    """Have the server go by its configuration as it is now, and say what that changes.

    A fault anywhere changes nothing, and is named with its place. What runs goes on under the definition that
    it was started under.

    Parameters
    ----------
    dry_run
        Change nothing, and say what would change.
    """
    out = Output()
    found = options.client().reload(dry_run=dry_run)
    if json:
        out.json(found)
        return
    out.table(TITLES, _rows(found), empty="Nothing has changed.")
    for warning in found["warnings"]:
        say(f"warning: {warning}")


def _rows(found: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for what in ("added", "removed", "changed"):
        for each in found[what]:
            yield what, each["kind"], each["name"], ", ".join(each.get("keys", ())) or NOTHING
    for name in found["restarted"]:
        yield "restarted", "service", name, "one instance after another"
    for name in found["scaled"]:
        yield "scaled", "service", name, NOTHING
    for each in found["stopped"]:
        if each["kind"] == "run":
            yield "stopped", "run", each["run_id"], f"it waited, and {each['name']} is removed"
        else:
            yield "stopped", "service", each["name"], NOTHING
    for key in found["needs_server_restart"]:
        yield "waits", "key", key, "for the next start of the server"
