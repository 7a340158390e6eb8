"""What fits a parameter: every type, and everything that may limit it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from rota.model.param import LONGEST, Misfit, Param, ParamKind, ParamType, read, whole


def param(type_: str = "string", **fields: Any) -> Param:
    return Param(**{"kind": ParamKind.ARG, "name": "x", "type": ParamType(type_), **fields})


@pytest.mark.parametrize(
    ("of", "given", "text"),
    [
        (param(), "a b; $(c)\n", "a b; $(c)\n"),
        (param(), "", ""),
        (param("integer"), "-007", "-007"),
        (param("integer"), 12, "12"),
        (param("integer"), 12.0, "12"),
        (param("number"), "4.5e3", "4.5e3"),
        (param("number"), ".5", ".5"),
        (param("number"), 1e22, "1e+22"),
        (param("number"), 3, "3"),
        (param("boolean"), True, "true"),
        (param("boolean"), "FALSE", "false"),
        (param("boolean"), "1", "true"),
        (param("date"), "2026-02-28", "2026-02-28"),
        (param("date"), date(2026, 2, 28), "2026-02-28"),
        (param("datetime"), "2026-11-22t20:36:03.5+01:00", "2026-11-22t20:36:03.5+01:00"),
        (param("datetime"), datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (param("enum", choices=("low", "")), "", ""),
        (param("enum", choices=("low",), allow_custom=True), "high", "high"),
        (param("integer", choices=("1", "2")), "02", "02"),
        (param("number", choices=("1.0",)), 1, "1"),
        (param("secret"), "hunter2", "hunter2"),
        (param(pattern="[a-z]+"), "abc", "abc"),
        (param("integer", min=1, max=3), 3, "3"),
        (param("number", min=0.1), "0.1", "0.1"),
        (param("date", min="2026-01-01"), "2026-01-01", "2026-01-01"),
        (
            param("datetime", max="2026-01-01T01:00:00+01:00"),
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
        ),
    ],
)
def test_it_fits(of: Param, given: object, text: str) -> None:
    assert read(of, given) == text


@pytest.mark.parametrize(
    ("of", "given", "sentence"),
    [
        (param(), 5, "the number 5 does not fit; allowed: text"),
        (param(), True, "true does not fit; allowed: text"),
        (param(), ["a"], "a list does not fit"),
        (param(), {"a": 1}, "an object does not fit"),
        (param(), "a\0b", "NUL"),
        (param(), "\ud800", "half of a character"),
        (param(), "x" * (LONGEST + 1), f"at most {LONGEST}"),
        (param(kind=ParamKind.ENV), "x" * (LONGEST - 1), f"at most {LONGEST - 2}"),
        (param("integer"), "", 'the text "" does not fit; allowed: a whole number'),
        (param("integer"), "4.5", "does not fit"),
        (param("integer"), "1_0", "does not fit"),
        (param("integer"), "٣", "does not fit"),
        (param("integer"), 4.5, "the number 4.5 does not fit"),
        (param("integer"), True, "true does not fit"),
        (param("integer"), "9" * 101, "does not fit"),
        (param("integer"), 10**400, "does not fit"),
        (param("number"), "nan", "does not fit; allowed: a number"),
        (param("number"), float("inf"), "the number inf does not fit"),
        (param("number"), "1e99999", "does not fit"),
        (param("boolean"), "yes", "allowed: true or false"),
        (param("boolean"), 1, "the number 1 does not fit"),
        (param("date"), "2026-02-29", "allowed: a date such as 2026-11-22"),
        (param("date"), "20260228", "does not fit"),
        (param("date"), datetime(2026, 1, 2, tzinfo=UTC), "does not fit"),
        (param("datetime"), "2026-11-22T20:36:03", "a time with its zone"),
        (param("datetime"), "2026-11-22 20:36:03Z", "does not fit"),
        (param("datetime"), datetime(2026, 1, 2), "does not fit"),  # noqa: DTZ001
        (param("enum", choices=("low", "mid", "high")), "max", 'allowed: "low", "mid" or "high"'),
        (param("integer", choices=("1", "2")), 3, "the number 3 is not one of them"),
        (param("integer", choices=("1",), allow_custom=True), "x", "allowed: a whole number"),
        (param("secret"), "abc", "it is too short to be hidden in a log; allowed: text of at least 4"),
        (param("secret"), "", "too short"),
        (param(pattern="[a-z]+"), "abc1", "does not match; allowed: text that matches [a-z]+ as a whole"),
        (param(pattern="a|b"), "ab", "does not match"),
        (param(pattern="a$"), "a\n", "does not match"),
        (param("integer", min=1), 0, "the number 0 is too small; allowed: a whole number from 1 on"),
        (param("integer", max=9), "10", 'the text "10" is too large; allowed: a whole number up to 9'),
        (param("number", min=1, max=2), 3, "allowed: a number from 1 to 2"),
        (param("date", min="2026-01-01"), "2025-12-31", "is too early"),
        (param("datetime", max="2026-01-01T00:00:00Z"), "2026-01-01T00:00:00-01:00", "is too late"),
    ],
)
def test_it_does_not_fit_and_says_what_would(of: Param, given: object, sentence: str) -> None:
    with pytest.raises(Misfit) as told:
        read(of, given)

    assert sentence in str(told.value)


@pytest.mark.parametrize("given", ["abc", 1234, "hunter2\0", ["hunter2"]])
def test_what_is_wrong_with_a_secret_is_told_without_it(given: object) -> None:
    with pytest.raises(Misfit) as told:
        read(param("secret", pattern="x"), given)

    assert "hunter2" not in str(told.value)
    assert "1234" not in str(told.value)


def test_a_pattern_that_would_take_for_ever_elsewhere_takes_no_time() -> None:
    assert not whole("(a+)+")("a" * 100_000 + "b")
    with pytest.raises(ValueError, match="missing"):
        whole("(")
