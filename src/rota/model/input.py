"""Input: what is sent to a run while it lives, and the keys by which a person would type it."""

from __future__ import annotations

from dataclasses import dataclass

#: The bytes that a run may have been sent and not have read.
MOST_UNREAD = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """A key as a terminal sends it, and what becomes of it where there is no terminal."""

    typed: str  #: into a terminal
    piped: str | None = None  #: into a pipe; None: nothing is written there
    signal: str | None = None  #: without a terminal, to every process of the run
    closes: bool = False  #: without a terminal: standard input ends


def _keys() -> dict[str, Key]:
    control = {f"ctrl-{chr(0x60 + code)}": Key(typed=chr(code)) for code in range(1, 27)}
    others = {
        "ctrl-c": Key(typed="\x03", signal="SIGINT"),
        "ctrl-d": Key(typed="\x04", closes=True),
        "ctrl-space": Key(typed="\0"),
        "ctrl-\\": Key(typed="\x1c", signal="SIGQUIT"),
        "ctrl-]": Key(typed="\x1d"),
        "ctrl-^": Key(typed="\x1e"),
        "ctrl-_": Key(typed="\x1f"),
        "enter": Key(typed="\r", piped="\n"),
        "tab": Key(typed="\t", piped="\t"),
        "shift-tab": Key(typed="\x1b[Z"),
        "space": Key(typed=" ", piped=" "),
        "backspace": Key(typed="\x7f"),
        "escape": Key(typed="\x1b"),
    }
    arrows = {name: Key(typed=f"\x1b[{code}") for name, code in zip(_MOVES, "ABCDHF", strict=True)}
    numbered = {name: Key(typed=f"\x1b[{number}~") for name, number in _NUMBERED.items()}
    function = {f"f{number}": Key(typed=f"\x1bO{code}") for number, code in enumerate("PQRS", 1)}
    return {**control, **others, **arrows, **numbered, **function}


_MOVES = ("up", "down", "right", "left", "home", "end")
_NUMBERED = {
    "insert": 2, "delete": 3, "page-up": 5, "page-down": 6,
    "f5": 15, "f6": 17, "f7": 18, "f8": 19, "f9": 20, "f10": 21, "f11": 23, "f12": 24,
}  # fmt: skip

#: Every key that can be pressed, by its name. The only list of them.
KEYS = _keys()


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """What is sent at once: bytes, or a key, or that no more comes."""

    data: bytes | None = None
    key: str | None = None  #: one of `KEYS`
    close: bool = False
    secret: bool = False  #: nothing of it goes into the log


@dataclass(frozen=True, kw_only=True, slots=True)
class InputState:
    """How the input of a run stands."""

    open: bool  #: it takes input
    pty: bool  #: by a terminal
    unread: int  #: bytes that were taken, and that the program has not read
    waiting: bool | None  #: a process of the run waits for input; None where that cannot be seen
