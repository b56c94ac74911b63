"""Finding out how a list is written, and sentences for what is no list."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from bounceanalytics.cleaning.dialect import Dialect
from bounceanalytics.cleaning.lists import MailingList
from bounceanalytics.errors import FormatError, SourceError

ROWS = "Ann;ann@example.com\r\nBo;bo@example.com\r\n"


def dialect(content: bytes | str, column: str | int | None = None) -> Dialect:
    with MailingList(content.encode() if isinstance(content, str) else content, column) as found:
        return found.dialect


def sentence(content: bytes | str | Path, column: str | int | None = None) -> str:
    """Return the one sentence of the error; it must not hold an address."""
    source = content.encode() if isinstance(content, str) else content
    with pytest.raises((FormatError, SourceError)) as caught, MailingList(source, column) as found:
        for _ in found.blocks():
            pass
    message = str(caught.value)
    assert "@" not in message.replace("…@", "")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter: str, line_end: str) -> None:
    found = dialect(
        line_end.join(["name,email", "Ann,ann@example.com", "Bo,b@example.com"]).replace(",", delimiter)
    )
    assert (found.delimiter, found.line_end, found.columns, found.address) == (delimiter, line_end, 2, 1)


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("cp1252", "cp1252"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32-le"),
        ("utf-32-be", "utf-32-be"),
    ],
)
def test_encodings(encoding: str, found: str) -> None:
    assert dialect(f"Größe;E-Mail\r\n{ROWS}".encode(encoding)).encoding == found
    assert dialect(f"Größe;E-Mail\r\n{ROWS}".encode(encoding)).header == ("Größe", "E-Mail")


def test_a_stray_byte_makes_no_other_encoding() -> None:
    rows = "".join(f"Zoë;reader-{number}@bücher.example\r\n" for number in range(20)).encode()
    with MailingList("Größe;E-Mail\r\n".encode() + rows + b"Andr\xe9;a@example.com\r\n") as found:
        assert (found.dialect.encoding, found.dialect.header) == ("utf-8", ("Größe", "E-Mail"))
        (block,) = found.blocks()
        assert block.cell(0, "utf-8").to_pylist()[-2:] == ["Zoë", "André"]


def test_gzip() -> None:
    assert dialect(gzip.compress(f"name;email\n{ROWS}".encode())).address == 1


@pytest.mark.parametrize(
    "name",
    [
        "email",
        "E-Mail",
        "e_mail",
        "EMAIL ADDRESS",
        "Mail",
        "E-Mail-Adresse",
        "Address",
        "Adresse",
        "Courriel",
    ],
)
def test_the_column_by_name(name: str) -> None:
    assert dialect(f"other;{name}\n{ROWS}").address == 1


def test_a_street_is_no_address() -> None:
    assert dialect("address,email\nHarbour Road 3,ann@example.com\n").address == 1
    assert dialect("address,kontakt\nHarbour Road 3,ann@example.com\n").address == 1


def test_the_column_by_content_most_of_it_counts() -> None:
    rows = "x@example.com,ann@example.com\n,bo@example.com\nnot one,cy@example.com\nnor this,nothing\n"
    assert dialect(f"a,b\n{rows}").address == 1


def test_the_first_of_two_columns_of_one_name_unless_the_other_is_filled() -> None:
    assert dialect("email,email\na@example.com,A@example.com\n").address == 0
    assert dialect("email,email\n,b@example.com\n").address == 1
    rows = "a@example.com,\n,b@example.com\n,c@example.com\n,d@example.com\n,e@example.com\n"
    assert dialect(f"email,email\n{rows}").address == 1


def test_two_columns_of_one_name_with_different_addresses_are_not_guessed_at() -> None:
    text = "Email,town,E-Mail\na@example.com,Oslo,b@example.com\n"
    message = sentence(text)
    assert "2 columns are called 'Email' and hold different addresses" in message
    assert "position: 0, 2" in message
    assert dialect(text, 2).address == 2
    assert dialect(text, "e-mail").address == 2


def test_a_list_without_header() -> None:
    found = dialect("ann@example.com\nbo@example.com\n")
    assert (found.header, found.address) == (None, 0)
    assert dialect("7,ann@example.com\n8,bo@example.com\n").address == 1


def test_the_column_that_was_asked_for() -> None:
    text = "Mail,mail,old\na@example.com,b@example.com,c@example.com\n"
    assert dialect(text, "old").address == 2
    assert dialect(text, "OLD").address == 2
    assert dialect(text, "mail").address == 1
    assert dialect(text, 0).address == 0
    assert "there is no column 'nope'; the header is 'Mail', 'mail', 'old'" in sentence(text, "nope")
    assert "0 to 2" in sentence(text, 3)
    assert "give a position instead: 0, 1" in sentence(text, "MAIL")
    assert "no header and 1 column" in sentence("ann@example.com\n", "email")


def test_header_only() -> None:
    assert dialect("name,email").address == 1
    assert dialect("name,address\n").address == 1
    assert "column=" in sentence("name,town\n")


def test_three_hundred_columns() -> None:
    names = [f"c{number}" for number in range(300)]
    cells = ["x"] * 299 + ["ann@example.com"]
    assert dialect(",".join(names) + "\n" + ",".join(cells) + "\n").address == 299


def test_no_column_looks_like_addresses() -> None:
    message = sentence("name,town\nAnn,Oslo\n")
    assert "the header is 'name', 'town'; say which one it is with column=" in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"PK\x03\x04rest", "no workbook that can be read, or a damaged one"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\x00\x01\x02\x03binary", "binary"),
        (b'[{"email": "ann@example.com"}]', "looks like JSON; write it as CSV"),
        (b"name of ann@example.com,town\nAnn,Oslo\n", "the header is 'name of \u2026@example.com', 'town'"),
        (b'email\nann@example.com\n"bo@example.com\n', "the quote that opens in record 3 never closes"),
        (
            gzip.compress(b"email\nann@example.com\n" * 50, mtime=0)[:-30],
            "the list is damaged or ends too early; fetch it again",
        ),
    ],
)
def test_what_is_no_list(content: bytes, words: str) -> None:
    assert words in sentence(content)


def test_no_such_file(tmp_path: Path) -> None:
    assert sentence(tmp_path / "nothing.csv") == f"there is no file or folder {tmp_path / 'nothing.csv'}"
    assert "is a folder" in sentence(tmp_path)


@pytest.mark.parametrize(
    ("above", "header"),
    [
        ("# customers of March\n", "name,email"),
        ("# customers\n# of March\n\n", "name,email"),
        ("Customers of March,,\n,,\n", "name,email,reply"),
        ("Customers;;;\n", "name;email;city;street"),
        ('"Customers, all of them",\n', "name,email"),
    ],
)
def test_a_heading_above_the_titles_is_kept_and_no_row(above: str, header: str) -> None:
    delimiter = ";" if ";" in header else ","
    row = header.replace("name", "Ann").replace("email", "ann@example.com")
    with MailingList(f"{above}{header}\n{row}\n".encode()) as found:
        assert found.dialect.header == tuple(header.split(delimiter))
        assert found.dialect.mark.decode() == above
        assert found.dialect.address == 1
        assert sum(len(block) for block in found.blocks()) == 1


@pytest.mark.parametrize("header", ["email,,", "#,email"])
def test_titles_are_no_heading(header: str) -> None:
    row = ",".join(("ann@example.com" if title == "email" else "") for title in header.split(","))
    found = dialect(f"{header}\n{row}\n")
    assert (found.header, found.mark) == (tuple(header.split(",")), b"")


def test_small_blocks_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "name,email\n" + "".join(f'"x\n""{number}""",n{number}@example.com\r\n' for number in range(50))

    def names() -> list[str]:
        with MailingList(text.encode()) as found:
            return [name for block in found.blocks() for name in block.cell(0, "utf-8").to_pylist()]

    whole = names()
    monkeypatch.setattr("bounceanalytics.cleaning.lists.BLOCK", 17)
    parts = names()
    assert parts == whole
    assert len(whole) == 50
