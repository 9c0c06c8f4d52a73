"""Lines of input, however they are cut on the way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destination_vitally.commands.input import Lines, chunks_from, chunks_of


def flat(chunks: Iterator[list[bytes]]) -> list[bytes]:
    return [line for chunk in chunks for line in chunk]


@given(st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b" "))), st.integers(1, 7), st.booleans())
def test_blocks_of_any_size_give_the_same_lines(lines: list[bytes], size: int, ends: bool) -> None:
    data = b"\n".join(lines) + (b"\n" if ends else b"")
    blocks = iter([data[i : i + size] for i in range(0, len(data), size)])
    given_back = flat(chunks_from(lambda _: next(blocks, b"")))
    expected = data.split(b"\n")
    assert given_back == (expected if expected[-1] else expected[:-1])


def test_a_line_is_handed_over_before_the_next_arrives() -> None:
    blocks = iter([b"one\ntw", b"o\n"])
    chunks = chunks_from(lambda _: next(blocks, b""))
    assert next(chunks) == [b"one"]


def test_the_error_of_a_reader_comes_out() -> None:
    def broken() -> Iterator[bytes]:
        yield b"one"
        raise OSError("gone")

    lines = iter(Lines(chunks_of(broken())))
    assert next(lines) == [b"one"]
    with pytest.raises(OSError, match="gone"):
        next(lines)
