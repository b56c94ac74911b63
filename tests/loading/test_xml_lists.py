"""XML lists give one record an entry, and damage stays where it is."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.loading.translating import xml_lists
from bounceanalytics.loading.translating.xml_lists import looks_like_list
from tests.effort import examples


def read(content: bytes) -> list[xml_lists.Span]:
    return list(xml_lists.spans(io.BytesIO(content)))


def records(content: bytes) -> list[dict]:
    found = read(content)
    assert [span.error for span in found] == [None] * len(found)
    return [json.loads(span.text) for span in found]


def entry(number: int, tag: str = "bounce") -> str:
    return (
        f"<{tag}>\n  <email>person{number}@example.org</email>\n  <status>5.1.1</status>\n"
        f"  <reason>550 &lt;person{number}@example.org&gt; &#233; gone </reason><created/>\n</{tag}>"
    )


def xml(*entries: str, tag: str = "bounces", head: str = '<?xml version="1.0" encoding="UTF-8"?>\n') -> bytes:
    return (f"{head}<{tag}>\n" + "\n".join(entries) + f"\n</{tag}>\n").encode()


def row(number: int, tag: str = "bounces") -> dict:
    return {
        "xml_list": tag,
        "email": f"person{number}@example.org",
        "status": "5.1.1",
        "reason": f"550 <person{number}@example.org> é gone ",
    }


@pytest.mark.parametrize(("tag", "name"), xml_lists.LISTS.items())
def test_every_list(tag, name):
    content = xml(entry(1, tag), entry(2, tag), tag=name)
    assert records(content) == [row(1, name), row(2, name)]
    assert [content[span.offset :].startswith(f"<{tag}>".encode()) for span in read(content)] == [True, True]


def test_other_names_of_a_record():
    assert records(xml(entry(1, "item"), entry(2, "item"))) == [row(1), row(2)]


def test_empty_lists():
    assert read(xml()) == read(b"<bounces/>") == read(b"") == read(b"\xef\xbb\xbf<bounces></bounces>") == []


def test_several_documents_in_a_file():
    content = xml(entry(1)) + xml(entry(2, "block"), tag="blocks")
    assert records(content) == [row(1), row(2, "blocks")]


@pytest.mark.parametrize("declared", ["ISO-8859-1", "UTF-8", "windows-1252", "no-such", "UTF-16"])
def test_encodings(declared):
    content = xml(
        "<bounce><email>a@example.org</email><reason>né</reason></bounce>",
        head=f'<?xml version="1.0" encoding="{declared}"?>',
    )
    assert records(content.decode().encode("latin-1"))[0]["reason"] == "né"
    if declared in {"UTF-8", "UTF-16"}:
        assert records(content)[0]["reason"] == "né"


def test_comments_and_instructions_are_no_damage():
    assert records(xml("<!-- one -->", entry(1), "<?x y?>", entry(2))) == [row(1), row(2)]


def test_entities_are_refused():
    bomb = '<!DOCTYPE bounces [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    content = xml(
        "<bounce><email>&b;@example.org</email></bounce>", entry(2), head=f'<?xml version="1.0"?>{bomb}'
    )
    declared, used, good = read(content)
    assert declared.error == "it declares a document type or entities, which is refused"
    assert content[declared.offset :].startswith(b"<!DOCTYPE")
    assert used.error == "not valid XML: undefined entity: line 1, column 15"
    assert json.loads(good.text) == row(2)


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("</bounce>", "", "the next record begins before this one ends"),
        ("<bounce>", "", "it is no record of the list"),
        ("</email>", "", "not valid XML: mismatched tag: line 5, column 2"),
        ("<status>", "<status", "not valid XML: not well-formed (invalid token): line 3, column 14"),
        ("550", "\x01", "not valid XML: not well-formed (invalid token): line 4, column 10"),
    ],
)
def test_a_damaged_record_is_an_error_alone(old, new, error):
    content = xml(entry(1), entry(2).replace(old, new), entry(3))
    one, two, three = read(content)
    assert [json.loads(one.text), json.loads(three.text)] == [row(1), row(3)]
    assert two.error == error
    assert content[two.offset :].startswith((b"<bounce>", b"<email>"))


def test_lists_that_end_too_early():
    content = xml(entry(1), entry(2))
    one, two = read(content[:-40])
    assert json.loads(one.text) == row(1)
    assert two.error == "it breaks off before its end"
    (bad,) = read(b"<bounces><bounce></bounce></bounces>")
    assert bad.error == "it is a record without content"
    (bad,) = read(b"<error>no such user</error>")
    assert bad == (0, "<error>no such user</error>", "it is no record of the list")


def test_a_record_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr(xml_lists, "_LONGEST", 100_000)
    found = read(xml(entry(1), "<bounce>" + "x" * 400_000, entry(2)))
    assert [json.loads(span.text) for span in found if not span.error] == [row(1), row(2)]
    assert "it is longer than a record can be" in {span.error for span in found}


def test_long_lists_are_read_through_a_window():
    found = records(xml(*map(entry, range(5000))))
    assert found == [row(number) for number in range(5000)]


def test_looks_like_list(shared):
    assert looks_like_list(xml(entry(1)))
    assert looks_like_list(b"\xef\xbb\xbf\n<blocks/>")
    assert looks_like_list(b"<!-- x --><spamreports>\n</spamreports>")
    for head in (
        b"",
        b"<html><bounces>",
        b"<blocks><wood/></blocks>",
        b"bounces",
        b'{"a": "<bounces><email>"}',
    ):
        assert not looks_like_list(head)
    for path in (shared / "formats" / "examples").rglob("*.*"):
        assert looks_like_list(path.read_bytes()) == (path.suffix == ".xml")


def test_shared_sample(shared):
    content = (shared / "formats" / "examples" / "sendgrid" / "v2_bounces.xml").read_bytes()
    found = records(content)
    assert len(found) == 5
    assert {tuple(record) for record in found} == {("xml_list", "email", "status", "reason", "created")}


@given(
    content=st.binary(max_size=300),
    head=st.sampled_from([b"", b"<bounces>", b"<bounces><bounce>", b"<!DOCTYPE "]),
)
def test_any_bytes(content, head):
    for span in read(head + content):
        span.text.encode()
        assert span.error or json.loads(span.text)
    assert looks_like_list(content) in {True, False}


def test_a_first_record_with_a_strange_tag_costs_no_other():
    entries = [entry(number).encode() for number in range(3)]
    entries[0] = entries[0].replace(b"<bounce>", b"<b ounce>")
    found = read(b"<bounces>" + b"\n".join(entries) + b"</bounces>")
    assert [json.loads(span.text) for span in found if not span.error] == [row(1), row(2)]
    assert any(span.error for span in found)


@examples(200)
@given(
    hurt=st.integers(0, 7),
    place=st.integers(0, 150),
    cut=st.integers(0, 150),
    garbage=st.binary(max_size=20)
    | st.sampled_from([b"<bounce>", b"</bounce>", b"</bounces>", b"<!--", b"<![CDATA["]),
)
def test_damage_stays_in_its_record(hurt, place, cut, garbage):
    entries = [entry(number).encode() for number in range(8)]
    one = entries[hurt]
    entries[hurt] = one[:place] + garbage + one[place + cut :]
    found = read(b"<bounces>" + b"\n".join(entries) + b"</bounces>")
    good = [json.loads(span.text) for span in found if not span.error]
    for number in range(8):
        if number != hurt:
            assert row(number) in good
