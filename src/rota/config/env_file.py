"""Environment files: lines of `NAME=value`, in the manner of dotenv, each checked with its place."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from dotenv.parser import Binding, parse_stream

from rota.config import side_file
from rota.config.fault import ConfigFault
from rota.config.kinds.name import ENV_NAME
from rota.config.kinds.text import secret, text
from rota.config.source import sentence_of
from rota.model.secret import Secret
from rota.timing.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rota.config.kinds.name import ENV_NAME
    from rota.config.position import KeyPath
from rota.config.source import Sentence

_ALLOWED = (
    "NAME=value, with quotes around a value of several lines; # begins a comment; ROTA_ names are Rota's"
)


class EnvFiles:
    """The files that one configuration names, each read once; and everything that is wrong with them."""

    def __init__(self, folder: str) -> None:
        self.folder = folder  #: the configuration's own, which relative paths begin in
        self.missing: dict[KeyPath, Sentence] = {}  #: files that cannot be read, by where they are named
        self.faults: list[ConfigFault] = []  #: in the files
        self.seen: set[str] = set()  #: the files, also those that there are not
        self._known: dict[tuple[str, bool], Mapping[str, Secret]] = {}

    def read(self, names: list[str], where: KeyPath) -> tuple[tuple[str, ...], Mapping[str, Secret]]:
        """The absolute paths of files, and the variables in them; a later one wins.

        Nobody knows which of the values are no secrets, so all of them are treated as such. Those of
        `secrets_file` have to be such that they can be hidden.
        """
        paths = []
        values: dict[str, Secret] = {}
        for place, name in enumerate(names):
            try:
                path = side_file.find(name, self.folder)
                self.seen.add(path)
                values |= self._read(path, hidden=where[-1] == "secrets_file")
            except Unreadable as wrong:
                self.missing[(*where, place) if len(names) > 1 else where] = sentence_of(wrong)
            else:
                paths.append(path)
        return tuple(paths), values

    def _read(self, path: str, *, hidden: bool) -> Mapping[str, Secret]:
        if (path, hidden) not in self._known:
            values: dict[str, Secret] = {}
            for binding in parse_stream(io.StringIO(side_file.read(path), newline="")):
                try:
                    if (pair := _pair(binding, hidden=hidden)) is not None:
                        values[pair[0]] = pair[1]
                except Unreadable as wrong:
                    self.faults.append(_fault(path, binding, wrong))
            self._known[path, hidden] = values
        return self._known[path, hidden]


def _pair(binding: Binding, *, hidden: bool) -> tuple[str, Secret] | None:
    if not binding.error and binding.key is None:
        return None  # a comment, or nothing
    # What is no name may be the second line of a secret: it is not repeated.
    if binding.key is None or binding.value is None or not ENV_NAME.fullmatch(binding.key):
        raise Unreadable("this line gives no variable a value", _ALLOWED)
    held = secret(binding.value) if hidden else Secret(text(binding.value))
    return binding.key, held


def _fault(path: str, binding: Binding, wrong: Unreadable) -> ConfigFault:
    said = binding.original.string
    blank = said[: len(said) - len(said.lstrip())]
    line = binding.original.line + blank.count("\n")
    column = len(blank) - blank.rfind("\n")
    return ConfigFault(
        file=path,
        line=line,
        column=column,
        message=wrong.wrong,
        allowed=wrong.allowed,
        nearest=wrong.nearest,
    )
