"""What a line looks like once it stands still, as a terminal would show it."""

from __future__ import annotations

import pytest

from rota.logs.settle import settle, strip


@pytest.mark.parametrize(
    ("written", "settled"),
    [
        (b"plain \ttext", b"plain \ttext"),
        (b"windows\r", b"windows"),
        (b"10%\r20%\r100%", b"100%"),
        (b"10%\r20%\r\r", b"20%"),
        (b"longer line\rshort", b"shortr line"),
        (b"working...\r          \rdone", b"done"),
        (b"gone\r    ", b""),
        (b"\rfirst", b"first"),
        (b"typo\b\b\b\bword", b"word"),
        (b"abc\x1b[2Dx", b"axc"),
        (b"50%\x1b[2K\x1b[1G100%", b"100%"),
        (b"abcdef\r\x1b[K", b""),
        (b"abcdef\x1b[3D\x1b[K!", b"abc!"),
        (b"abc\x1b[1Kd", b"   d"),
        (b"abcdef\r\x1b[2P", b"cdef"),
        (b"abc\r\x1b[2@", b"  abc"),
        (b"abcd\r\x1b[2X", b"  cd"),
        (b"a\x1b[5Cb", b"a     b"),
        (b"a\rb\tc", b"b       c"),
        ("naïve\rNA".encode(), "NAïve".encode()),
        ("日本\rx".encode(), "x 本".encode()),
        ("e\u0301a\b\bx".encode(), b"xa"),
        (b"\x1b[31mred\x1b[0m stays", b"\x1b[31mred\x1b[0m stays"),
        (b"x\r\x1b[1;31mred\x1b[0m!", b"\x1b[1;31mred\x1b[0m!"),
        (b"\x1b[31m1%\r\x1b[32m2%\r\x1b[33m3%", b"\x1b[33m3%\x1b[0m"),
        (b"\x1b[38;5;9mx\x1b[39my\b\x1b[Kz", b"\x1b[38;5;9mx\x1b[0mz"),
        (b"\x1b]0;title\x07a\rb", b"b"),
        (b"bad \xff\rm", "mad \ufffd".encode()),
        (b"nul\0 here", b"nul\0 here"),
    ],
)
def test_a_line_is_settled_as_a_terminal_shows_it(written: bytes, settled: bytes) -> None:
    assert settle(written) == settled


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        (b"\x1b[1;31mred\x1b[0m", b"red"),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x07", b"link"),
        (b"\x1bPdata\x1b\\a\x1b(Bb\x1b7", b"ab"),
        (b"\x1b[?25lhidden", b"hidden"),
        (b"\x1b]unterminated title", b"unterminated title"),
        (b"plain", b"plain"),
        (b"ends in \x1b", b"ends in \x1b"),
    ],
)
def test_escape_sequences_are_taken_out(text: bytes, stripped: bytes) -> None:
    assert strip(text) == stripped


@pytest.mark.parametrize(
    "hostile",
    [
        b"\r" * 65_536,
        b"x" * 32_000 + b"\ry" * 16_000,
        b"\x1b[9999999999C" * 4000 + b"x\r",
        b"x\x1b[999@" * 8000,
        b"x\r\x1b[31m" * 8000 + b"z",
        "a\u0301".encode() + "\u0301".encode() * 20_000 + b"\rb",
        b"\t" * 60_000 + b"x\ry",
        b"\x1b[" * 30_000 + b"\r",
        b"\x1b]" * 30_000 + b"\r",
        b"\x1b[1K" * 16_000 + b"x\r\r\rz",
        b"x" * 30_000 + b"\r" + b"\x1b[1P" * 8000,
    ],
)
def test_no_line_takes_long(hostile: bytes) -> None:
    assert len(strip(settle(hostile))) <= 65_536
