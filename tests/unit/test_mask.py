"""Masks: what is hidden of a stream, and what is not."""

from __future__ import annotations

import pytest

from rota.logs.mask import Mask, masks, sought


def masked(text: bytes, *secrets: bytes) -> bytes:
    mask = Mask(list(secrets))
    return mask.feed(text) + mask.end()


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        (b"a hunter2 b", [b"hunter2"], b"a [redacted] b"),
        (b"hunter2hunter2", [b"hunter2"], b"[redacted][redacted]"),
        (b"hunter hunter", [b"hunter2"], b"hunter hunter"),
        (b"abcdef abcd", [b"abcd", b"abcdef"], b"[redacted] [redacted]"),
        (b"xabcde", [b"xabc", b"bcde"], b"[redacted]"),
        (b"aaaaaaa", [b"aaaa"], b"[redacted]"),
        ("naïve Pässe".encode(), ["Pässe".encode()], "naïve [redacted]".encode()),
        (b"", [b"hunter2"], b""),
    ],
)
def test_every_secret_is_hidden_and_nothing_else(text: bytes, secrets: list[bytes], shown: bytes) -> None:
    assert masked(text, *secrets) == shown


def test_what_cannot_begin_a_secret_is_given_out_at_once() -> None:
    mask = Mask([b"hunter2"])

    assert mask.feed(b"Password: ") == b"Password: "
    assert mask.feed(b"hun") == b""
    assert mask.feed(b"t") == b""
    assert mask.feed(b"ing\nh") == b"hunting\n"
    assert mask.end() == b"h"
    assert mask.end() == b""


def test_an_endless_secret_is_not_held_for_ever() -> None:
    mask = Mask([b"aaaa"])
    out = b"".join(mask.feed(b"aaaaaaaa") for _ in range(1000))

    assert out == b"[redacted]"
    assert len(mask.state()[0]) < 4
    assert mask.end() == b""


def test_a_secret_of_several_lines_is_hidden_line_by_line_too() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIB\n  ab\n}\n"

    assert sought([key]) == [b"-----BEGIN KEY-----", key.encode(), b"MIIEvQIB"]
    assert masked(b"x MIIEvQIB\r\n", *sought([key])) == b"x [redacted]\r\n"
    assert masked(key.encode(), *sought([key])) == b"[redacted]"


def test_where_there_is_nothing_to_hide_there_is_no_mask() -> None:
    assert masks([]) == (None, None)
