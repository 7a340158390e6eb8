"""Every verb and every option that goes before or after it, as cyclopts has them."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Group, Parameter

import rota
from rota.cli.exit_code import ExitCode
from rota.cli.options import Options

_TASKS = Group("Tasks and runs", sort_key=1)
_SERVICES = Group("Services", sort_key=2)
_JOBS = Group("Jobs", sort_key=3)
_SERVER = Group("Server", sort_key=4)
_FILE = Group("Configuration and integration", sort_key=5)
_EVERYWHERE = Group("Everywhere", sort_key=9)

#: Every verb: its name, where it is, and its place in `rota --help`. It is imported when it is called.
VERBS = (
    ("list", "rota.cli.list:list_tasks", _TASKS),
    ("run", "rota.cli.run:run", _TASKS),
    ("next", "rota.cli.next:next_ticks", _TASKS),
    ("why", "rota.cli.why:why", _TASKS),
    ("runs", "rota.cli.runs:list_runs", _TASKS),
    ("show", "rota.cli.show:show", _TASKS),
    ("logs", "rota.cli.logs:logs", _TASKS),
    ("stop", "rota.cli.stop:stop", _TASKS),
    ("rerun", "rota.cli.rerun:rerun", _TASKS),
    ("delete", "rota.cli.delete:delete", _TASKS),
    ("restore", "rota.cli.restore:restore", _TASKS),
    ("pause", "rota.cli.pause:pause", _TASKS),
    ("resume", "rota.cli.resume:resume", _TASKS),
    ("services", "rota.cli.services:services", _SERVICES),
    ("start", "rota.cli.start:start", _SERVICES),
    ("restart", "rota.cli.restart:restart", _SERVICES),
    ("scale", "rota.cli.scale:scale", _SERVICES),
    ("signal", "rota.cli.signal:signal", _SERVICES),
    ("exec", "rota.cli.exec:exec_command", _JOBS),
    ("attach", "rota.cli.attach:attach", _JOBS),
    ("jobs", "rota.cli.jobs:list_jobs", _JOBS),
    ("serve", "rota.cli.serve:serve", _SERVER),
    ("reload", "rota.cli.reload:reload", _SERVER),
    ("status", "rota.cli.status:status", _SERVER),
    ("shutdown", "rota.cli.shutdown:shutdown", _SERVER),
    ("mcp", "rota.cli.mcp:mcp", _FILE),
    ("agent-guide", "rota.cli.agent_guide:agent_guide", _FILE),
    ("validate", "rota.cli.validate:validate", _FILE),
    ("schema", "rota.cli.schema:schema", _FILE),
    ("openapi", "rota.cli.openapi:openapi", _FILE),
    ("completion", "rota.cli.completion:completion", _FILE),
)

app = App(
    name="rota",
    help="Runs your scheduled tasks, services and background jobs, and keeps the truth about every run.",
    version=rota.__version__,
    help_format="markdown",
    result_action="return_value",
)
app.meta.result_action = "return_value"
app["--help"].group = app["--version"].group = _EVERYWHERE
for _name, _function, _group in VERBS:
    app.command(_function, name=_name, group=_group)


@app.meta.default
def enter(
    *words: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    rest: Annotated[tuple[str, ...], Parameter(parse=False)] = (),
    config: Annotated[str | None, Parameter(env_var="ROTA_CONFIG", group=_EVERYWHERE)] = None,
    data: Annotated[str | None, Parameter(env_var="ROTA_DATA", group=_EVERYWHERE)] = None,
    host: Annotated[str | None, Parameter(env_var="ROTA_HOST", group=_EVERYWHERE)] = None,
    port: Annotated[int | None, Parameter(env_var="ROTA_PORT", group=_EVERYWHERE)] = None,
) -> int:
    """Find the verb among the words, and run it; `rest` begins with `--`, and has no options.

    Parameters
    ----------
    config
        The configuration file.
    data
        The data folder, by which a server is found.
    host
        Where `rota serve` listens: a loopback address.
    port
        Where `rota serve` listens; 0 takes a free port.
    """
    verb, bound, ours = app.parse_args([*words, *rest], print_error=False, exit_on_error=False)
    given = dict.fromkeys(ours, Options(config=config, data=data, host=host, port=port))
    code: int | None = verb(*bound.args, **bound.kwargs, **given)
    return code or ExitCode.OK
