"""Positions: the line and column of a key in the text of a TOML file."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import tree_sitter_toml
from tree_sitter import Language, Parser

if TYPE_CHECKING:
    from tree_sitter import Node

_KEYS = ("bare_key", "quoted_key", "dotted_key")
_TABLES = ("table", "table_array_element")

KeyPath = tuple[str | int, ...]
_Segments = list[tuple[str | int, "Node"]]  #: the names of a key, each with its node
_Table = tuple[_Segments, "list[Node]"]  #: a table's header and its pairs
_Found = tuple[int, "Node | None"]  #: how many parts of a path were found, and the node of the last


class Positions:
    """Where the keys of one text are. It is parsed a second time for this, and only when there are faults."""

    def __init__(self, text: str) -> None:
        self._lines = text.encode().split(b"\n")
        root = Parser(Language(tree_sitter_toml.language())).parse(text.encode()).root_node
        self._tables: dict[KeyPath, list[_Table]] = {(): [([], _pairs(root))]}
        self._first_below: dict[KeyPath, _Table] = {}
        elements: dict[KeyPath, int] = {}  # how many tables of each list of tables there were, less one
        for node in root.named_children:
            if node.type in _TABLES:
                header = _segments(_key(node))
                names: KeyPath = tuple(name for name, _ in header)
                if node.type == "table_array_element":
                    place = elements[names] = elements.get(names, -1) + 1
                    names = (*names, place)
                    header.append((place, header[-1][1]))
                table = (header, _pairs(node))
                self._tables.setdefault(names, []).append(table)
                for length in range(1, len(names)):
                    self._first_below.setdefault(names[:length], table)

    def of(self, path: KeyPath) -> tuple[int, int]:
        """Line and column, from 1, of the last part of a path that the text has; (1, 1) for none of it."""
        tables = [
            table
            for length in range(len(path), -1, -1)
            for table in [*self._tables.get(path[:length], ()), *self._below(path[:length])]
        ]
        _, node = max((_along(header, pairs, path) for header, pairs in tables), key=lambda found: found[0])
        if node is None:
            return 1, 1
        row, column = node.start_point
        return row + 1, len(self._lines[row][:column].decode(errors="replace")) + 1

    def _below(self, path: KeyPath) -> list[_Table]:
        """The first table of those that make this one by standing below it, as `[tasks.a]` makes `tasks`."""
        return [self._first_below[path]] if path in self._first_below else []


def _along(segments: _Segments, value: Node | list[Node], path: KeyPath) -> _Found:
    """Go along the segments of a key as far as the path goes with them, then on into its value."""
    depth, node = 0, None
    for name, segment in segments:
        if depth == len(path) or path[depth] != name:
            return depth, node
        depth, node = depth + 1, segment
    deeper, inside = _inside(value, path[depth:])
    return depth + deeper, inside or node


def _inside(value: Node | list[Node], path: KeyPath) -> _Found:
    """The value is a node, or the pairs of a table."""
    if not path:
        return 0, None
    if not isinstance(value, list) and value.type == "array":
        items = [item for item in value.named_children if item.type != "comment"]
        if not isinstance(path[0], int) or path[0] >= len(items):
            return 0, None
        depth, node = _inside(items[path[0]], path[1:])
        return 1 + depth, node or items[path[0]]
    pairs = value if isinstance(value, list) else _pairs(value)
    return max(
        (_along(_segments(_key(pair)), pair.named_children[1], path) for pair in pairs),
        key=lambda found: found[0],
        default=(0, None),
    )


def _pairs(table: Node) -> list[Node]:
    return [node for node in table.named_children if node.type == "pair"]


def _key(node: Node) -> Node:
    return next(child for child in node.named_children if child.type in _KEYS)


def _segments(key: Node) -> _Segments:
    if key.type == "dotted_key":
        return [segment for child in key.named_children for segment in _segments(child)]
    text = (key.text or b"").decode()
    if key.type == "quoted_key":
        (text,) = tomllib.loads(f"{text} = 0")
    return [(text, key)]
