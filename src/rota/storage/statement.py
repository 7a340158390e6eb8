"""A statement of Core, compiled once to the driver's own text: what the writer executes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine.interfaces import DBAPICursor
    from sqlalchemy.sql.elements import CompilerElement

_DIALECT = SQLiteDialect_pysqlite()


class Statement:
    """SQL text, and the values that stand in it already.

    `Connection.execute` costs many times the statement itself in Python; this costs one call of the driver.
    """

    __slots__ = ("_fixed", "text")

    def __init__(self, clause: CompilerElement, parameters: Sequence[str]) -> None:
        """`parameters` are the names of the values that each execution brings, in their order in the text."""
        compiled = clause.compile(dialect=_DIALECT, column_keys=list(parameters))
        if not isinstance(compiled, SQLCompiler):
            raise TypeError("only a query or a change of rows can be a statement")
        order = compiled.positiontup or []
        brought = len(parameters)
        if order[:brought] != list(parameters):
            raise ValueError(f"the statement takes {order}, not {list(parameters)}")
        self.text = compiled.string
        self._fixed = tuple(compiled.params[name] for name in order[brought:])

    def execute(self, cursor: DBAPICursor, values: tuple[object, ...] = ()) -> DBAPICursor:
        """Run it; the same cursor comes back, to be read."""
        cursor.execute(self.text, values + self._fixed)
        return cursor

    def execute_many(self, cursor: DBAPICursor, rows: Sequence[tuple[object, ...]]) -> None:
        """Run it once for each of these."""
        cursor.executemany(self.text, [values + self._fixed for values in rows])
