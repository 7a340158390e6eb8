"""The bench's own arithmetic: percentiles, bars, and the table that shows them."""

from __future__ import annotations

import pytest

from bench.figures import Bar, Better, Line, Unit, median, percentile
from bench.table import document, figure, render

THREE_TIMES = Bar(value=3, better=Better.MORE, of_runwisp=True)
HALF_OF_THE_FLOOR = Bar(value=0.5, better=Better.MORE, of_floor=True)
UNDER_THREE_SECONDS = Bar(value=3, better=Better.LESS, strict=True)


def test_a_percentile_is_a_sample_that_enough_of_the_others_do_not_exceed():
    samples = [float(number) for number in range(200, 0, -1)]

    assert percentile(samples, 0) == 1
    assert percentile(samples, 0.5) == 100
    assert percentile(samples, 0.99) == 198
    assert percentile(samples, 1) == 200
    assert percentile([7.0], 0.99) == 7


def test_a_median_lies_in_the_middle():
    assert median([3.0, 1.0, 2.0]) == 2
    assert median([4.0, 1.0, 2.0, 3.0]) == 2.5


def test_no_samples_have_no_percentile_and_no_median():
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 0.5)
    with pytest.raises(ValueError, match="no samples"):
        median([])
    with pytest.raises(ValueError, match="between 0 and 1"):
        percentile([1.0], 99)


@pytest.mark.parametrize(
    ("rota", "runwisp", "met"),
    [(300.0, 100.0, True), (299.0, 100.0, False), (None, 100.0, None), (300.0, None, None)],
)
def test_a_bar_against_runwisp_is_judged_by_the_ratio(rota, runwisp, met):
    line = Line(name="rate", unit=Unit.RATE, rota=rota, runwisp=runwisp, bar=THREE_TIMES)

    assert line.met is met


@pytest.mark.parametrize(
    ("rota", "floor", "met"),
    [(50.0, 100.0, True), (49.0, 100.0, False), (None, 100.0, None), (50.0, None, None)],
)
def test_a_bar_against_the_floor_is_judged_by_the_share_of_it(rota, floor, met):
    line = Line(name="pipe", unit=Unit.MB_RATE, rota=rota, floor=floor, bar=HALF_OF_THE_FLOOR)

    assert line.met is met
    assert "≥ 0.5 x floor" in render([line])


@pytest.mark.parametrize(("rota", "met"), [(2.9, True), (3.0, False), (3.1, False)])
def test_a_strict_bar_is_not_met_by_its_own_value(rota, met):
    assert Line(name="ready", unit=Unit.SECONDS, rota=rota, bar=UNDER_THREE_SECONDS).met is met


def test_a_line_without_a_bar_has_no_verdict():
    assert Line(name="p50", unit=Unit.MS, rota=1.0).met is None


def test_no_faults_meet_the_bar_of_none():
    bar = Bar(value=0, better=Better.LESS)

    assert Line(name="faults", unit=Unit.COUNT, rota=0, bar=bar).met is True
    assert Line(name="faults", unit=Unit.COUNT, rota=1, bar=bar).met is False


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1333.4, Unit.RATE, "1,333 /s"),
        (46.04, Unit.MB, "46.0 MB"),
        (0.6, Unit.CORE, "0.60 % of a core"),
        (0, Unit.COUNT, "0"),
        (None, Unit.MS, ""),
    ],
)
def test_a_figure_shows_three_digits_and_its_unit(value, unit, text):
    assert figure(value, unit) == text


def test_the_table_says_met_missed_and_not_judged_honestly():
    lines = [
        Line(name="good", unit=Unit.RATE, rota=1300.0, runwisp=320.0, floor=1500.0, bar=THREE_TIMES),
        Line(name="bad", unit=Unit.SECONDS, rota=3.5, bar=UNDER_THREE_SECONDS),
        Line(name="unknown", unit=Unit.RATE, rota=1300.0, bar=THREE_TIMES),
    ]

    _, rule, good, bad, unknown = render(lines).splitlines()

    assert set(rule) == {"─"}
    assert "4.06x" in good
    assert "≥ 3 x RunWisp" in good
    assert good.endswith("met")
    assert "< 3 s" in bad
    assert bad.endswith("MISSED")
    assert unknown.endswith("not judged")


def test_the_document_holds_what_the_table_shows():
    line = Line(name="rate", unit=Unit.RATE, rota=600.0, runwisp=300.0, floor=1500.0, bar=THREE_TIMES)

    assert document([line]) == [
        {
            "name": "rate",
            "unit": "/s",
            "rota": 600.0,
            "runwisp": 300.0,
            "ratio": 2.0,
            "floor": 1500.0,
            "bar": "≥ 3 x RunWisp",
            "met": False,
        }
    ]
