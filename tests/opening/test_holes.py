"""Long runs of zeros in a text: seen and filled wherever a block of reading ends."""

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.opening import encodings
from bounceanalytics.opening.sources import open_sources
from bounceanalytics.opening.text import lines_and_blanks

TEXT = b'{"event": "bounce"}\n'


def filled(data: bytes, size: int) -> tuple[bytes, int]:
    """Fill the holes of a text that comes in blocks of a size."""

    class Blocks(io.BytesIO):
        def read1(self, _: int = -1) -> bytes:  # as a stream gives that has no more at the moment
            return self.read(size)

    out = io.BytesIO()
    count = encodings.fill_holes(Blocks(data), out)
    return out.getvalue(), count


@pytest.mark.parametrize("size", [1, 7, 63, 64, 65, 100, 1000])
@pytest.mark.parametrize("zeros", [0, 1, 63, 64, 65, 200])
@pytest.mark.parametrize("before", [0, 1, 60, 64])
def test_a_hole_is_filled_wherever_a_block_ends(zeros: int, before: int, size: int) -> None:
    data = b"x" * before + b"\0" * zeros + TEXT + b"\0" * 3 + TEXT + b"\0" * zeros
    wanted = data if zeros < 64 else data.replace(b"\0" * zeros, b"\n" * zeros)
    assert filled(data, size) == (wanted, 2 * zeros if zeros >= 64 else 0)


@pytest.mark.parametrize("shift", range(-66, 4, 5))
@pytest.mark.parametrize("blocks", [1, 2])
def test_a_hole_is_seen_wherever_a_block_ends(tmp_path: Path, blocks: int, shift: int) -> None:
    path = tmp_path / "export.json"
    start = blocks * 256 * 1024 + shift
    for zeros in (63, 64):
        path.write_bytes(b"x" * start + b"\0" * zeros + TEXT * 3)
        assert encodings.holes(str(path)) is (zeros == 64), zeros


def test_a_file_of_zeros_or_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    for data, wanted in ((b"", False), (b"\0" * 63, False), (b"\0" * 64, True), (b"\0" * 300_000, True)):
        path.write_bytes(data)
        assert encodings.holes(str(path)) is wanted
        assert encodings.fill_holes(io.BytesIO(data), out := io.BytesIO()) == (len(data) if wanted else 0)
        assert out.getvalue() == (b"\n" * len(data) if wanted else data)


@pytest.mark.parametrize("start", [0, 100, 4000, 4090, 4100])
def test_a_hole_at_the_beginning_is_filled_too(tmp_path: Path, start: int) -> None:
    path = tmp_path / "export.json"
    path.write_bytes((TEXT * 400)[:start] + b"\0" * 300 + b"\n" + TEXT * 400)
    (source,) = open_sources(path, str(tmp_path))
    assert source.cut
    assert source.notes[-1].startswith("has 300 zero bytes in the place of text")
    assert b"\0" not in Path(source.path).read_bytes()


def test_what_is_no_text_keeps_its_zeros(tmp_path: Path) -> None:
    path = tmp_path / "export.bin"
    path.write_bytes(b"magic\x01\n" + b"\0" * 300 + TEXT)
    (source,) = open_sources(path, str(tmp_path))
    assert not source.cut
    assert source.path == str(path)


@given(
    st.lists(st.sampled_from([b"\n", b"\n" * 9_000, b"a", b" \n", b"\r\n", b"b\n"]), max_size=12).map(
        b"".join
    )
)
def test_empty_lines_come_together_and_nothing_else_changes(data: bytes) -> None:
    for stream in (
        io.BytesIO(data),
        io.BufferedReader(io.BytesIO(data)),
        gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(data))),
    ):
        found = list(lines_and_blanks(stream))
        assert b"".join(found) == data
        assert [one for one in found if one.strip(b"\n")] == [
            one for one in data.splitlines(keepends=True) if one.strip(b"\n")
        ]
        assert len(found) < 60
