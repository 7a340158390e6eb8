"""The command line's entry: runs one, and turns what went wrong into a sentence and an exit code."""

from __future__ import annotations

import gc
import io
import os
import sys
from typing import NoReturn

from rota.cli.complaint import Misuse, complain, discard_output, say
from rota.cli.exit_code import ExitCode
from rota.model.error import RotaError


def main() -> NoReturn:
    """Run one command line, and exit."""
    gc.disable()  # what is imported now is no garbage, and looking for some costs a twentieth of the start
    sys.exit(run(sys.argv[1:]))


def run(words: list[str]) -> int:
    """The exit code of one command line."""
    _prepare_streams()
    _forget_empty_settings()
    try:
        code = _entered(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Misuse as error:
        complain(error)
        return ExitCode.USAGE
    except UnicodeEncodeError:  # of what is to be asked for, which may be secret
        say("a word of the command line, or the name of this folder, has bytes that are not UTF-8")
        return ExitCode.USAGE
    except RotaError as error:
        complain(error)
        return ExitCode.FAILED
    except BrokenPipeError:
        discard_output()  # the reader has what it wanted
        return ExitCode.BROKEN_PIPE
    except SystemExit as leaving:
        if isinstance(leaving.__context__, BrokenPipeError):  # rich meets it first, and leaves with 1
            return ExitCode.BROKEN_PIPE
        raise
    except OSError as error:
        complain(error)
        return ExitCode.FAILED
    return code


def _entered(words: list[str]) -> int:
    from cyclopts import CycloptsError

    from rota.cli.app import app

    gc.freeze()
    gc.enable()
    if words[:1] in ([], ["--help"], ["-h"]):
        app.resolved_commands()  # so that the help can say what each verb does
    ours, rest = _parted(words)
    try:
        enter, bound, more = app.meta.parse_args(ours, print_error=False, exit_on_error=False)
        code: int | None = enter(*bound.args, **bound.kwargs, **dict.fromkeys(more, rest))
    except CycloptsError as error:
        error.verbose = False
        verb = " ".join(("rota", *(error.command_chain or ())))
        hint = "the command stands after --; " if verb == "rota exec" and not rest else ""
        raise Misuse(f"{error} ({hint}see `{verb} --help`)") from error
    return code or ExitCode.OK


def _parted(words: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """The words with options, and those from the first `--` on, which has to be there for the verb, too."""
    place = words.index("--") if "--" in words else len(words)
    return words[:place], tuple(words[place:])


def _prepare_streams() -> None:
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # it was closed by whoever started us
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115  for the life of the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that is not text is shown, not died of


def _forget_empty_settings() -> None:
    """An empty variable says nothing: `ROTA_PORT=` is how many a file of settings leaves one out."""
    for name in [name for name, value in os.environ.items() if name.startswith("ROTA_") and not value]:
        del os.environ[name]
