"""A mask gives out the same however a stream is cut into reads, and never a secret."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rota.logs.mask import MARK, Mask

TEXT = st.text("ab", max_size=40).map(str.encode)
SECRETS = st.lists(st.text("ab", min_size=2, max_size=6).map(str.encode), min_size=1, max_size=4, unique=True)


def told(pieces: list[bytes], secrets: list[bytes], *, handed_over: bool) -> bytes:
    mask = Mask(secrets)
    out = b""
    for piece in pieces:
        out += mask.feed(piece)
        if handed_over:
            state = mask.state()
            mask = Mask(secrets)
            mask.restore(state)
    return out + mask.end()


def expected(text: bytes, secrets: list[bytes]) -> bytes:
    """Byte by byte: whether a secret covers it, and whether a mark begins there."""
    covered, out = 0, b""
    for place in range(len(text)):
        ends = [place + len(each) for each in secrets if text.startswith(each, place)]
        if ends and place >= covered:
            out += MARK
        covered = max([covered, *ends])
        if place >= covered:
            out += text[place : place + 1]
    return out


@given(text=TEXT, secrets=SECRETS, cuts=st.lists(st.integers(0, 40)), handed_over=st.booleans())
def test_the_cuts_make_no_difference(
    text: bytes, secrets: list[bytes], cuts: list[int], handed_over: bool
) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:stop] for start, stop in pairwise(places)]

    out = told(pieces, secrets, handed_over=handed_over)

    assert out == expected(text, secrets)
    assert not any(secret in each for each in out.split(MARK) for secret in secrets)
