"""What is kept of a definition: all that it says, and no secret."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from rota.model.backoff import Backoff
from rota.model.definition import Revision, digest_of, judging, text_of, written
from rota.model.param import Param, ParamKind, ParamType
from rota.model.retry import Retry
from rota.model.run import EndReason
from rota.model.secret import Secret
from rota.model.task import Overlap, Task

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_only_what_is_not_a_default_is_written_down_so_that_new_keys_of_rota_change_no_definition() -> None:
    assert written(Task(name="job", run="true")) == {"name": "job", "run": "true"}


def test_everything_is_as_json_and_the_file_have_it() -> None:
    task = Task(
        name="job", run=("a", "b"), cron=("@daily",), except_=("x",), timeout=timedelta(minutes=1),
        umask=0o27, not_before=date(2026, 1, 2), not_after=NOON, exit_codes=frozenset({3, 0}),
        on_overlap=Overlap.SKIP, env={"A": "1"},
        params=(Param(kind=ParamKind.ENV, name="E", type=ParamType.INTEGER, default="2"),),
    )  # fmt: skip

    found = json.loads(text_of(task))

    assert found == written(task)
    assert found == {
        "name": "job", "run": ["a", "b"], "cron": ["@daily"], "except": ["x"], "timeout": 60.0,
        "umask": "0027", "not_before": "2026-01-02", "not_after": "2026-03-02T12:00:00+00:00",
        "exit_codes": [0, 3], "on_overlap": "skip", "env": {"A": "1"},
        "params": [{"kind": "env", "name": "E", "type": "integer", "default": "2"}],
    }  # fmt: skip


def test_of_secrets_there_are_the_names() -> None:
    task = Task(
        name="job", run="true", secrets={"B": Secret("hunter2"), "A": Secret("swordfish")},
        file_env={"C": Secret("hunter2")},
        params=(Param(kind=ParamKind.ENV, name="K", type=ParamType.SECRET, default=Secret("hunter2")),),
    )  # fmt: skip

    text = text_of(task)

    assert json.loads(text)["secrets"] == ["A", "B"]
    assert json.loads(text)["file_env"] == ["C"]
    assert "hunter2" not in text
    assert "swordfish" not in text


def test_equal_definitions_have_one_digest_and_others_another() -> None:
    codes = [Task(name="job", run="true", exit_codes=frozenset(order)) for order in ([0, 8, 16], [16, 8, 0])]

    assert len({digest_of(text_of(task)) for task in codes}) == 1
    assert digest_of(text_of(Task(name="job", run="false"))) != digest_of(text_of(codes[0]))


@pytest.mark.parametrize("codes", [frozenset({0}), frozenset({0, 3})])
def test_a_definition_that_no_file_has_any_more_still_judges_ends(codes: frozenset[int]) -> None:
    definition = written(Task(name="job", run="true", exit_codes=codes))
    kept = Revision(name="job", number=4, since=NOON, definition=definition)

    assert judging(kept).exit_codes == codes


def test_how_a_run_is_tried_again_is_read_back_from_what_was_written() -> None:
    for retry in (
        Retry(),
        Retry(attempts=3),
        Retry(
            attempts=9,
            delay=timedelta(seconds=1.5),
            backoff=Backoff.EXPONENTIAL,
            max_delay=timedelta(hours=2),
            jitter=timedelta(seconds=3),
            on=frozenset({EndReason.TIMEOUT, 75}),
        ),
    ):
        text = text_of(Task(name="job", run="true", retry=retry))
        kept = Revision(name="job", number=1, since=NOON, definition=json.loads(text))
        assert judging(kept).retry == retry
