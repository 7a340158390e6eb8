"""How an error reads on standard error: one sentence, and a line for each fault that it names."""

from __future__ import annotations

import os
import sys

from rota.client.problem import Problem
from rota.model.error import Invalid, RotaError


class Misuse(RotaError):
    """The command line itself is wrong, in a way that its parser does not know of."""


def complain(error: RotaError | OSError) -> None:
    """Say what is wrong."""
    if isinstance(error, OSError):
        discard_output()
        say(f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error))
    elif isinstance(error, (Problem, Invalid)) and error.faults:
        say(error.title if isinstance(error, Problem) else "the request has faults")
        for fault in error.faults:
            place = f"{fault.location}: " if fault.location else ""
            print(f"  {place}{fault.message}", file=sys.stderr)
    else:
        say(str(error))


def say(sentence: str) -> None:
    """One line of Rota's own words, apart from what a program wrote."""
    print(f"rota: {sentence}", file=sys.stderr, flush=True)


def discard_output() -> None:
    """Leave out what is still to be printed, which would fail again at the interpreter's exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
