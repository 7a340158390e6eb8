"""The values of the file: each is read by one function, which returns what it means or raises Unreadable."""

from __future__ import annotations

import os
import re
from datetime import date, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from rota.config.address import loopback
from rota.model.retry import RETRIED
from rota.model.run import EndReason
from rota.model.secret import SHORTEST, Secret
from rota.model.service import SIGNALS
from rota.model.size import parse_size
from rota.model.task import NAME, STOP_SIGNALS
from rota.timing.calendar import parse_day, parse_range, parse_weekday
from rota.timing.duration import parse_duration
from rota.timing.expression import ALLOWED as CRON
from rota.timing.holiday import find_holidays
from rota.timing.schedule import parse_schedule
from rota.timing.unreadable import Unreadable
from rota.timing.zone import find_zone

if TYPE_CHECKING:
    from datetime import timedelta

    from rota.timing.calendar import Day

ENV_NAME = re.compile(r"^(?!ROTA_)[A-Za-z_][A-Za-z0-9_]*$")

USER = re.compile(r"^[^:/\s\x00]+(:[^:/\s\x00]+)?$")
UMASK = re.compile(r"^0?[0-7]{3}$")
PERCENT = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,3})?)\s*%")

HTTP = re.compile(r"^https?://[^/?#@\s]+([/?][^#\s]*)?$")
TCP = re.compile(r"^(?:(?P<host>\[[0-9a-fA-F:.]+\]|[^:\s\[\]]+)?:)?(?P<port>[0-9]{1,5}|\{port\})$")

COMMAND = 'text for the shell, or a list of a program and its arguments such as ["rsync", "-a", "/srv/"]'
_LONGEST_ARGUMENT = 131_071  #: bytes; the kernel refuses a longer one (MAX_ARG_STRLEN)
_LONGEST_LABEL = 100
LEAST_MEMORY = 4 << 20  #: bytes; a program that has less may not even be loaded
LEAST_PROCESSORS, MOST_PROCESSORS = 0.01, 65_536  #: the kernel's least share, and more than any machine has
LEAST_LOG = 128 * 1024  #: bytes; two reads of the keeper, so that there is always something to read


def text(value: str) -> str:
    if "\0" in value:
        raise Unreadable("it has a NUL character, which no program can be given", "text without NUL")
    if len(value.encode()) > _LONGEST_ARGUMENT:
        raise Unreadable(
            f"it is {len(value.encode())} bytes long; no program can be given more than {_LONGEST_ARGUMENT}",
            "less, such as the name of a file that holds it",
        )
    return value


def secret(value: Any) -> Secret:
    if not isinstance(value, str):
        raise Unreadable("this is no text", "text in quotes")
    if len(text(value)) < SHORTEST:
        raise Unreadable(
            f"it has fewer than {SHORTEST} characters, and cannot be hidden in a log", "a longer one"
        )
    return Secret(value)


def file(value: str) -> str:
    if not text(value).strip():
        raise Unreadable("it is empty", "a path: absolute, below ~, or relative to the folder of this file")
    return value


def files(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise Unreadable(f"{shown(value)} names no file", "a path, or a list of such")
    return value


def label(value: str) -> str:
    if not value.strip():
        raise Unreadable("it is empty", "a label, or leave it out")
    if len(value) > _LONGEST_LABEL:
        raise Unreadable(f"it is {len(value)} characters long", f"a label of up to {_LONGEST_LABEL}")
    return value


def task_name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise Unreadable(
            f'"{value}" cannot be the name of a task',
            "1 to 100 of the letters a to z, A to Z, digits, . _ : -",
        )
    return value


def env_name(value: str) -> str:
    if value.startswith("ROTA_"):
        raise Unreadable("names that begin with ROTA_ are Rota's own", "another name")
    if not ENV_NAME.fullmatch(value):
        raise Unreadable(
            f'"{value}" cannot be the name of an environment variable',
            "letters, digits and _, not beginning with a digit",
        )
    return value


def argument_name(value: str) -> str:
    if not re.fullmatch(r"[^\s=.-][^\s=]{0,99}", value):
        raise Unreadable(
            f'"{value}" cannot be the name of an argument',
            "up to 100 characters without space and =, not beginning with -; an option is declared by option",
        )
    return value


def option_name(value: str) -> str:
    if not re.fullmatch(r"-{1,2}[^\s=-][^\s=]{0,99}", value):
        raise Unreadable(
            f'"{value}" cannot be an option',
            'such as "--level" or "-l": it begins with -, without space and =',
        )
    return value


def scalar(value: Any) -> Any:
    if isinstance(value, (str, int, float, date)):
        return text(value) if isinstance(value, str) else value
    raise Unreadable(
        f"{shown(value)} cannot be a value", "text, a number, true, false, a date or a time with a date"
    )


def zone(value: str) -> str:
    return find_zone(value).key


def cron(value: str) -> str:
    return parse_schedule(value, "UTC").text


def failure(value: EndReason) -> EndReason:
    if value is EndReason.SUCCESS:
        raise Unreadable("a success is no failure; exit_codes says which ends are one", "another end reason")
    return value


def retried_on(value: Any) -> EndReason | int:
    reasons = [each.value for each in EndReason if each in RETRIED]
    allowed = f"{', '.join(reasons)}, or an exit code from 1 to 255"
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 255:
        return value
    if isinstance(value, str) and value in reasons:
        return EndReason(value)
    near = get_close_matches(value, reasons, n=1) if isinstance(value, str) else []
    raise Unreadable(f"{shown(value)} is not what a retry can mend", allowed, near[0] if near else None)


def calendar_name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise Unreadable(
            f'"{value}" cannot be the name of a calendar',
            "1 to 100 of the letters a to z, A to Z, digits, . _ : -",
        )
    return value


def calendar_names(value: Any) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Unreadable(f"{shown(value)} is not a calendar", "the name of a calendar, or a list of such")
    return names


def service_names(value: Any) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Unreadable(f"{shown(value)} is not a service", "the name of a service, or a list of such")
    return names


def http_address(value: str) -> str:
    if not HTTP.fullmatch(value):
        raise Unreadable(f'"{value}" is no address', 'such as "http://127.0.0.1:{port}/health"')
    return text(value)


def tcp_address(value: Any) -> str:
    address = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(address, str) or not (found := TCP.fullmatch(address)):
        raise Unreadable(f"{shown(value)} is no host and port", 'such as "127.0.0.1:{port}", or a port')
    if found["port"].isdecimal() and not 0 < int(found["port"]) < 65536:
        raise Unreadable(f"there is no port {found['port']}", "a port from 1 to 65535")
    return address if found["host"] else f"127.0.0.1:{found['port']}"


def task_names(value: Any) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Unreadable(f"{shown(value)} is not a task", "the name of a task, or a list of such")
    return names


def day(value: Any) -> Day:
    return parse_day(value)


def days(value: str) -> tuple[Day, Day]:
    return parse_range(value)


def weekday(value: str) -> int:
    return parse_weekday(value)


def country(value: str) -> str:
    return find_holidays(value)


def countries(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


MOMENT = 'a day such as "2026-12-24", or a moment such as "2026-12-24T08:00" or "2026-12-24T08:00:00Z"'


def bound(value: Any) -> date:
    if isinstance(value, date):
        return value
    try:
        text = value.strip().upper()
        return datetime.fromisoformat(text) if "T" in text or " " in text else date.fromisoformat(text)
    except (AttributeError, ValueError):
        raise Unreadable(f"{shown(value)} is not a time", MOMENT) from None


def one_or_many(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise Unreadable(f"{shown(value)} is not a schedule", f"{CRON}, or a list of such")
    return value


def duration(value: Any) -> timedelta:
    return parse_duration(value)


def size(value: Any) -> int:
    try:
        return parse_size(value)
    except ValueError as error:
        raise Unreadable(str(error), 'a size such as "100mb" or "64kib", or a number of bytes') from None


def log_size(value: Any) -> int:
    found = size(value)
    if 0 < found < LEAST_LOG:
        raise Unreadable(
            f"{shown(value)} is too small for a log",
            f"at least {LEAST_LOG} bytes (128kib), or 0 for no limit",
        )
    return found


def memory(value: Any) -> int:
    found = size(value)
    if 0 < found < LEAST_MEMORY:
        raise Unreadable(f"{shown(value)} is too little for any program", "at least 4mib, or 0 for no limit")
    return found


def processors(value: Any) -> float:
    allowed = 'a number of processors such as 0.5 or 2, a share of one such as "50%", or 0 for no limit'
    if isinstance(value, str) and (match := PERCENT.fullmatch(value)):
        value = float(match[1]) / 100
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unreadable(f"{shown(value)} is no share of processors", allowed)
    if value != 0 and not LEAST_PROCESSORS <= value <= MOST_PROCESSORS:
        raise Unreadable(f"{shown(value)} is out of range", allowed)
    return float(value)


def host(value: str) -> str:
    return loopback(value)


def signal(value: str) -> str:
    return _signal(value, STOP_SIGNALS, "to stop with")


def any_signal(value: str) -> str:
    return _signal(value, SIGNALS, "to send")


def _signal(value: str, allowed: tuple[str, ...], what_for: str) -> str:
    full = value if value.startswith("SIG") else f"SIG{value}"
    if full not in allowed:
        meant = value.upper() if value.upper().startswith("SIG") else f"SIG{value.upper()}"
        raise Unreadable(
            f'"{value}" is not a signal {what_for}',
            f"{', '.join(allowed)}, with or without SIG",
            meant if meant in allowed else None,
        )
    return full


#: Programs whose `-c` means another thing than that of a shell: such a run would succeed and do nothing.
_CHECKERS = re.compile(r"(perl|ruby|node|nodejs|php)[0-9.]*$")


def shell(value: str) -> str:
    if re.search(r"\s-", value):
        raise Unreadable(
            "a shell is one program, without arguments",
            "such as /bin/bash; options go into the script, such as set -u",
        )
    if not value or ("/" in value and not value.startswith("/")):
        raise Unreadable(
            f'"{value}" is not a shell', "an absolute path such as /bin/bash, or a name such as bash"
        )
    if found := _CHECKERS.match(value.rpartition("/")[2]):
        option = "-r" if found[1] == "php" else "-e"
        raise Unreadable(
            f"{found[1]} -c checks the text that follows, and does not run it",
            f'no shell, and as a list: run = ["{value}", "{option}", "..."]',
        )
    return value


def user(value: str) -> str:
    if not USER.fullmatch(value):
        raise Unreadable(f'"{value}" is no user', "such as backup, or backup:adm to name a group, too")
    return value


def umask(value: Any) -> int:
    if not isinstance(value, str) or not UMASK.fullmatch(value):
        raise Unreadable(f"{shown(value)} is no umask", 'an octal number in quotes, such as "027"')
    return int(value, 8)


def program(value: str) -> str:
    expanded = folder(value) if value.startswith("~") else value
    if not expanded.strip() or ("/" in expanded and not expanded.startswith("/")):
        raise Unreadable(f'"{value}" names no program', 'a name such as "git", or an absolute path')
    return expanded


def folder(value: str) -> str:
    expanded = os.path.expanduser(value)  # noqa: PTH111  # Path raises where this returns what it cannot expand
    if expanded.startswith("~"):
        raise Unreadable(f'"{value}" begins with a user that this machine does not know', "an absolute path")
    if not value:
        raise Unreadable("it is empty", 'a folder; "." is the folder of this file')
    return expanded


def command(value: Any) -> str | tuple[str, ...]:
    if isinstance(value, str):
        if not value.strip():
            raise Unreadable("there is nothing to run", COMMAND)
        return text(value)
    if not isinstance(value, list):
        raise Unreadable(f"{shown(value)} cannot be run", COMMAND)
    if not value or value[0] == "":
        raise Unreadable("there is no program to run", COMMAND)
    for argument in value:
        if not isinstance(argument, str):
            raise Unreadable(f"{shown(argument)} cannot be an argument", "only text in the list")
        text(argument)
    return tuple(value)


def shown(value: Any) -> str:
    """A value of the file as people call it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'the text "{value if len(value) <= 40 else value[:39] + "…"}"'
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return f"the time {value}"
