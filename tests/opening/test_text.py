"""Bytes as text, whoever reads them."""

from __future__ import annotations

import gzip
import io
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounceanalytics.opening.text import (
    BOM,
    ByteWindow,
    TextWindow,
    decoded,
    finite,
    lines_at,
    lines_of,
    read_line,
    unescaped,
)


def test_what_is_not_utf8_is_western_byte_for_byte() -> None:
    assert decoded("naïve €\n".encode()) == "naïve €\n"
    assert decoded(b"caf\xe9 \x80 \x81") == "café € \ufffd"
    assert decoded("中".encode() + b"\xe9" + "文".encode()) == "中é文"
    assert decoded("é".encode()[:1] + b"x") == "Ãx"


@given(st.lists(st.sampled_from([b"a", b"\n", b"\xe9", "中".encode(), b"\xe4\xb8", b"\x81"])).map(b"".join))
def test_odd_bytes_may_be_kept_until_they_are_shown(raw: bytes) -> None:
    text = raw.decode("utf-8", "surrogateescape")
    assert unescaped(text) == decoded(raw)
    assert decoded(raw).count("\n") == raw.count(b"\n")


def test_numbers_too_large_are_none() -> None:
    assert finite("1.5") == 1.5
    assert finite("1e999") is None


def test_lines_of_a_cut_file_end_where_it_ends() -> None:
    content = b"".join(b"%d,%d\n" % (number, number * 7919) for number in range(50_000))
    packed = gzip.compress(content)
    with gzip.open(io.BytesIO(packed)) as stream:
        assert b"".join(lines_of(stream)) == content
    with gzip.open(io.BytesIO(packed[:-100])) as stream:
        given_back = b"".join(lines_of(stream))
        assert content.startswith(given_back)
        assert len(given_back) > len(content) // 2
        assert read_line(stream) == b""
    assert list(lines_of(io.BytesIO(b"abcde\nf"), 2)) == [b"ab", b"cd", b"e\n", b"f"]


@settings(max_examples=50, deadline=None)
@given(
    st.text("a\u00e9\u4e2d\U0001f4a1\ufeff\n", max_size=30).map(str.encode),
    st.booleans(),
    st.integers(3, 9),
    st.lists(st.integers(1, 5)),
)
def test_windows_show_all_of_a_file_and_say_where_they_are(
    content: bytes, marked: bool, chunk: int, steps: list[int]
) -> None:
    raw = BOM + content if marked else content
    plain = raw.removeprefix(BOM)
    for kind in (ByteWindow, TextWindow):
        window = kind(io.BytesIO(raw), chunk)
        assert window.offset == len(raw) - len(plain)
        seen = []
        for step in [*steps, *[7] * len(raw)]:
            while window.left < step and window.more():
                pass
            seen.append(window.step(step))
        assert window.ended
        assert not window.left
        assert window.offset == len(raw)
        shown = b"".join(piece.encode() if isinstance(piece, str) else piece for piece in seen)
        assert shown == plain


@pytest.mark.parametrize("kind", [ByteWindow, TextWindow])
def test_windows_on_a_cut_file_show_what_could_be_unpacked(kind: type) -> None:
    content = b"".join(b"%d,%d\n" % (number, number * 7919) for number in range(50_000))
    with gzip.open(io.BytesIO(gzip.compress(content)[:-1000])) as stream:
        window = kind(stream)
        while window.more():
            pass
    assert window.left > len(content) * 0.9


@given(
    st.lists(st.sampled_from([b"", b" ", b"\r", b"a", b"b" * 70, b"\t \r", b"c\r", b"\xff"]), max_size=12),
    st.sets(st.integers(1, 14)),
    st.integers(1, 40),
    st.booleans(),
)
def test_lines_by_their_numbers(lines: list[bytes], wanted: set[int], block: int, ended: bool) -> None:
    content = b"\n".join(lines) + (b"\n" if ended else b"")
    filled = [line for line in content.split(b"\n") if line.strip()]
    numbers = sorted(wanted)
    with patch("bounceanalytics.opening.text._BLOCK", block):
        found = list(lines_at(io.BytesIO(content), np.array(numbers, np.int64)))
    assert found == [filled[number - 1] for number in numbers if number <= len(filled)]
