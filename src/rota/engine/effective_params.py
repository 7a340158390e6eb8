"""The parameters that a run gets: what was given, and the task's defaults for the rest. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from rota.model.error import Fault, Invalid
from rota.model.param import Misfit, ParamKind, allowed, read
from rota.model.secret import REDACTED, Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rota.model.param import Param
    from rota.model.task import Task


@dataclass(frozen=True, kw_only=True, slots=True)
class Effective:
    """Every value that a run is given. One left out on purpose is null, so that a retry omits it too."""

    params: Mapping[str, str | None] = field(default_factory=dict)  #: of a secret, only that there is one
    secrets: Mapping[str, Secret] = field(default_factory=dict)  #: the secrets that were given


NONE = Effective()


def effective_params(task: Task, given: Mapping[str, object]) -> Effective:
    """What a run of the task gets of the values in a trigger's `params`.

    An absent key takes the default, null leaves the parameter out, an empty text is a value. Raises Invalid,
    which names every fault.
    """
    if not task.params and not given:
        return NONE
    faults = [
        _unknown(task, key, given[key]) for key in given if all(key != each.name for each in task.params)
    ]
    params: dict[str, str | None] = {}
    secrets: dict[str, Secret] = {}
    for param in task.params:
        try:
            value = _value(param, given)
        except Misfit as misfit:
            value = None
            faults.append(_fault(param.name, str(misfit), None if param.secret else given.get(param.name)))
        if isinstance(value, Secret):
            params[param.name] = REDACTED
            if value is not param.default:  # which is in the configuration, and kept nowhere else
                secrets[param.name] = value
        elif value is not None or param.name in given:
            params[param.name] = value
    if faults:
        raise Invalid(faults)
    return Effective(params=params, secrets=secrets)


def _value(param: Param, given: Mapping[str, object]) -> str | Secret | None:
    """What a parameter is, or None where it is left out. Raises Misfit."""
    if param.name not in given:
        if param.required and param.default is None:
            raise Misfit("it is required", allowed(param))
        return param.default
    value = given[param.name]
    if value is not None:
        text = read(param, value)
        if not param.secret:
            return text
        if text == REDACTED:
            raise Misfit("this stands for a secret that is not shown, and is none", allowed(param))
        return Secret(text)
    if param.required:
        raise Misfit("it is required, and null leaves it out", allowed(param))
    return "false" if param.kind is ParamKind.FLAG else None


def _unknown(task: Task, key: str, value: object) -> Fault:
    declared = [param.name for param in task.params]
    message = f"task {task.name!r} declares no such parameter"
    like = {name.lower(): name for name in declared}
    if nearest := get_close_matches(key.lower(), like, n=1):
        message += f"; did you mean {like[nearest[0]]}?"
    elif declared:
        message += f"; it declares {', '.join(declared)}"
    # Under a name that is misspelt there may be a secret.
    return _fault(key, message, None if any(param.secret for param in task.params) else value)


def _fault(key: str, message: str, value: object) -> Fault:
    return Fault(location=f"body.params.{key}", message=message, value=value)
