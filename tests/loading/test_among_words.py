"""Events over several lines among words, pieces of files, and what databases and terminals put around them."""

from __future__ import annotations

import json
import pprint
import time

import pytest

import bounceanalytics as ba
from bounceanalytics.loading.detect import detect
from bounceanalytics.loading.finding import FORMATS
from tests.loading.exports import mailgun_failed, sendgrid_bounce, ses_bounce

EVENTS = {
    "sendgrid": [sendgrid_bounce(number) for number in (1, 2, 3)],
    "ses": [ses_bounce(f"user{number}@example.com", number=number) for number in (1, 2, 3)],
    "mailgun": [mailgun_failed(number) for number in (1, 2, 3)],
}


def pretty(value) -> str:
    return json.dumps(value, indent=2)


def each(before, events, after="\n") -> str:
    return "".join(f"{before}{pretty(one)}{after}" for one in events)


AMONG = {
    "behind a prefix": lambda some: each("2026-03-11 00:00:00 INFO received: ", some),
    "behind the prefix of Lambda": lambda some: each("2026-03-11T00:00:00.000Z\t8f5e\tINFO\t", some),
    "below a line": lambda some: each("2026-03-11 00:00:00 INFO received:\n", some),
    "a list between lines": lambda some: f"got\n{pretty(some)}\ndone\n",
    "in a fence": lambda some: f"# Bounces\n\n```json\n{pretty(some)}\n```\n",
    "a paste": lambda some: f"Kim  9:15 AM\nhere it is:\n```\n{pretty(some)}\n```\n2 replies\n",
    "below a sentence": lambda some: f"Export of March, 3 events\n\n{pretty(some)}\n",
    "one of them in a line": lambda some: f"INFO got {json.dumps(some[0])}\n" + each("INFO got ", some[1:]),
}


@pytest.mark.parametrize("kind", AMONG)
@pytest.mark.parametrize("esp", EVENTS)
def test_over_several_lines_among_words(esp, kind):
    load = ba.load(AMONG[kind](EVENTS[esp]).encode())
    assert load.files["provider"].tolist() == [esp]
    assert len(load.events) == 3
    assert load.files["rejected"].sum() == 0


def account(load):
    return load.files[["records", "loaded", "rejected"]].sum().tolist()


FRAGMENTS = {
    "tail of a pretty list": (lambda some: pretty(some).split("\n", 6)[6], [3, 2, 1]),
    "and without its end": (lambda some: pretty(some).split("\n", 6)[6][:-2], [3, 2, 1]),
    "tail of a line": (lambda some: json.dumps(some)[150:], [3, 2, 1]),
    "tail of pages": (lambda some: f"{json.dumps(some[:2])}\n{json.dumps(some[2:])}\n"[100:], [3, 2, 1]),
    "cut at its end": (lambda some: pretty(some)[:-60], [3, 2, 1]),
}


@pytest.mark.parametrize("kind", FRAGMENTS)
def test_pieces_of_files(kind):
    made, wanted = FRAGMENTS[kind]
    assert account(ba.load(made(EVENTS["sendgrid"]).encode())) == wanted


def escaped(value) -> str:
    return json.dumps(value).replace("\\", "\\\\")


QUOTING = [sendgrid_bounce(number, reason='550 5.1.1 <"kim">: no\nsuch user') for number in (1, 2, 3)]
DUMPS = {
    "COPY": "".join(f"{number}\t2026-03-11\t\\N\t{escaped(one)}\n" for number, one in enumerate(QUOTING)),
    "pg_dump": "SET x = 1;\nCOPY hooks (id, payload) FROM stdin;\n"
    + "".join(f"{number}\t{escaped(one)}\n" for number, one in enumerate(QUOTING))
    + "\\.\n",
    "mysql -B": "id\tpayload\n"
    + "".join(f"{number}\t{escaped(one)}\n" for number, one in enumerate(QUOTING)),
}


@pytest.mark.parametrize("kind", DUMPS)
def test_escapes_of_databases(kind):
    load = ba.load(DUMPS[kind].encode())
    assert len(load.events) == 3
    assert set(load.events["diagnostic"]) == {'550 5.1.1 <"kim">: no such user'} or set(
        load.events["diagnostic"]
    ) == {'550 5.1.1 <"kim">: no\nsuch user'}


def test_a_statement_with_many_rows():
    rows = ",".join(
        f"({number},'{text}')"
        for number in range(200)
        for text in [json.dumps(sendgrid_bounce(number)).replace("\\", "\\\\").replace('"', '\\"')]
    )
    assert len(ba.load(f"-- MySQL dump\nINSERT INTO `hooks` VALUES {rows};\n".encode()).events) == 200


def test_colours_of_a_terminal():
    coloured = pretty(EVENTS["ses"]).replace("{", "\x1b[1;39m{\x1b[0m")
    assert account(ba.load(f"\x1b[1;39m{coloured}".encode())) == [3, 3, 0]


@pytest.mark.parametrize("esp", EVENTS)
def test_printed_by_python(esp):
    assert account(ba.load(pprint.pformat(EVENTS[esp]).encode())) == [3, 3, 0]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "a {",
        '{"a":[{',
        "x [{",
        '{"a":',
        '{"a":[{"b":1},',
        '"a":1},{',
        "[INFO] {\n",
        'a {"x": "',
        "\\{\n",
    ],
)
def test_a_text_made_to_be_read_again_and_again(text):
    start = time.process_time()
    found = detect((text * (100_000 // len(text))).encode(), "x", FORMATS, whole=True)
    assert found.format is None
    assert time.process_time() - start < 5
