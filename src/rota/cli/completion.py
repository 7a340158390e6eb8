"""`rota completion`: what teaches a shell to complete Rota's command lines."""

from __future__ import annotations

from typing import Literal


def completion(shell: Literal["bash", "zsh", "fish"], /) -> None:
    """Print the completion script of a shell: verbs, options, and the names of tasks and runs.

    For this shell alone: eval "$(rota completion bash)". For all to come:

    bash: rota completion bash > ~/.local/share/bash-completion/completions/rota

    zsh: rota completion zsh > a folder of $fpath, as _rota

    fish: rota completion fish > ~/.config/fish/completions/rota.fish

    Parameters
    ----------
    shell
        The shell.
    """
    from rota.cli.app import app

    print(app.generate_completion(prog_name="rota", shell=shell))
