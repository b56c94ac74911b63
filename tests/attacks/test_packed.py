"""Of what is packed and cut, all that can be read is read, and what cannot is said."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import re
import struct
from pathlib import Path

import pytest

import bounceanalytics as ba
from tests.effort import some_quick
from tests.loading.exports import array, lines, mailgun_failed, sendgrid_bounce, ses_bounce
from tests.packing import tarred, zipped, zstd

THIRD = 100
_NOISE = random.Random(5)  # noqa: S311 - texts that do not pack to nothing


def some(first: int, count: int = THIRD) -> bytes:
    """Return bounces of SendGrid from one number on, as lines."""
    numbers = range(first, first + count)
    return lines(*(sendgrid_bounce(n, padding=f"{_NOISE.getrandbits(400):x}") for n in numbers))


A, B, C = some(0), some(THIRD), some(2 * THIRD)
LONG = some(0, 3000)


def with_bytes(content: bytes, place: int, new: bytes) -> bytes:
    return content[:place] + new + content[place + len(new) :]


FILES = {"a.json": A, "b.json": B, "c.json": C}
ZIP, TAR = zipped(FILES), tarred(FILES)
LIST = ZIP.index(b"PK\x01\x02")  # where the list of contents begins
SECOND = ZIP.index(b"PK\x01\x02", LIST + 1)  # and what it says of b.json
B_HEAD = ZIP.index(b"PK\x03\x04", 4)
GARBAGE = b"garbage " * 9
SKIPPED = b"\x50\x2a\x4d\x18\x05\x00\x00\x00hello"

DAMAGED = "damaged or ends too early"
NO_LIST = "its list of contents, at the end, cannot be read"

#: what it is: its content, how many records at least can be read of it, and what is said of it
TABLE: dict[str, tuple[bytes, int, str]] = {
    "gzip, the last of several cut": (gzip.compress(A) + gzip.compress(B)[:-500], THIRD + 60, DAMAGED),
    "gzip, the last cut in its header": (gzip.compress(A) + gzip.compress(B)[:5], THIRD, DAMAGED),
    "gzip, garbage behind": (gzip.compress(A) + GARBAGE, THIRD, DAMAGED),
    "gzip, zeros behind": (gzip.compress(A) + bytes(900), THIRD, ""),
    "gzip, another check sum": (
        with_bytes(gzip.compress(A), -8, b"abcd")[: len(gzip.compress(A))],
        THIRD,
        DAMAGED,
    ),
    "gzip, a size that lies": (gzip.compress(A)[:-4] + b"abcd", THIRD, DAMAGED),
    "gzip, without its end": (gzip.compress(A)[:-8], THIRD, DAMAGED),
    "gzip in gzip, the outer one cut": (gzip.compress(gzip.compress(LONG))[:-9000], 2500, DAMAGED),
    "Zstandard, cut": (zstd(LONG)[:-9000], 2000, DAMAGED),
    "Zstandard, the last of several cut": (zstd(A) + zstd(B)[:-40], THIRD, DAMAGED),
    "Zstandard, garbage behind": (zstd(A) + GARBAGE, THIRD, DAMAGED),
    "Zstandard, something to skip": (SKIPPED + zstd(A) + SKIPPED + zstd(B), 2 * THIRD, ""),
    "Zstandard, a size to skip that lies": (zstd(A) + SKIPPED[:4] + b"\xff\xff\xff\x0fx", THIRD, DAMAGED),
    "bzip2, several": (bz2.compress(A) + bz2.compress(B), 2 * THIRD, ""),
    "bzip2, garbage between": (bz2.compress(A) + GARBAGE + bz2.compress(B), THIRD, DAMAGED),
    "bzip2, one of its blocks": (bz2.compress(LONG, 1)[:-300], 2000, DAMAGED),
    "xz, padded": (lzma.compress(A) + bytes(8) + lzma.compress(B), 2 * THIRD, ""),
    "xz, garbage between": (lzma.compress(A) + GARBAGE + lzma.compress(B), THIRD, DAMAGED),
    "xz, without its end": (lzma.compress(A)[:-12], THIRD, DAMAGED),
    "ZIP, cut in the last file": (ZIP[: LIST - 500], 2 * THIRD + 60, NO_LIST),
    "ZIP, cut in its list": (ZIP[: LIST + 20], 3 * THIRD, NO_LIST),
    "ZIP, cut in its last bytes": (ZIP[:-10], 3 * THIRD, NO_LIST),
    "ZIP, another check sum": (
        with_bytes(ZIP, SECOND + 16, b"abcd"),
        3 * THIRD,
        "b.json in it cannot be unpacked",
    ),
    "ZIP, a size that lies": (
        with_bytes(ZIP, SECOND + 20, struct.pack("<I", 300)),
        2 * THIRD,
        "b.json in it",
    ),
    "ZIP, a place that lies": (with_bytes(ZIP, SECOND + 42, struct.pack("<I", 7)), 2 * THIRD, "b.json in it"),
    "ZIP, Deflate64": (
        with_bytes(with_bytes(ZIP, SECOND + 10, b"\x09\x00"), B_HEAD + 8, b"\x09\x00"),
        2 * THIRD,
        "packed with Deflate64.* b.json in it",
    ),
    "ZIP, a password": (
        with_bytes(with_bytes(ZIP, SECOND + 8, b"\x01\x00"), B_HEAD + 6, b"\x01\x00"),
        2 * THIRD,
        "with a password, which b.json",
    ),
    "ZIP behind ZIP": (zipped({"a.json": A}) + zipped({"b.json": B}), 2 * THIRD, "one of several in a row"),
    "ZIP in ZIP, cut": (zipped({"a.json": A, "b.zip": zipped({"b.json": B})[:-30]}), 2 * THIRD, NO_LIST),
    "tar, cut in the last file": (TAR[: TAR.index(b"c.json") + 30_000], 2 * THIRD + 40, "at or after c.json"),
    "tar, cut between files": (TAR[: TAR.index(b"c.json")], 2 * THIRD, "without the mark of its end"),
    "tar behind tar": (TAR + tarred({"d.json": some(900)}), 3 * THIRD, "something behind its end"),
    "tar, a header that is damaged": (
        with_bytes(TAR, TAR.index(b"b.json") + 2, b"?"),
        THIRD,
        "at or after a.json",
    ),
    "tar in gzip, cut": (
        gzip.compress(tarred({"a.json": A, "b.json": LONG}))[:-9000],
        2500,
        "at or after b.json",
    ),
    "gzip in ZIP in tar, cut": (
        tarred({"a.zip": zipped({"a.json.gz": gzip.compress(LONG)[:-9000]}), "b.json": B}),
        2500,
        DAMAGED,
    ),
    "zeros for the second half": (LONG[: len(LONG) // 2] + bytes(len(LONG) // 2), 1490, "zero bytes"),
    "zeros in the middle": (with_bytes(LONG, len(LONG) // 2, bytes(9000)), 2900, "zero bytes"),
}


@pytest.mark.filterwarnings("ignore::bounceanalytics.RejectedRecordsWarning")
@pytest.mark.parametrize("name", TABLE)
def test_what_can_be_read_is_read_and_what_cannot_is_said(name: str) -> None:
    content, least, said = TABLE[name]
    load = ba.load(content)
    files = load.files
    assert files["records"].sum() == files[["loaded", "ignored", "rejected"]].to_numpy().sum()
    assert files["loaded"].sum() >= least
    assert re.search(said, " ".join(files["note"])) if said else not any(files["note"])


@pytest.mark.parametrize("name", some_quick(name for name, (_, _, said) in TABLE.items() if said))
def test_half_a_list_is_never_cleaned(name: str, tmp_path: Path) -> None:
    """The same files as lists: what holds more than could be read is refused."""
    with pytest.raises(ba.BounceAnalyticsError):
        ba.clean(TABLE[name][0], ba.classify(ba.load(A).events), tmp_path / "out", column="email")
    assert not (tmp_path / "out").exists()


CUT = {"lines": LONG, "array": array(*map(sendgrid_bounce, range(500)))}


@pytest.mark.filterwarnings("ignore:1 of .* records could not be read")
@pytest.mark.parametrize("name", CUT)
def test_a_cut_table_warns_where_there_is_no_account(name: str, tmp_path: Path) -> None:
    content = gzip.compress(CUT[name])
    whole = len(ba.read_table(content, {"recipient": "email"}))
    path = tmp_path / "cut.json.gz"
    path.write_bytes(content[: len(content) - 900])
    with pytest.warns(ba.RejectedRecordsWarning, match="could not be read as a whole"):
        assert whole // 2 < len(ba.read(path)) < whole
    with pytest.warns(ba.RejectedRecordsWarning, match="could not be read as a whole"):
        loaded = ba.load(ba.convert(path, tmp_path / "out"))
    assert DAMAGED in loaded.files["note"].item()


@pytest.mark.parametrize("content", [b"\x1f", b"\x1f\x8b", b"PK", b"BZ", b"\xfd7"])
def test_a_byte_of_a_header_is_no_table(content: bytes) -> None:
    try:
        assert ba.read_table(content, {"recipient": "email"}).empty
    except ba.BounceAnalyticsError as error:
        assert "\n" not in str(error)  # noqa: PT017


def test_a_folder_with_a_value_tells_no_list(tmp_path: Path) -> None:
    """Of SendGrid's bounces and blocks, which look alike."""
    table = b"status,reason,email,created\n5.1.1,550 5.1.1 no,ann@example.com,1718093404\n"
    events = []
    for folder in ("plain", "type=blocked", "event=bounce"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.csv").write_bytes(table)
        events.append(ba.read(tmp_path / folder / "a.csv").drop(columns="source"))
    assert events[0].equals(events[1])
    assert events[0].equals(events[2])


MAKERS = {
    "sendgrid": sendgrid_bounce,
    "ses": lambda n: ses_bounce(f"p{n}@example.org", number=n),
    "mailgun": mailgun_failed,
}


@pytest.mark.parametrize("first", MAKERS)
@pytest.mark.parametrize("second", MAKERS)
@pytest.mark.parametrize("lay", [lines, array], ids=["lines", "array"])
def test_each_record_by_its_own_esp(first: str, second: str, lay: object) -> None:
    """However late the other one comes: no sample of the beginning shows it."""
    records = [*(MAKERS[first](n) for n in range(300)), *(MAKERS[second](n) for n in range(300, 303))]
    events = ba.read(lay(*records))  # type: ignore[operator]
    assert events["provider"].tolist() == [first] * 300 + [second] * 3
