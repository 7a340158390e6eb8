"""`rota attach`: take up a run that goes on: its output comes here, what is typed here goes to it."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from rota.cli.attached import TYPED, attached
from rota.cli.complaint import complain, say
from rota.cli.exit_code import ExitCode
from rota.cli.options import Given
from rota.cli.show_log import Bytes
from rota.cli.suggest import suggest_runs
from rota.cli.which_run import run_or_latest
from rota.model.error import RotaError

#: Lines of what it wrote before, so that one sees where it stands.
RECENT = 10


def attach(
    run: Annotated[str, Parameter(completer=suggest_runs)],
    /,
    *,
    options: Given,
) -> int:
    """Attach to a run that goes on, as if `rota exec` had never left it.

    Its last lines come first, then what it writes. What is typed here goes to it, if it takes input. Ctrl-C
    stops it; Ctrl-\\ leaves it running, and so does the end of this terminal.

    Parameters
    ----------
    run
        Id of the run, a unique ending of it of at least 4 characters, or the name of a task or a job: its
        latest run.
    """
    try:
        client = options.client()
        found = run_or_latest(client, run)
        if found["status"] == "ended":
            say(f"run {found['id']} has ended; `rota logs {found['id']}` shows what it wrote")
            return ExitCode.ROTA
        return attached(client, found, Bytes(client.data, found["id"], last=RECENT, unsaid=TYPED))
    except BrokenPipeError:
        raise
    except (RotaError, OSError) as error:
        complain(error)
        return ExitCode.ROTA
