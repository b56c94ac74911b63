"""Form bodies give one record each, as lines or in parts."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.loading.translating import form_posts
from bounceanalytics.loading.translating.form_posts import looks_like_bodies
from tests.effort import examples


def read(content: bytes) -> list[form_posts.Span]:
    return list(form_posts.spans(io.BytesIO(content)))


def records(content: bytes) -> list[dict]:
    found = read(content)
    assert [span.error for span in found] == [None] * len(found)
    return [json.loads(span.text) for span in found]


def line(number: int) -> bytes:
    return f"event=bounced&recipient=person{number}%40example.org&error=550+gone+%26+lost&tag=a&tag=b&note=".encode()


def row(number: int) -> dict:
    return {
        "event": "bounced",
        "recipient": f"person{number}@example.org",
        "error": "550 gone & lost",
        "tag": ["a", "b"],
        "note": "",
    }


def parts(number: int, boundary: str = "cut", end: str = "\r\n") -> bytes:
    fields = [
        ("event", "bounced"),
        ("recipient", f"person{number}@example.org"),
        ("error", "550 gone & lost"),
    ]
    fields += [("tag", "a"), ("tag", "b"), ("note", "")]
    text = "".join(
        f'--{boundary}{end}Content-Disposition: form-data; name="{name}"{end}{end}{value}{end}'
        for name, value in fields
    )
    text += (
        f'--{boundary}{end}Content-Disposition: form-data; name="attachment-1"; filename="a.mime"{end}'
        f"Content-Type: message/rfc822{end}{end}--inner{end}Content-Type: text/plain{end}{end}x{end}--inner--{end}"
    )
    return f"{text}--{boundary}--{end}".encode()


def test_lines():
    content = b"\xef\xbb\xbf" + line(1) + b"\r\n\n  \n" + line(2)
    assert records(content) == [row(1), row(2)]
    assert [span.offset for span in read(content)] == [3, content.rindex(b"event")]


def test_keys_that_are_lists():
    assert records(b"event=click&category%5B%5D=a&x[]=b&x[]=c&email=d%40example.com&=lost&&y") == [
        {"event": "click", "category": ["a"], "x": ["b", "c"], "email": "d@example.com", "y": ""}
    ]


def test_bytes_that_are_not_utf8():
    (record,) = records("event=a&x=%e9t%E9&y=%C3%A9&z=né".encode("latin-1"))
    assert record == {"event": "a", "x": "été", "y": "é", "z": "né"}


@pytest.mark.parametrize("bad", [b"no fields here", b'{"a": "b=c"}', b"\x00\xff=", b"--", b"--x", b"="])
def test_what_is_no_body_is_an_error(bad):
    content = line(1) + b"\n" + bad + b"\n" + line(2)
    one, two, three = read(content)
    assert [json.loads(one.text), json.loads(three.text)] == [row(1), row(2)]
    assert two.error == "it is no form body: it does not begin with key=value"
    assert two.offset == len(line(1)) + 1


def test_too_much_is_an_error(monkeypatch):
    (many,) = read(b"a=b&" * 20_000)
    assert many.error == "it is a form body of more than 10,000 fields"
    monkeypatch.setattr(form_posts, "_LONGEST", 1000)
    for large in (
        b"a=" + b"x" * 5000,
        parts(7).replace(b"550", b"5" * 5000),
        parts(7).replace(b"550", b"5\n" * 2500),
    ):
        one, two, three = read(line(1) + b"\n" + large.strip() + b"\n" + line(2))
        assert [json.loads(one.text), json.loads(three.text)] == [row(1), row(2)]
        assert "of more than 1,000 bytes" in two.error


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_bodies_in_parts(end):
    content = parts(1, end=end) + parts(2, "--other", end=end) + line(3) + b"\n" + parts(4, end=end).strip()
    assert records(content) == [row(1), row(2), row(3), row(4)]
    assert [content[span.offset :][:5] for span in read(content)] == [b"--cut", b"----o", b"event", b"--cut"]


def test_a_field_may_hold_a_mail():
    mail = b"Subject: x\r\n\r\n--in\r\nContent-Type: text/plain\r\n\r\nhi\r\n--in--"
    (record,) = records(parts(1).replace(b"550 gone & lost", mail))
    assert record["error"] == mail.decode()


@pytest.mark.parametrize("boundary", ["cut", "other"])
def test_bodies_in_parts_that_break_off(boundary):
    one = parts(1)
    for broken in (one[: one.rindex(b"--cut--")], one[: one.index(b"550")] + b"\r\n"):
        content = broken + parts(2, boundary) + parts(3)
        first, second, third = read(content)
        assert first.error == "it is a form body that breaks off"
        assert [json.loads(second.text), json.loads(third.text)] == [row(2), row(3)]
        assert second.offset == len(broken)


def test_parts_without_names():
    nameless, good = read(parts(1).replace(b'; name="recipient"', b"") + parts(2))
    assert nameless.error == "it is a form body with a part that has no name"
    assert json.loads(good.text) == row(2)
    empty, *_ = read(b'--x\r\nContent-Disposition: form-data; name="f"; filename="g"\r\n\r\nh\r\n--x--\r\n')
    assert empty.error == "it is a form body without fields"


def test_many_bodies_that_break_off():
    found = read(
        b"".join(b'--x%d\nContent-Disposition: form-data; name="a"\n\nb\n' % number for number in range(3000))
    )
    assert len(found) == 3000


def test_looks_like_bodies(shared):
    assert looks_like_bodies(line(1))
    assert looks_like_bodies(b"\n" + line(1) + b"\r\n" + line(2))
    assert looks_like_bodies(b"\xef\xbb\xbf" + parts(1))
    for head in (
        b"",
        b"event=x",
        b"a=b&c=d",
        b"GET /?event=a&email=b HTTP/1.1",
        b'{"u": "?event=a&email=b"}',
        b"--x\ny",
    ):
        assert not looks_like_bodies(head)
    for path in (shared / "formats" / "examples").rglob("*.*"):
        assert looks_like_bodies(path.read_bytes()) == path.name.endswith("_form.txt")


@pytest.mark.parametrize(("name", "count"), [("sendgrid/webhook_v1", 5), ("mailgun/webhooks_legacy", 10)])
def test_shared_samples(shared, name, count):
    found = records((shared / "formats" / "examples" / f"{name}_form.txt").read_bytes())
    assert len(found) == count
    assert all("event" in record for record in found)


@given(
    content=st.binary(max_size=300),
    head=st.sampled_from([b"", b"a=", b"--x\nContent-Disposition: form-data; name="]),
)
def test_any_bytes(content, head):
    for span in read(head + content):
        span.text.encode()
        assert span.error or json.loads(span.text)
    assert looks_like_bodies(content) in {True, False}


@examples(200)
@given(
    hurt=st.integers(0, 5),
    place=st.integers(0, 700),
    cut=st.integers(0, 150),
    garbage=st.binary(max_size=20).filter(lambda raw: b"\n" not in raw),
    in_parts=st.booleans(),
)
def test_damage_stays_in_its_body(hurt, place, cut, garbage, in_parts):
    whole = [parts(number, f"cut{number}") if in_parts else line(number) + b"\n" for number in range(6)]
    one = whole[hurt].rstrip()
    place = min(place, len(one))
    whole[hurt] = one[:place] + garbage + one[place + cut :] + b"\n"
    found = read(b"".join(whole))
    good = [json.loads(span.text) for span in found if not span.error]
    for number in range(6):
        if number != hurt:
            assert row(number) in good
