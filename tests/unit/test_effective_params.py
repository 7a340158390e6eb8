"""What a run gets of what was given: defaults, nulls, empty texts, and every fault at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rota.engine.effective_params import effective_params
from rota.model.error import Invalid
from rota.model.param import Param, ParamKind, ParamType
from rota.model.secret import Secret
from rota.model.task import Task

LEVEL = Param(kind=ParamKind.ENV, name="LEVEL", default="low")
WHO = Param(kind=ParamKind.ARG, name="who")
COUNT = Param(kind=ParamKind.OPTION, name="--count", type=ParamType.INTEGER, required=True)
DRY = Param(kind=ParamKind.FLAG, name="--dry", type=ParamType.BOOLEAN, default="true")
TOKEN = Param(kind=ParamKind.ENV, name="TOKEN", type=ParamType.SECRET)


def got(given: dict[str, object], *params: Param) -> dict[str, str | None]:
    return dict(effective_params(Task(name="job", run="true", params=params), given).params)


def faults(given: dict[str, object], *params: Param) -> list[tuple[str, str, object]]:
    with pytest.raises(Invalid) as told:
        got(given, *params)
    return [(fault.location, fault.message, fault.value) for fault in told.value.faults]


@pytest.mark.parametrize(
    ("given", "effective"),
    [
        ({}, {"LEVEL": "low", "--dry": "true"}),
        ({"LEVEL": None, "who": None, "--dry": None}, {"LEVEL": None, "who": None, "--dry": "false"}),
        ({"LEVEL": "", "who": ""}, {"LEVEL": "", "who": "", "--dry": "true"}),
        ({"who": "me", "--dry": False}, {"LEVEL": "low", "who": "me", "--dry": "false"}),
        ({"--dry": "0"}, {"LEVEL": "low", "--dry": "false"}),
    ],
)
def test_absent_is_the_default_null_is_nothing_and_empty_is_a_value(
    given: dict[str, object], effective: dict[str, str | None]
) -> None:
    assert got(given, LEVEL, WHO, DRY) == effective


def test_what_a_run_got_gives_the_same_again() -> None:
    declared = (LEVEL, WHO, DRY, replace(COUNT, default="3"))
    for given in ({}, {"LEVEL": None}, {"--dry": None, "who": "", "--count": 7}):
        first = got(given, *declared)

        assert got(dict(first), *declared) == first


def test_a_required_one_is_satisfied_by_its_default_or_a_value_that_fits_and_never_by_null() -> None:
    text = replace(COUNT, type=ParamType.STRING)

    assert got({}, replace(COUNT, default="3")) == {"--count": "3"}
    assert got({"--count": 5}, COUNT) == {"--count": "5"}
    assert got({"--count": ""}, text) == {"--count": ""}
    assert faults({}, COUNT)[0][1] == "it is required; allowed: a whole number"
    for declared in (COUNT, replace(COUNT, default="3")):
        assert "null leaves it out" in faults({"--count": None}, declared)[0][1]
    assert faults({"--count": ""}, COUNT)[0][1] == 'the text "" does not fit; allowed: a whole number'


def test_every_fault_is_told_at_once() -> None:
    found = faults({"LEVL": "x", "who": 5, "--dry": "maybe"}, LEVEL, WHO, COUNT, DRY)

    assert [(location, value) for location, _, value in found] == [
        ("body.params.LEVL", "x"),
        ("body.params.who", 5),
        ("body.params.--count", None),
        ("body.params.--dry", "maybe"),
    ]
    assert found[0][1] == "task 'job' declares no such parameter; did you mean LEVEL?"


def test_a_task_without_parameters_takes_none() -> None:
    assert got({}) == {}
    assert faults({"a": None}) == [("body.params.a", "task 'job' declares no such parameter", None)]


def test_of_a_secret_only_its_name_is_kept_and_no_fault_repeats_it() -> None:
    task = Task(name="job", run="true", params=(TOKEN,))

    effective = effective_params(task, {"TOKEN": "hunter2"})

    assert effective.params == {"TOKEN": "[redacted]"}
    assert effective.secrets == {"TOKEN": Secret("hunter2")}
    assert "hunter2" not in repr(effective)
    assert effective_params(task, {"TOKEN": None}).params == {"TOKEN": None}
    assert "hunter" not in str(faults({"TOKN": "hunter2", "TOKEN": "hunter\0"}, TOKEN))


def test_a_secret_s_default_is_not_shown_nor_kept_beside_the_configuration() -> None:
    task = Task(name="job", run="true", params=(replace(TOKEN, default=Secret("swordfish")),))

    effective = effective_params(task, {})

    assert effective.params == {"TOKEN": "[redacted]"}
    assert effective.secrets == {}


def test_what_a_run_shows_of_a_secret_cannot_be_given_for_it() -> None:
    assert "is not shown, and is none" in faults({"TOKEN": "[redacted]"}, TOKEN)[0][1]
