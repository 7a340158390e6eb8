"""The faults of a configuration: every one at once, each with its place and a sentence for people."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from rota.config.load import ConfigFault, ConfigInvalid, load

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rota.toml"


def faults(file: Path, text: str | None = None) -> list[ConfigFault]:
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigInvalid) as told:
        load(file, {})
    return told.value.faults


def task(line: str) -> str:
    return f'[tasks.a]\nrun = "true"\n{line}\n'


def other(name: str, line: str = "") -> str:
    return f'[tasks.{name}]\nrun = "true"\n{line}\n'


def test_a_faulty_key_hides_nothing_of_what_the_others_of_its_table_say(file: Path) -> None:
    found = faults(
        file,
        """\
[tasks.a]
run = "true"
timeout = "soon"
after = "nope"
env_file = "missing.env"

[tasks.b]
only = "workdays"

[tasks.c]
run = "true"
colour = 1
after = "d"

[tasks.d]
run = "true"
after = "c"

[services.s]
run = 5
depends_on = "t"
""",
    )

    assert [fault.key for fault in found] == [
        *("tasks.a.timeout", "tasks.a.after", "tasks.a.env_file"),
        *("tasks.b.run", "tasks.b.only"),
        *("tasks.c.colour", "tasks.c.after"),
        *("services.s.run", "services.s.depends_on"),
    ]


def test_a_faulty_key_makes_no_fault_of_one_that_only_fits_together_with_it(file: Path) -> None:
    found = faults(file, '[defaults]\non_overlap = "skip"\n' + task('catch_up = 3\non_overlap = "que"'))

    assert [fault.key for fault in found] == ["tasks.a.on_overlap"]


def test_every_fault_is_told_at_once_in_the_order_of_the_file(file: Path) -> None:
    found = faults(
        file,
        """\
[servr]
port = 1

[server]
host = "0.0.0.0"
port = 70000

[defaults]
env = { "1A" = "x", ROTA_RUN_ID = "y", B = 1 }

[tasks.backup]
run = "true"
cron = [
  "30 2 * * *",  # at night
  "61 * * * *",
]
on_overlap = "que"

[tasks."my task"]
run = ""

[tasks.silent]
timeot = "5"
""",
    )

    assert [(fault.line, fault.column, fault.key, fault.nearest) for fault in found] == [
        (1, 2, "servr", "server"),
        (5, 1, "server.host", None),
        (6, 1, "server.port", None),
        (9, 9, "defaults.env.1A", None),
        (9, 21, "defaults.env.ROTA_RUN_ID", None),
        (9, 40, "defaults.env.B", None),
        (15, 3, "tasks.backup.cron[1]", None),
        (17, 1, "tasks.backup.on_overlap", "queue"),
        (19, 8, 'tasks."my task"', None),
        (20, 1, 'tasks."my task".run', None),
        (22, 8, "tasks.silent.run", None),
        (23, 1, "tasks.silent.timeot", "timeout"),
    ]
    assert {fault.file for fault in found} == {str(file)}
    assert all(fault.allowed for fault in found)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[server]\nhost = "0.0.0.0"', "Rota has no accounts yet, so it listens to this machine alone"),
        ('[server]\nhost = "example.org"', "is not a loopback address"),
        ("[server]\nport = -1", "the number -1 is too small; allowed: a whole number from 0 to 65535"),
        ('[server]\nport = "80"', 'the text "80" does not fit here; allowed: a whole number'),
        ('[server]\ntimezone = "Paris"', "did you mean Europe/Paris?"),
        ("server = 5", "server: the number 5 does not fit here; allowed: a table"),
        ('[defaults]\nrun = "x"', "run has no place in [defaults]; allowed: it in [tasks.NAME]"),
        ("[tasks.a]", "the task has nothing to run; allowed: text for the shell, or a list"),
        ('[tasks.a]\nrun = "  "', "there is nothing to run"),
        ("[tasks.a]\nrun = []", "there is no program to run"),
        ('[tasks.a]\nrun = [""]', "there is no program to run"),
        ('[tasks.a]\nrun = ["x", 5]', "the number 5 cannot be an argument"),
        ("[tasks.a]\nrun = 5", "the number 5 cannot be run"),
        ('[tasks.a]\nrun = "a\\u0000b"', "NUL"),
        ('[tasks.a]\nrun = ["a", "\\u0000"]', "NUL"),
        ('[tasks.a.b]\nrun = "x"', '[tasks."a.b"] for a task of the name a.b'),
        ('[tasks.a]\ncommand = "x"', "there is no key command in [tasks.a]; did you mean run? allowed: "),
        (task('schedule = "@daily"'), "did you mean cron?"),
        (task("port = 5"), "port has no place in [tasks.a]; allowed: it in [server]"),
        (task("zzz = 5"), "there is no key zzz in [tasks.a]; allowed: after, after_failure, catch_up,"),
        (task('cron = "0 25 * * *"'), 'hour "25" does not fit; allowed: 0 to 23'),
        (task('cron = "0 0 31 2 *"'), "it never comes: none of its months has such a day"),
        (task('cron = "@dayly"'), "did you mean @daily?"),
        (task("cron = 5"), "the number 5 is not a schedule; allowed: five fields"),
        (task("cron = [5]"), "tasks.a.cron[0]: the number 5 does not fit here; allowed: text in quotes"),
        (task('memory_max = "100"'), "is too little for any program; allowed: at least 4mib"),
        (task('cpu_max = "half"'), 'the text "half" is no share of processors; allowed: a number of'),
        (task("cpu_max = 0.001"), "the number 0.001 is out of range; allowed: a number of processors"),
        (task("tasks_max = -1"), "the number -1 is too small"),
        (task('timezone = "Mars/Olympus"'), '"Mars/Olympus" is not a time zone'),
        (task('timeout = "5"'), '"5" has no unit; allowed: "5s" for seconds'),
        (task("timeout = -5"), "a duration cannot be negative"),
        (task("grace = nan"), "nan is not a duration"),
        (task("grace = true"), "true is not a duration; allowed: text such as"),
        (task("grace = 12:00:00"), "the time 12:00:00 is not a duration"),
        (task("grace = [5]"), "a list is not a duration"),
        (task("log_max_size = 1.5"), 'the number 1.5 is not a size; allowed: a size such as "100mb"'),
        (task('log_max_size = "1 pb"'), '"1 pb" is not a size; allowed: a size such as "100mb"'),
        (task("log_max_size = true"), "true is not a size"),
        (task("params = 5"), "allowed: a list in which each item is a table"),
        (task("max_queued = 0x" + "f" * 5_000), "a number of many digits is too large; allowed: a whole"),
        (task("on_overlap = 0x" + "f" * 5_000), "a number of many digits is not one of them"),
        ('[server]\nmanaged_file = "a\\u0000"', "it has a NUL character"),
        ('include = ["a\\u0000"]', "it has a NUL character"),
        (task('stop_signal = "SIGSTOP"'), "allowed: SIGTERM, SIGINT"),
        (task('stop_signal = "sigterm"'), "did you mean SIGTERM?"),
        (task('shell = "perl"'), 'allowed: no shell, and as a list: run = ["perl", "-e", "..."]'),
        (task('shell = "/usr/bin/php8.2"'), "php -c checks the text that follows, and does not run it"),
        (task("exit_codes = []"), "the list is empty"),
        (task("exit_codes = [256]"), "exit_codes[0]: the number 256 is too large"),
        (task("exit_codes = [true]"), "exit_codes[0]: true does not fit here"),
        (task("exit_codes = 0"), "allowed: a list in which each item is a whole number from 0 to 255"),
        (task('failures = ["success"]'), "failures[0]: a success is no failure"),
        (task('failures = ["timeuot"]'), "did you mean timeout?"),
        (task('failures = "failed"'), "allowed: a list in which each item is"),
        (task('after = "b"'), 'tasks.a.after: there is no task "b"; allowed: a'),
        (task('after = "w"\n[services.w]\nrun = "serve"'), 'tasks.a.after: "w" is a service; allowed: a'),
        (task('after = ["a"]'), "it comes after itself; allowed: tasks that do not come after it"),
        (task('after_failure = "a"'), "tasks.a.after_failure: it comes after itself"),
        (task("after = 5"), "the number 5 is not a task; allowed: the name of a task, or a list of such"),
        (
            task('after = ["extarct", "b"]') + other("extract") + other("b"),
            'after[0]: there is no task "extarct"; did you mean extract?',
        ),
        (
            task('after = "b"') + other("b", 'after = ["c"]') + other("c", 'after_failure = "a"'),
            "tasks.a.after: it comes after itself: a after b after c after a",
        ),
        (
            task('after = "b"\nparams = [{arg = "x", required = true}]') + other("b"),
            "the task starts by itself, and nobody gives it this value",
        ),
        (task("retry = 3"), "tasks.a.retry: the number 3 does not fit here; allowed: a table"),
        (task("retry = {attempts = 0}"), "too small; allowed: a whole number from 1 to 1000"),
        (task("retry = {tries = 3}"), "there is no key tries in [tasks.a.retry]; allowed: attempts, backoff"),
        (task('retry = {backoff = "exponentail"}'), "did you mean exponential?"),
        (task('retry = {on = ["stopped"]}'), 'retry.on[0]: the text "stopped" is not what a retry can mend'),
        (task('retry = {on = ["timeuot"]}'), "did you mean timeout?"),
        (task("retry = {on = [0]}"), "or an exit code from 1 to 255"),
        (task("retry = {on = []}"), "the list is empty"),
        (task('retry = {delay = "5m", max_delay = "1m"}'), "less than the first delay, which is 5m"),
        (task("max_concurrent = 0"), "too small; allowed: a whole number from 1 to 1024"),
        (task("max_concurrent = 1.5"), "the number 1.5 does not fit here"),
        (task("max_queued = 10001"), "too large; allowed: a whole number from 0 to 10000"),
        (task('enabled = "yes"'), 'the text "yes" does not fit here; allowed: true or false'),
        (task("keep_children = 1979-05-27"), "the time 1979-05-27 does not fit here"),
        (task('tags = "x"'), "allowed: a list in which each item is text in quotes"),
        (task('tags = [""]'), "tags[0]: it is empty"),
        (task(f'group = "{"x" * 101}"'), "it is 101 characters long"),
        (task('shell = "bash -eu"'), "a shell is one program, without arguments"),
        (task('shell = "./sh"'), "an absolute path such as /bin/bash, or a name such as bash"),
        (task('working_dir = "~nosuchuser/x"'), "a user that this machine does not know"),
        (task('working_dir = ""'), "it is empty"),
        (task('env = { "A=B" = "x" }'), "cannot be the name of an environment variable"),
        (task('env = { A = "\\u0000" }'), "tasks.a.env.A: it has a NUL character"),
        (task("env = []"), "a list does not fit here; allowed: a table"),
        (f'[tasks.{"x" * 101}]\nrun = "x"', "cannot be the name of a task"),
        (f'[tasks.a]\nrun = "{"x" * 131_072}"', "no program can be given more than 131071"),
    ],
)  # fmt: skip
def test_a_fault_is_told_in_a_sentence(file: Path, text: str, sentence: str) -> None:
    (fault,) = faults(file, text)

    assert sentence in str(fault)
    assert str(fault).startswith(f"{file}:{fault.line}:{fault.column}: {fault.key}: ")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('tasks.a.run = "x"\ntasks.a.corn = "x"', (2, 9)),
        ('[tasks]\na.run = "x"\na . corn = "x"', (3, 5)),
        ('[tasks]\na = { run = "x", corn = "x" }', (2, 18)),
        ('[tasks]\n"é" = { run = "x" }\n', (2, 1)),
        ('[tasks.a]\nrun = "é"; \n'.replace(";", "") + "exit_codes = [ # é\n 0,\n\t999]", (5, 2)),
        ('[tasks.a]\nenv = { "é" = "x", "\\u0041" = 5 }\nrun = "x"\n', (2, 9)),
        ('[[tasks.a]]\nrun = "x"', (1, 9)),
        ("[tasks.a.env]\nX = 'x'", (1, 8)),
    ],
)
def test_a_place_is_found_however_the_key_is_written(file: Path, text: str, place: tuple[int, int]) -> None:
    found = faults(file, text)[0]

    assert (found.line, found.column) == place


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("[tasks.a]\nrun = echo", (2, 7), "text stands in quotes"),
        ("[tasks.a]\nrun 'x'", (2, 5), "expected '='"),
        ("[tasks.a\n", (1, 9), "not TOML"),
        ("[tasks.a]\nrun = 'x'\n[tasks.a]", (3, 9), "the table [tasks.a] is there twice"),
        ("[tasks.a]\nrun = 'x'\nrun = 'y'\n", (3, 10), "this key has a value already"),
        ("[tasks.a]\nrun = '''x", (2, 11), "the file ends here"),
        ("[tasks.a]\nx = " + "[" * 10_000, (None, None), "nested too deeply"),
        ("[tasks.a]\nx = " + "9" * 5_000, (None, None), "not TOML: a number has thousands of digits"),
    ],
)
def test_a_syntax_error_is_told_alone_with_its_place(
    file: Path, text: str, place: tuple[int | None, int | None], sentence: str
) -> None:
    (fault,) = faults(file, text)

    assert (fault.line, fault.column) == place
    assert sentence in fault.message


def test_a_missing_file_a_folder_and_one_that_may_not_be_read_are_told(file: Path) -> None:
    (missing,) = faults(file)
    (folder,) = faults(file.parent)

    assert str(missing) == f"{file}: there is no such file; create it, or name another with --config"
    assert "this is a folder" in folder.message
    assert missing.line is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(file: Path) -> None:
    file.touch(mode=0)

    (fault,) = faults(file)

    assert "cannot be read: Permission denied" in fault.message


def test_a_file_that_is_not_utf_8_is_told_with_the_place_of_the_byte(file: Path) -> None:
    file.write_bytes("# é\nx = 'é".encode() + b"\xff'")

    (fault,) = faults(file)

    assert (fault.line, fault.column) == (2, 7)
    assert "0xff" in fault.message


def test_a_fault_is_plain_data_for_json(file: Path) -> None:
    (fault,) = faults(file, task('on_overlap = "skp"'))

    assert asdict(fault) == {
        "file": str(file),
        "line": 3,
        "column": 1,
        "key": "tasks.a.on_overlap",
        "message": 'the text "skp" is not one of them',
        "allowed": '"queue", "skip" or "replace"',
        "nearest": "skip",
    }


def test_faults_between_keys_are_told_with_all_others(file: Path) -> None:
    found = faults(
        file,
        """\
[calendars.holidays]
dates = ["2026-02-30"]
ranges = ["2026-07-31/2026-07-20"]
weekdays = ["Saturn"]
holidays = ["DE", "Germany"]

[tasks.a]
run = "true"
cron = "@daily"
except = ["hollidays", "holidays"]
only = "workdays"
not_before = 2026-07-01
not_after = "2026-06-30"

[tasks.b]
run = "true"
timeot = 5
""",
    )

    assert [(fault.line, fault.key, fault.nearest) for fault in found] == [
        (2, "calendars.holidays.dates[0]", None),
        (3, "calendars.holidays.ranges[0]", None),
        (4, "calendars.holidays.weekdays[0]", "SAT"),
        (5, "calendars.holidays.holidays[1]", "DE"),
        (10, "tasks.a.except[0]", "holidays"),
        (11, "tasks.a.only", None),
        (13, "tasks.a.not_after", None),
        (17, "tasks.b.timeot", "timeout"),
    ]
    assert found[4].message == 'there is no calendar "hollidays"'
    assert found[5].allowed == "holidays"


def test_an_unknown_calendar_alone_is_a_fault_too(file: Path) -> None:
    (fault,) = faults(file, task('cron = "@daily"\nexcept = "closed"'))

    assert str(fault).endswith(
        'tasks.a.except: there is no calendar "closed"; allowed: none: this file has no [calendars.NAME]'
    )


def test_more_than_one_tick_is_caught_up_by_a_queue_alone(file: Path) -> None:
    found = faults(
        file,
        """\
[defaults]
catch_up = 3
[tasks.queue]
run = "true"
cron = "@daily"
[tasks.skip]
run = "true"
cron = "@daily"
on_overlap = "skip"
[tasks.replace]
run = "true"
cron = "@daily"
catch_up = 2
on_overlap = "replace"
[tasks.one]
run = "true"
cron = "@daily"
catch_up = 1
on_overlap = "skip"
""",
    )

    assert [(fault.line, fault.key) for fault in found] == [
        (6, "tasks.skip.catch_up"),
        (13, "tasks.replace.catch_up"),
    ]
    assert found[1].message.startswith('catch_up = 2 needs on_overlap = "queue"')
