"""How the command line speaks: times, verdicts, exit codes, tables."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from fake_server import run

from rota.cli import times
from rota.cli.follow import turn_of
from rota.cli.output import Output
from rota.cli.show_log import say_words
from rota.cli.verdict import exit_code, verdict

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"),
        (0.4, "now"),
        (-12, "12 s ago"),
        (-180, "3 min ago"),
        (3600 * 5 + 100, "in 5 h"),
        (86_400, "in 1 day"),
        (-86_400 * 3, "3 days ago"),
    ],
)
def test_a_moment_is_told_from_now(seconds: float, words: str):
    assert times.relative(NOW + timedelta(seconds=seconds), NOW) == words


def test_a_moment_far_away_is_told_by_its_date():
    assert times.relative(NOW - timedelta(days=200), NOW).startswith("2026-05-0")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0ms"), (0.0351, "35ms"), (2.14, "2.1s"), (200, "3m20s"), (3600, "1h"), (90_061, "1d1h1m")],
)
def test_a_duration_is_rounded_for_people(seconds: float, words: str):
    assert times.rough(seconds) == words


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"end_reason": "success", "exit_code": 0}, 0),
        ({"end_reason": "success", "exit_code": 3}, 3),
        ({"end_reason": "failed", "exit_code": 7}, 7),
        ({"end_reason": "failed", "exit_code": None, "signal": "SIGKILL"}, 137),
        ({"end_reason": "failed", "exit_code": None, "signal": "SIGSEGV"}, 139),
        ({"end_reason": "failed", "exit_code": None, "signal": "SIGRTMIN+3"}, 165),
        ({"end_reason": "timeout", "exit_code": None, "signal": "SIGTERM"}, 124),
        ({"end_reason": "timeout", "exit_code": 0}, 124),
        ({"end_reason": "stopped", "exit_code": None, "signal": "SIGKILL"}, 143),
        ({"end_reason": "stopped", "exit_code": None, "start_at": None}, 143),
        ({"end_reason": "skipped", "exit_code": None}, 125),
        ({"end_reason": "queue_full", "exit_code": None}, 125),
        ({"end_reason": "missed", "exit_code": None}, 125),
        ({"end_reason": "start_failed", "exit_code": None}, 125),
        ({"end_reason": "log_overflow", "exit_code": None, "signal": "SIGKILL"}, 125),
        ({"end_reason": "lost", "exit_code": None}, 125),
    ],
)
def test_rota_run_ends_as_its_run_ended(how: dict, code: int):
    assert exit_code(run(**how)) == code


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"end_reason": "failed", "exit_code": 3}, "backup failed with exit code 3 after 2.1s"),
        (
            {"end_reason": "failed", "exit_code": None, "signal": "SIGSEGV"},
            "backup died of SIGSEGV after 2.1s",
        ),
        (
            {"end_reason": "stopped", "start_at": None, "duration": None},
            "backup was cancelled while it waited",
        ),
        (
            {"end_reason": "start_failed", "duration": None, "message": "no folder /nope"},
            "backup could not be started: no folder /nope",
        ),
    ],
)
def test_a_verdict_is_a_sentence_with_the_runs_id(how: dict, words: str):
    assert verdict(run(**how)) == f"{words} (run {run()['id']})"


def test_a_pipe_gets_aligned_columns_and_every_cell_something(capsys: pytest.CaptureFixture[str]):
    Output(terminal=False).table(["TASK", "NEXT"], [["a", ""], ["longer", "x"]], empty="none")

    assert capsys.readouterr().out == "TASK    NEXT\na       -\nlonger  x\n"


def test_a_pipe_gets_the_titles_of_an_empty_table_and_a_person_a_sentence(capsys: pytest.CaptureFixture[str]):
    Output(terminal=False).table(["TASK"], [], empty="no tasks")
    Output(terminal=True).table(["TASK"], [], empty="no tasks")

    assert capsys.readouterr().out == "TASK\nno tasks\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("no_color", "coloured"), [(None, True), ("1", False)])
def test_a_terminal_gets_colours_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, no_color: str | None, coloured: bool
):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)

    Output().table(["TASK", "LAST"], [["backup", "failed"]], empty="none")

    assert ("\x1b[31mfailed" in terminal.getvalue()) is coloured
    assert "failed" in terminal.getvalue()


def test_a_cell_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]):
    Output(terminal=False).table(["TASK"], [["a\x1b[2Jb\nc"]], empty="none")

    assert capsys.readouterr().out == "TASK\na [2Jb c\n"


def test_times_are_relative_for_people_and_exact_for_programs():
    at = "2026-11-22T19:57:00.000000Z"

    assert Output(terminal=True, now=NOW).moment(at) == "3 min ago"
    assert Output(terminal=False, now=NOW).moment(at) == at
    assert Output(terminal=False, now=NOW).moment(None) == "-"


def test_what_rota_adds_to_a_line_of_its_own_is_shown_as_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    for piece in (b"timed out after 1 s", b"; still there 5 s after SIGTERM: killed", b"\n", b"a; b\n"):
        say_words(piece)

    said = ["timed out after 1 s", "still there 5 s after SIGTERM: killed", "a; b"]
    assert capsys.readouterr().err.splitlines() == [f"rota: {words}" for words in said]


@pytest.mark.parametrize(
    ("waiting_for", "said"),
    [
        (None, "waits for its turn"),
        ({"kind": "keeper", "name": None, "run_ids": []}, "waits for its turn"),
        ({"kind": "pause", "name": "db", "run_ids": []}, "is held by the pause of db, until `rota resume`"),
        (
            {"kind": "pause", "name": None, "run_ids": []},
            "is held by the pause of everything, until `rota resume`",
        ),
        ({"kind": "jobs", "name": None, "run_ids": ["a", "b"]}, "waits for its turn behind a, b"),
        (
            {"kind": "jobs", "name": None, "run_ids": list("abcde")},
            "waits for its turn behind a, b, c and 2 more",
        ),
    ],
)
def test_a_run_that_waits_names_those_that_have_the_slots(
    waiting_for: dict[str, object] | None, said: str
) -> None:
    assert turn_of({"waiting_for": waiting_for}) == said
