"""A source: one file of a configuration, with its text and the places in it."""

from __future__ import annotations

import json
import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rota.config.fault import ConfigFault, ConfigInvalid

if TYPE_CHECKING:
    from rota.config.position import KeyPath, Positions
    from rota.timing.unreadable import Unreadable

Sentence = tuple[str, str | None, str | None]
"""What is wrong, what is allowed, what was probably meant."""


class Source:
    """A file that was read."""

    def __init__(self, file: str, text: str, *, place: int = 0) -> None:
        self.file = file  #: absolute
        self.folder = str(Path(file).parent)  #: where relative paths in it begin
        self.text = text
        self.place = place  #: in the order of reading, from 0, the main file

    @cached_property
    def positions(self) -> Positions:
        """Where its keys are. A file without faults needs no second parser."""
        from rota.config.position import Positions

        return Positions(self.text)

    def fault(self, path: KeyPath, sentence: Sentence) -> ConfigFault:
        """What is wrong with a key, or not right, with its place."""
        line, column = self.positions.of(path)
        message, allowed, nearest = sentence
        return ConfigFault(
            file=self.file,
            line=line,
            column=column,
            key=dotted(path) or None,
            message=message,
            allowed=allowed,
            nearest=nearest,
        )


def dotted(path: KeyPath) -> str:
    """A path as TOML writes it."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part, ensure_ascii=False)
            text += f".{name}" if text else name
    return text


def sentence_of(wrong: Unreadable) -> Sentence:
    """What is wrong with a value, as it is told."""
    return wrong.wrong, wrong.allowed, wrong.nearest


def read(path: Path) -> str:
    """The text of a file. Raises ConfigInvalid."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        wrong = "there is no such file; create it, or name another with --config"
    except IsADirectoryError:
        wrong = "this is a folder; name the file in it, such as rota.toml"
    except OSError as error:
        wrong = f"the file cannot be read: {error.strerror or error}"
    else:
        try:
            return content.decode("utf-8-sig")  # some editors begin with a byte order mark
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode()
            raise ConfigInvalid([
                ConfigFault(
                    file=str(path),
                    line=before.count("\n") + 1,
                    column=len(before) - before.rfind("\n"),
                    message=f"the file is not UTF-8: it has the byte 0x{error.object[error.start]:02x} here",
                    allowed="text saved as UTF-8",
                )
            ]) from None  # fmt: skip
    raise ConfigInvalid([ConfigFault(file=str(path), message=wrong)])


def parse(path: Path, text: str) -> dict[str, Any]:
    """What a text says as TOML. Raises ConfigInvalid."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigInvalid(
            [ConfigFault(file=str(path), message="lists or tables are nested too deeply")]
        ) from None
    except ValueError as error:  # a TOMLDecodeError, or a number of thousands of digits
        line, column, message = _syntax(str(error), text)
        raise ConfigInvalid(
            [ConfigFault(file=str(path), line=line, column=column, message=message)]
        ) from None


def _syntax(error: str, text: str) -> tuple[int | None, int | None, str]:
    """Line, column and sentence of a TOML error, which says its place in its text alone."""
    if match := re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", error, re.DOTALL):
        return int(match[2]), int(match[3]), _plain(match[1])
    if match := re.fullmatch(r"(.*) \(at end of document\)", error, re.DOTALL):
        lines = text.split("\n")
        return len(lines), len(lines[-1]) + 1, f"{_plain(match[1])}; the file ends here"
    return None, None, _plain(error)


def _plain(reason: str) -> str:
    if reason.startswith("Exceeds the limit"):
        return "not TOML: a number has thousands of digits"
    if reason == "Invalid value":
        return "not TOML: this is no value; text stands in quotes"
    if reason == "Cannot overwrite a value":
        return "not TOML: this key has a value already"
    if match := re.fullmatch(r"Cannot declare \((.*)\) twice", reason):
        names = re.findall(r"'([^']*)'", match[1])
        return f"not TOML: the table [{'.'.join(names)}] is there twice"
    return f"not TOML: {reason[0].lower()}{reason[1:]}"
