"""Sources: the main file of a configuration and those that it includes, as one document."""

from __future__ import annotations

import glob
import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rota.config import side_file
from rota.config.expand import expanded
from rota.config.fault import ConfigInvalid
from rota.config.shown import shown
from rota.config.source import Source, parse, read, sentence_of
from rota.config.watched import Watched
from rota.timing.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rota.config.fault import ConfigFault
    from rota.config.position import KeyPath
    from rota.config.source import Sentence

SHARED = ("calendars", "groups", "tasks", "services")
"""Tables whose members may stand in any file; every other table stands in the main file."""

_MAY = ", ".join(f"[{kind}.NAME]" for kind in SHARED)
_ALLOWED = "the path of a file, or a pattern such as conf.d/*.toml"


class Sources:
    """What all files say, and which of them says what. Relative paths begin in the folder of their file."""

    def __init__(self, path: Path, environ: Mapping[str, str], instead: Mapping[str, str]) -> None:
        """Read them all, but for those whose text is in `instead`. Raises ConfigInvalid when the main file
        cannot be read.
        """
        self.told: list[tuple[KeyPath, Sentence]] = []  #: what is wrong with what the document says
        self.faults: list[ConfigFault] = []  #: what is wrong besides
        self.document: dict[str, Any] = {}
        self._environ = environ
        self._instead = {os.path.realpath(name): text for name, text in instead.items()}
        self._sources: list[Source] = []
        self._taken: set[str] = set()
        self._owners: dict[tuple[str, str], Source] = {}
        self._files: set[str] = set()
        self._patterns: list[str] = []
        try:
            self._take(path, ())
        except ConfigInvalid as invalid:
            raise ConfigInvalid(invalid.faults, self.watched) from None
        self._take_managed()

    @property
    def main(self) -> Source:
        """The file that the configuration begins with."""
        return self._sources[0]

    @property
    def watched(self) -> Watched:
        """All that it was read from."""
        return Watched(files=frozenset(self._files), patterns=tuple(self._patterns))

    def of(self, path: KeyPath) -> Source:
        """Which file says this of the document."""
        match path:
            case (str() as kind, str() as name, *_):
                return self._owners.get((kind, name), self.main)
        return self.main

    def managed(self) -> str | None:
        """The absolute path of `[server] managed_file`, if it says a path."""
        server = self.document.get("server")
        name = server.get("managed_file") if isinstance(server, dict) else None
        try:
            return side_file.find(name, self.main.folder) if isinstance(name, str) else None
        except Unreadable:
            return None

    def _take(self, path: Path, above: tuple[str, ...]) -> None:
        self._files.add(str(path))
        real = os.path.realpath(path)
        text = self._instead[real] if real in self._instead else read(path)
        said = parse(path, text)
        source = Source(str(path), text, place=len(self._sources))
        self._sources.append(source)
        self._taken.add(real)
        if above:
            self._check_tables(source, said)
        if "${" in text:
            said, wrong = expanded(said, environ=self._environ, folder=source.folder, seen=self._files)
            for where, unreadable in wrong:
                self._tell(source, where, sentence_of(unreadable))
        include = said.get("include")
        self._add(source, said, is_main=not above)
        self._include(source, include, (*above, real))

    def _tell(self, source: Source, where: KeyPath, sentence: Sentence) -> None:
        if source.place == 0:
            self.told.append((where, sentence))
        else:
            self.faults.append(source.fault(where, sentence))

    def _check_tables(self, source: Source, said: dict[str, Any]) -> None:
        """Of an included file: leave out what has no place in it, and tell of it."""
        for key in [key for key in said if key not in (*SHARED, "include")]:
            del said[key]
            near = get_close_matches(key, SHARED, n=1, cutoff=0.65)
            wrong = f"{key} has no place in an included file"
            self.faults.append(source.fault((key,), (wrong, f"{_MAY}, include", near[0] if near else None)))
        for kind in SHARED:
            if kind in said and not isinstance(said[kind], dict):
                wrong = f"{shown(said.pop(kind))} does not fit here"
                self.faults.append(source.fault((kind,), (wrong, f"tables such as [{kind}.NAME]", None)))

    def _add(self, source: Source, said: dict[str, Any], *, is_main: bool) -> None:
        if is_main:
            self.document = said
        for kind in SHARED:
            tables = said.get(kind)
            if not isinstance(tables, dict):
                continue
            ours = self.document.setdefault(kind, {})
            for name, table in tables.items():
                first = self._owners.get((kind, name))
                if first is not None:
                    line, column = first.positions.of((kind, name))
                    wrong = f'there is a "{name}" already, at {first.file}:{line}:{column}'
                    self.faults.append(source.fault((kind, name), (wrong, "another name", None)))
                    continue
                self._owners[kind, name] = source
                if isinstance(ours, dict):
                    ours[name] = table

    def _include(self, source: Source, include: Any, above: tuple[str, ...]) -> None:
        patterns = [include] if isinstance(include, str) else include
        if patterns is None or (source.place == 0 and not _are_paths(patterns)):
            return  # of the main file, that is told with the other keys
        if not isinstance(patterns, list):
            wrong = f"{shown(include)} includes nothing"
            self.faults.append(source.fault(("include",), (wrong, f"{_ALLOWED}, or a list of such", None)))
            return
        for place, pattern in enumerate(patterns):
            where: KeyPath = ("include", place) if isinstance(include, list) else ("include",)
            if not _are_paths([pattern]):
                wrong = f"{shown(pattern)} includes nothing"
                self.faults.append(source.fault(where, (wrong, _ALLOWED, None)))
                continue
            try:
                self._include_all(pattern, source, above)
            except Unreadable as unreadable:
                self.faults.append(source.fault(where, sentence_of(unreadable)))

    def _include_all(self, pattern: str, source: Source, above: tuple[str, ...]) -> None:
        """What one pattern names, by name. Raises Unreadable."""
        path = side_file.find(pattern, source.folder)
        if glob.has_magic(path):
            self._patterns.append(path)
            found = sorted(each for each in glob.glob(path, recursive=True) if not os.path.isdir(each))  # noqa: PTH112, PTH207
        elif os.path.isdir(path):  # noqa: PTH112
            raise Unreadable(f"{path} is a folder", f"the files in it, such as {pattern.rstrip('/')}/*.toml")
        else:
            self._files.add(path)
            if not os.path.exists(path):  # noqa: PTH110
                raise Unreadable(f"there is no file {path}", f"one that exists, or {_ALLOWED}")
            found = [path]
        for each in found:
            real = os.path.realpath(each)
            if real in above:
                what = "itself" if real == above[-1] else "a file that includes it"
                raise Unreadable(f"so the file includes {what}, {each}", "other files than those")
            if real not in self._taken:
                self._take_included(Path(each), above)

    def _take_included(self, path: Path, above: tuple[str, ...]) -> None:
        try:
            self._take(path, above)
        except ConfigInvalid as invalid:
            self.faults += invalid.faults

    def _take_managed(self) -> None:
        path = self.managed()
        if path is None:
            return
        self._files.add(path)
        real = os.path.realpath(path)
        is_there = real in self._instead or os.path.exists(path)  # noqa: PTH110
        if real not in self._taken and is_there:
            self._take_included(Path(path), (os.path.realpath(self.main.file),))


def _are_paths(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, str) and each.strip() and "\0" not in each for each in value
    )
