"""No input costs more than a stated multiple of its size, in time and in memory."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from functools import partial, reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from tests.attacks.attack import Arena, Attack, attacks

pytestmark = pytest.mark.slow  # one after the other, they take a minute

EVENT = {
    "email": "ann@example.com",
    "event": "bounce",
    "timestamp": 1767225600,
    "reason": "550 5.1.1 no such user",
    "type": "bounce",
    "sg_event_id": "one",
    "sg_message_id": "one",
    "status": "5.1.1",
}
MANY = 1_000_000  # characters, where one kind of them repeats


# what is called

LOAD = "seen = ba.load({name!r})"
DECIDE = "seen = ba.decide(ba.classify(ba.load({name!r}).events))"
CLASSIFY = "seen = ba.classify(ba.load({name!r}).events)"
RECORDS = """
from bounceanalytics.cleaning.lists import MailingList
with MailingList({name!r}) as opened:
    seen = sum(len(block) for block in opened.blocks())
"""
RULES = "seen = ba.classify_text(['550 no'], rules={name!r})"
POLICY = "seen = ba.Policy.load({name!r})"


def on_file(name: str, call: str, title: str, content: Callable[[], str | bytes], **wanted: object) -> Attack:
    """Return an attack by one file; without more, it may load or be refused, in three seconds and 200 MiB."""

    def make(folder: Path) -> None:
        made = content()
        (folder / name).write_bytes(made if isinstance(made, bytes) else made.encode())

    wanted = wanted if {"error", "check"} & wanted.keys() else {"error": ".", "check": "True"} | wanted
    return Attack(name=title, call=call.format(name=name), make=make, **wanted)  # type: ignore[arg-type]


def repeated(text: str, count: int = MANY) -> Callable[[], str]:
    """Return what makes a text of about so many characters."""
    return lambda: text * (count // len(text))


# JSON


def events(**changed: object) -> str:
    """Return two events of SendGrid, the first of which is changed."""
    return "".join(json.dumps(one) + "\n" for one in (EVENT | changed, EVENT | {"sg_event_id": "two"}))


def told(key: str, value: str) -> str:
    """Return two events, the first of which has this JSON under a key."""
    return events(**{key: "…"}).replace(json.dumps("…"), value)


DEEP = 80_000
BOTH = "len(seen.events) == 2"
NESTED = (
    *(
        on_file("e.json", LOAD, f"JSON nested by {opening!r}", repeated(opening, DEEP * len(opening)), error="looks like", slow=opening not in ("[", "{", '{"a":', '"['))
        for opening in ("[", "{", '{"a":', '[{"a":', "[[[{", '{"event":', '"[', '\\"[', '{"', "[[],", "[1,", '{"a":[')
    ),
    on_file("e.json", LOAD, "nested to the limit, and wide", lambda: "[" * 499 + "," * 250_000, slow=True),
    on_file("e.json", LOAD, "a nested value that breaks off", lambda: told("x", "[" * DEEP), check="len(seen.events) == len(seen.rejects) == 1", slow=True),
    on_file("e.json", LOAD, "a nested value", lambda: told("x", "[" * DEEP + "]" * DEEP), check="len(seen.events) >= 1"),
    on_file("e.json", LOAD, "nested texts", lambda: json.dumps({"a": "[" * DEEP + "]" * DEEP})),
    on_file("e.json", LOAD, "a text of escaped quotes", lambda: told("reason", '"' + '\\"' * 500_000 + '"'), check=BOTH),
    on_file("e.json", LOAD, "a text of escapes that does not end", lambda: '[{"email": "' + '\\"' * 500_000, slow=True),
    on_file("e.json", LOAD, "a number of many digits", lambda: told("timestamp", "1" + "0" * MANY), check="len(seen.events) == len(seen.rejects) == 1", slow=True),
    on_file("e.json", LOAD, "numbers of many digits", lambda: told("x", "1" + "0" * 4_200) * 100, check="len(seen.events) >= 1", slow=True),
    on_file("e.json", LOAD, "a number of many exponents", lambda: told("timestamp", "1e" + "9" * 1000), check=BOTH),
    on_file("e.json", LOAD, "a long key", lambda: events(**{"k" * MANY: 1}), check=BOTH),
    on_file("e.json", LOAD, "many keys", lambda: events(**{f"key{n}": n for n in range(100_000)}), check=BOTH, slow=True),
    on_file("e.json", LOAD, "one key often", lambda: told("x", "1, " + '"y": 1, ' * 100_000 + '"z": 1'), check=BOTH),
    on_file("e.json", LOAD, "many keys with events", lambda: json.dumps({f"k{n}": EVENT | {"sg_event_id": f"{n}"} for n in range(3_000)}), slow=True),
    on_file("e.json", LOAD, "a long joined key", lambda: events(**{"a." * 100_000 + "b": 1}), check=BOTH),
    on_file("e.json", LOAD, "a long time", lambda: events(timestamp="2026-01-01T00:00:00." + "0" * 100_000), check=BOTH),
    on_file("e.json", LOAD, "a long time of words", lambda: events(timestamp="Jan " * 25_000), check=BOTH),
    on_file("e.json.gz", LOAD, "one packed line", lambda: gzip.compress(os_noise(4_000) + b"[" + b" " * 60_000_000), mib=300, slow=True),
)  # fmt: skip


def os_noise(size: int) -> bytes:
    """Return bytes that cannot be packed, so that what follows them may be."""
    return b"".join(f"{n * 2654435761 % 2**32:08x}\n".encode() for n in range(size))


# addresses and texts

ADDRESSES = (
    *(
        on_file("e.json", DECIDE, f"an address of {title}", lambda address=address: events(email=address), check="len(seen) in (1, 2)", mib=300, slow=title != "many labels")
        for title, address in {
            "many letters": "a" * MANY + "@example.com",
            "many signs": "a@" * (MANY // 2),
            "many brackets": "<" * MANY + "ann@example.com",
            "many quotes": '"' * MANY + "ann@example.com",
            "many backslashes": '"' + "\\" * MANY + '"@example.com',
            "many blanks": "ann" + " " * MANY + "@example.com",
            "many dots": "ann@" + "." * MANY + "com",
            "many labels": "ann@" + "a." * 10_000 + "example.com",
            "many foreign labels": "ann@" + "ü." * 10_000 + "example.com",
            "a long foreign label": "ann@" + "üö" * 30_000 + ".example.com",
            "a label of marks": "ann@a" + "\u0301" * 50_000 + ".example.com",
            "a long label in Punycode": "ann@xn--" + "a9" * 30_000 + ".example.com",
            "many comments": "(" * 100_000 + "ann@example.com" + ")" * 100_000,
            "many names": "ann@example.com <" * 30_000,
        }.items()
    ),
    on_file("e.json", "seen = ba.summarize_registrable_domains(ba.classify(ba.load({name!r}).events))", "registrable domains of many labels", lambda: events(email="ann@" + "a." * 10_000 + "example.com"), check="len(seen) == 1", slow=True),
    on_file("e.json", "seen = ba.domain_typos(ba.classify(ba.load({name!r}).events))", "typing errors of long domains", lambda: events(email="ann@" + "gmail" * 10_000 + ".com"), check="len(seen) == 0", slow=True),
)  # fmt: skip
TEXTS = tuple(
    on_file("e.json", CLASSIFY, f"a diagnostic of {text!r}", lambda text=text: events(reason="550 5.1.1 " + text * (MANY // len(text))), check="len(seen) == 2", seconds=8, mib=400, slow=text != "550-5.1.1 ")
    for text in ("a", "a ", " ", "550-5.1.1 ", "1.2.3.4 ", "<", "a@b ", "user unknown ", "(", "http://", "=?utf-8?", "\r\n550 ", "é", "a.")
)  # fmt: skip


# mails

PARTS = "multipart/report; report-type=delivery-status; boundary=b"
REPORT = """--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; bob@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--b--
"""


def mail(body: str = REPORT, kind: str = PARTS, more: str = "") -> str:
    """Return a mail, which is a delivery report unless something else is said."""
    return (
        "From: MAILER-DAEMON@example.com\nTo: ann@example.com\nSubject: Undelivered\nMIME-Version: 1.0\n"
        f"{more}Content-Type: {kind}\n\n{body}"
    )


def parameters(pattern: str, count: int = 20_000) -> str:
    """Return a Content-Type with many parameters."""
    return f"{PARTS}; " + "; ".join(pattern.format(n) for n in range(count))


ONE = "len(seen.events) == 1"
MAILS = (
    on_file("m.eml", LOAD, "many parameters of a mail", lambda: mail(kind=parameters("a{}=b")), check=ONE),
    on_file("m.eml", LOAD, "long parameters of a mail", lambda: mail(kind=parameters('a{}="' + "b" * 100 + '"', 5_000)), check=ONE),
    on_file("m.eml", LOAD, "parameters in pieces (RFC 2231)", lambda: mail(kind=parameters("a*{}=b")), check=ONE),
    on_file("m.eml", LOAD, "parameters in pieces that name one", lambda: mail(kind=parameters("name*{}*=b")), check=ONE),
    on_file("m.eml", LOAD, "many semicolons in a mail", lambda: mail(kind=PARTS + ";" * 200_000), check=ONE),
    on_file("m.eml", LOAD, "semicolons in quotes in a mail", lambda: mail(kind=PARTS + '; a="' + ";" * 200_000), check=ONE, error="no event"),
    on_file("m.eml", LOAD, "quotes and semicolons in a mail", lambda: mail(kind=PARTS + '; a="' + ';"' * 100_000), check=ONE, error="no event", slow=True),
    on_file("m.eml", LOAD, "escaped quotes in a mail", lambda: mail(kind=PARTS + "; a=" + '"\\' * 100_000 + ";" * 1000), check=ONE, error="no event"),
    on_file("m.eml", LOAD, "many parameters of a part", lambda: mail(REPORT.replace("text/plain", parameters("a{}=b").replace(PARTS, "text/plain"))), check=ONE),
    on_file("m.eml", LOAD, "many parameters of many parts", lambda: mail((REPORT.partition("--b\n")[2].partition("--b\n")[0].replace("text/plain", "text/plain" + ";" * 2_000).join(["--b\n"] * 100)) + REPORT), check=ONE, slow=True),
    on_file("m.eml", LOAD, "many parameters of a disposition", lambda: mail(REPORT.replace("text/plain", "text/plain\nContent-Disposition: inline" + ";a" * 100_000)), check=ONE),
    on_file("m.eml", LOAD, "many headers of a mail", lambda: mail(more="".join(f"X-{n}: a\n" for n in range(100_000))), check=ONE, slow=True),
    on_file("m.eml", LOAD, "a folded header of a mail", lambda: mail(more="X: a\n" + " a\n" * 300_000), check=ONE, slow=True),
    on_file("m.eml", LOAD, "encoded words", lambda: mail().replace("Undelivered", "=?utf-8?q?a?= " * 50_000), check=ONE),
    on_file("m.eml", LOAD, "encoded words that do not end", lambda: mail().replace("Undelivered", "=?utf-8?q?" * 50_000), check=ONE),
    on_file("m.eml", LOAD, "nested parts", lambda: mail("".join(f"--b{n}\nContent-Type: multipart/mixed; boundary=b{n + 1}\n\n" for n in range(3_000)), "multipart/mixed; boundary=b0"), error="no event", slow=True),
    on_file("m.eml", LOAD, "nested mails", lambda: mail("Content-Type: message/rfc822\n\n" * 3_000, "message/rfc822"), error="no event"),
    on_file("m.eml", LOAD, "many parts", lambda: mail("--b\n\nx\n" * 100_000 + "--b--\n"), seconds=10, slow=True),
    on_file("m.eml", LOAD, "many recipients", lambda: mail(REPORT.replace("\nAction", "\nAction: failed\nStatus: 5.1.1\n\nFinal-Recipient: rfc822; bob@example.com" * 20_000 + "\nAction")), check="len(seen.events) >= 1", seconds=10, mib=400, slow=True),
    on_file("m.eml", LOAD, "a long boundary", lambda: mail(kind="multipart/report; boundary=" + "-" * 200_000)),
    on_file("m.eml", LOAD, "a long charset", lambda: mail(REPORT.replace("text/plain", "text/plain; charset=" + "x" * 200_000)), check=ONE),
    *(
        on_file("m.eml", LOAD, f"a mail of {text!r}", lambda text=text: mail("This is the mail system.\n" + text * (500_000 // len(text)), "text/plain"), seconds=6, slow=text != "a: ")
        for text in ("a", " ", "<", "<a@b", "a@", "a@b.c ", "\n", ":", "a: ", "550-", "--", "<a@example.com>:\n", "{\n", "said: ", "=\n")
    ),
    *(
        on_file("m.eml", LOAD, f"a report with {text!r}", lambda text=text: mail(REPORT.replace("no such user", text * (500_000 // len(text)))), seconds=6, slow=text != "550-")
        for text in ("a", "  ", "<", "\n ", "550-", "a@b.c ", ";")
    ),
)  # fmt: skip


# archives


def tar(*members: tuple[str, str | bytes]) -> bytes:
    """Return a packed archive."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in members:
            raw = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    return stream.getvalue()


def zipped(*members: tuple[str, str | bytes]) -> bytes:
    """Return a packed archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


BOMB = 100_000_000  # bytes that pack a thousand times
ARCHIVES = (
    *(
        on_file("a.tar.gz", LOAD, f"a refused name of {sign!r}", lambda sign=sign: tar(("../" + sign * (4 * MANY // len(sign)), "x")), error="outside", slow=sign not in ("a@", "../"))
        for sign in ("a", ".", "a@", "/", "../", "@", "ü")
    ),
    on_file("a.tar.gz", LOAD, "a long name in an archive", lambda: tar(("a" * MANY + ".json", events())), check=BOTH),
    on_file("a.tar.gz", LOAD, "a deep name in an archive", lambda: tar(("a/" * MANY + "a.json", events())), check=BOTH, slow=True),
    on_file("a.tar.gz", LOAD, "a long name of no export", lambda: tar(("a" * MANY, "x"), ("b", "y"))),
    on_file("a.tar.gz", LOAD, "many members", lambda: tar(*((f"{n}", "") for n in range(100_000))), seconds=60, mib=500, clock=150, slow=True),
    on_file("a.zip", LOAD, "nested archives", lambda: reduce(lambda inner, _: zipped(("a.zip", inner)), range(20), events().encode()), error="too deep"),
    on_file("a.zip", LOAD, "a bomb of archives", lambda: zipped(*[(f"{n}.zip", zipped(("a", b"\0" * 10_000_000))) for n in range(30)]), error="unpacks to more", slow=True),
    on_file("a.json.gz", LOAD, "a bomb", lambda: gzip.compress(b"[" * BOMB), error="unpacks to more"),
)  # fmt: skip


# rules and policies


def rule(pattern: str, words: str = "") -> str:
    """Return a file with one rule."""
    return f'{words}[[rule]]\nid = "ours"\nreason = "spam"\npattern = "{pattern}"\n'


def words(count: int, times: int) -> str:
    """Return words each of which is the next one some times."""
    lines = [f'w{n} = "{f"%w{n + 1}%" * times}"' for n in range(count)]
    return "\n".join(["[words]", *lines, f'w{count} = "a"', ""])


SETTINGS = (
    on_file("r.toml", RULES, "words in words", lambda: rule("%w0%", words(40, 2)), error="rule 1: the pattern has more than 20,000"),
    on_file("r.toml", RULES, "many words in words", lambda: rule("%w0%", words(4, 1_000)), error="rule 1: the pattern has more than 20,000"),
    on_file("r.toml", RULES, "a word that names itself", lambda: rule("%w%", '[words]\nw = "%w%%w%"\n'), check="len(seen) == 1", slow=True),
    on_file("r.toml", RULES, "repetitions of repetitions", lambda: rule("(?:a{1,1000}){1,1000}"), error="ours: the pattern holds more"),
    on_file("r.toml", RULES, "a long pattern", lambda: rule("a" * MANY), error="more than 20,000 characters"),
    on_file("r.toml", RULES, "a pattern of brackets", lambda: rule("(?:" * 4_000 + "a" + ")" * 4_000), error="ours: the pattern holds more"),
    on_file("r.toml", RULES, "a pattern of choices", lambda: rule("(?:a|b)" * 2_800), check="len(seen) == 1", slow=True),
    on_file("r.toml", RULES, "a pattern that goes back", lambda: rule("(?:a*)*b"), check="len(seen) == 1", slow=True),
    on_file("r.toml", RULES, "many rules", lambda: "".join(rule(f"word{n}").replace("ours", f"r{n}") for n in range(10_000)), check="len(seen) == 1", seconds=8, slow=True),
    on_file("r.toml", RULES, "many rules that are wrong", lambda: "".join(rule(f"Word{n}").replace("ours", f"r{n}") for n in range(10_000)), error="and 9,9.. more", seconds=6, slow=True),
    on_file("r.toml", RULES, "a file that is too large", lambda: "# " + "a" * 5 * MANY, error="more than 4,194,304 bytes"),
    on_file("p.toml", POLICY, "a policy that is too large", lambda: "# " + "a" * 5 * MANY, error="more than 4,194,304 bytes"),
    on_file("r.toml", RULES, "many other tables", lambda: "".join(f"[table{n}]\n" for n in range(10_000)), error="no .*rule"),
    *(
        on_file(name, call, f"{what} of a {title}", content, error=error)
        for name, call, title in (("r.toml", RULES, "file of rules"), ("p.toml", POLICY, "policy"))
        for what, content, error in (
            ("nested brackets", lambda: "a = " + "[" * 50_000, "nested too deeply"),
            ("a joined key", lambda: "a" + ".a" * 20_000 + " = 1", "."),
            ("a long number", lambda: "a = 1" + "0" * 100_000, "."),
            ("a long key", lambda: "a" * MANY + " = 1", "."),
            ("many keys", lambda: "".join(f"a{n} = 1\n" for n in range(20_000)), "."),
        )
    ),
)  # fmt: skip


# tables and lists

HEAD = "email,event,timestamp,reason,sg_event_id,sg_message_id,type,status"
ROW = "ann@example.com,bounce,1767225600,550 5.1.1 no,one,one,bounce,5.1.1"
TABLE = "seen = ba.read_table({name!r}, dict(recipient='email'))"
THREE = ["ann@example.com", "bob@example.com", "cy@example.com"]


def wide(columns: int) -> str:
    """Return an export with more columns than it has."""
    return HEAD + ",c" * columns + "\n" + ROW + "," * columns + "\n"


def stored(kind: str) -> bytes:
    """Return a table of many columns, which is no text."""
    out = io.BytesIO()
    table = pa.table({f"c{number}": ["ann@example.com"] for number in range(60_000)})
    (pyarrow.parquet.write_table if kind == "parquet" else pyarrow.feather.write_feather)(table, out)
    return out.getvalue()


def cleaned(title: str, text: str, *, slow: bool = False) -> Attack:
    """Return an attack by a list of three, of which one has bounced, that tries to have another one removed."""
    call = "seen = ba.clean('l.csv', ba.classify(ba.load('e.json').events), out='out')"
    kept = "Path('out/kept.csv').read_bytes()"
    check = f"seen.rows['removed'] == 1 and b'ann@' not in {kept} and b'bob@' in {kept} and b'cy@' in {kept}"

    def make(folder: Path) -> None:
        (folder / "l.csv").write_bytes(text.encode())
        (folder / "e.json").write_text(events())

    return Attack(name=title, call=call, check=check, make=make, seconds=5, slow=slow)


LISTS = (
    on_file("t.csv", LOAD, "an export of many columns", lambda: wide(100_000), error="100,008 columns, more than the 4,096"),
    *(on_file(f"t.{kind}", call, f"a {kind} file of many columns {number}", partial(stored, kind), error="60,000 columns", mib=300) for kind in ("parquet", "feather") for number, call in enumerate((LOAD, TABLE))),
    on_file("t.csv", LOAD, "an export of some columns", lambda: wide(2_000), check=ONE),
    on_file("t.csv", TABLE, "a table of many columns", lambda: wide(100_000), error="100,008 columns"),
    on_file("l.csv", RECORDS, "a list of many columns", lambda: wide(100_000), error="100,008 columns"),
    on_file("l.csv", RECORDS, "a list of some columns", lambda: wide(2_000), check="seen == 1", slow=True),
    on_file("l.csv", RECORDS, "a list of many columns without titles", lambda: "," * 200_000 + "\n" + ROW + "\n", error="columns"),
    on_file("l.csv", RECORDS, "a row of many cells", lambda: "email,b\n" + ROW + "," * 5_000_000 + "\n", check="seen == 1", mib=300),
    on_file("l.csv", RECORDS, "a line of a list", lambda: "email\n" + "a" * 20_000_000, check="seen == 1", error="does not end within 16,777,216 bytes"),
    on_file("l.csv.gz", RECORDS, "a packed line of a list", lambda: gzip.compress(os_noise(50_000) + b"a" * 60_000_000), error="does not end|no column", mib=300),
    on_file("l.csv.gz", RECORDS, "a packed quote of a list", lambda: gzip.compress(b"email\n" + os_noise(50_000) + b'"' + b"a\n" * 30_000_000), error="never closes", mib=400, slow=True),
    on_file("l.csv", RECORDS, "a list of many signs", lambda: "email\n" + "a@" * 5_000_000, check="seen == 1", mib=300),
    on_file("l.csv", RECORDS, "a list of quotes", lambda: "email\n" + '"' * 3_000_001),
    on_file("l.csv", RECORDS, "a list of quotes and blanks", lambda: "email\n" + '" ' * MANY, seconds=6, mib=300, slow=True),
    on_file("l.csv", RECORDS, "a list of line ends", lambda: "email\nann@example.com" + "\n" * 5_000_000, mib=400, slow=True),
    on_file("l.csv", RECORDS, "a pasted list", lambda: "ann@example.com, bob@example.com; " * 100_000, mib=300, slow=True),
    on_file("l.csv", RECORDS, "a pasted list of brackets", lambda: "ann@example.com, bob@example.com; " + "<" * MANY),
    on_file("t.csv", LOAD, "a long cell", lambda: HEAD + "\n" + ROW.replace("no", "n" * 5_000_000) + "\n" + ROW + "\n", mib=400),
    on_file("t.csv", LOAD, "a damaged row and a long cell", lambda: "\n".join([HEAD, '"', ROW.replace("no", "n" * 500_000), ROW.replace("one", "two"), ""]), check="len(seen.events) == 2 and len(seen.rejects) == 1", slow=True),
    on_file("t.csv", LOAD, "a quote that does not close", lambda: HEAD + '\n"' + (ROW + "\n") * 50_000, seconds=6, mib=300, slow=True),
    on_file("t.csv.gz", LOAD, "one packed line of a table", lambda: gzip.compress(HEAD.encode() + b"\n" + os_noise(50_000) + ROW.encode() + b"n" * 60_000_000), mib=600, seconds=6, slow=True),
    cleaned("a list with CR ends, and LF in cells", 'email,name\rann@example.com,"A\nnn"\rbob@example.com,"B\no\nb"\rcy@example.com,C\r', slow=True),
    cleaned("a list with LF ends, and CR in cells", 'email,name\nann@example.com,"A\rnn"\nbob@example.com,"B\ro\rb"\ncy@example.com,C\n', slow=True),
    cleaned("a list with CR ends, and LF in its titles", '"e\nmail",email,name\rx,ann@example.com,A\rx,bob@example.com,"B\nb"\rx,cy@example.com,C\r', slow=True),
    cleaned("a list with mixed ends", 'email,name\r\nann@example.com,Ann\rbob@example.com,"Bob\nB"\ncy@example.com,C\r\n', slow=True),
    cleaned("a list with mixed ends and quotes", 'name,email\r"A\r\nB",ann@example.com\n"Bob, B","bob@example.com"\r\n"5"" C",cy@example.com'),
)  # fmt: skip


# workbooks

_XML = '<?xml version="1.0"?>'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"


def related(*parts: tuple[str, str]) -> str:
    """Return the relations of a part of a workbook: kinds and names of others."""
    lines = [
        f'<Relationship Id="r{n}" Type="{_OFFICE}/{kind}" Target="{name}"/>'
        for n, (kind, name) in enumerate(parts)
    ]
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{"".join(lines)}</Relationships>'  # fmt: skip


def workbook(rows: str, strings: str = "") -> bytes:
    """Return a workbook of one sheet, whose parts are as they are given, however wrong."""
    types = (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_MAIN}"/></Types>'
    )
    book = (
        f'{_XML}<workbook xmlns="{_SHEETS}" xmlns:r="{_OFFICE}">'
        '<sheets><sheet name="one" sheetId="1" r:id="r0"/></sheets></workbook>'
    )
    return zipped(
        ("[Content_Types].xml", types),
        ("_rels/.rels", related(("officeDocument", "xl/workbook.xml"))),
        ("xl/workbook.xml", book),
        (
            "xl/_rels/workbook.xml.rels",
            related(("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml")),
        ),
        (
            "xl/worksheets/sheet1.xml",
            f'{_XML}<worksheet xmlns="{_SHEETS}"><sheetData>{rows}</sheetData></worksheet>',
        ),
        ("xl/sharedStrings.xml", f'{_XML}<sst xmlns="{_SHEETS}">{strings}</sst>'),
    )


def cell(place: str, text: str) -> str:
    """Return a cell with a text, in a row of its own."""
    number = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return f'<row r="{number}"><c r="{place}" t="inlineStr"><is><t>{text}</t></is></c></row>'


def far(place: str) -> bytes:
    """Return a list of one address, and a cell far away."""
    return workbook(cell("A1", "email") + cell("A2", "ann@example.com") + cell(place, "far"))


def open_document(rows: str) -> bytes:
    """Return a workbook in OpenDocument."""
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )  # fmt: skip
    content = (
        f"{_XML}<office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="one">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    return zipped(
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content),
        ("META-INF/manifest.xml", f'{_XML}<manifest xmlns="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'),
    )  # fmt: skip


def document_cell(row: str, column: str, text: str) -> str:
    """Return a cell of OpenDocument, with what is said of its row and of itself."""
    kind = 'office:value-type="string"'
    return f"<table:table-row {row}><table:table-cell {kind} {column}><text:p>{text}</text:p></table:table-cell></table:table-row>"


SHARED = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
TOO_MUCH = "MiB of memory|unpacks to more"
LARGE = ("a shared text", "many cells", "many blanks")  # which take a second to make
WORKBOOKS = tuple(
    on_file(name, call, f"{title} {what}", content, error=error, seconds=8, mib=450, slow=title in LARGE or (title, name) == ("shared texts", "t.xlsx"))
    for what, name, call in (("to load", "t.xlsx", LOAD), ("as a list", "l.xlsx", RECORDS))
    for title, content, error in (
        ("a cell in the last place", lambda: far("XFD1048576"), TOO_MUCH),
        ("a cell behind the last row", lambda: far("A4294967295"), TOO_MUCH),
        ("a cell beyond all places", lambda: far("ZZZZZZ999999"), TOO_MUCH),
        ("a cell beyond all numbers", lambda: far("ZZZZZZZZZZZZ99999999999999999999"), "."),
        ("a cell without a column", lambda: far("3"), "."),
        ("shared texts", lambda: workbook(SHARED, "<si><t>a</t></si>" * (BOMB // 16)), TOO_MUCH),
        ("a shared text", lambda: workbook(SHARED, f"<si><t>{'a' * BOMB}</t></si>"), TOO_MUCH),
        ("a shared text told often", lambda: workbook("<row>" + '<c t="s"><v>0</v></c>' * 200_000 + "</row>", f"<si><t>{'a' * 100_000}</t></si>"), TOO_MUCH),
        ("many cells", lambda: workbook("<row><c><v>1</v></c></row>" * (BOMB // 26)), TOO_MUCH),
        ("many blanks", lambda: workbook(" " * BOMB), TOO_MUCH),
        ("repeated rows", lambda: open_document(document_cell('table:number-rows-repeated="1000000"', 'table:number-columns-repeated="1000"', "a")), "."),
        ("repeated cells", lambda: open_document(document_cell("", 'table:number-columns-repeated="4000000000"', "a")), "."),
        ("repeated blanks", lambda: open_document(document_cell("", "", '<text:s text:c="4000000000"/>')), "."),
    )
)  # fmt: skip


# other notations

NOTATIONS = (
    on_file("t.xml", LOAD, "entities of XML", lambda: '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a0 "aaaaaaaaaa">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)) + "]><bounces><bounce><email>&a11;</email><reason>x</reason></bounce></bounces>"),
    on_file("t.xml", LOAD, "nested tags of XML", lambda: "<bounces><bounce>" + "<a>" * 200_000),
    on_file("t.xml", LOAD, "attributes of XML", lambda: "<bounces><bounce " + "".join(f'a{n}="b" ' for n in range(100_000)) + "><email>ann@example.com</email></bounce></bounces>"),
    on_file("t.xml", LOAD, "tags of XML that do not end", lambda: "<bounces><bounce><email>" + "<" * MANY),
    on_file("t.yaml", LOAD, "aliases of YAML", lambda: "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)) + "email: ann@example.com\n"),
    on_file("t.yaml", LOAD, "merges of YAML", lambda: "a0: &a0 {" + ",".join(f"k{n}: {n}" for n in range(100)) + "}\n" + "".join(f"a{n}: &a{n}\n  <<: [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)) + "email: ann@example.com\n"),
    on_file("t.yaml", LOAD, "nested YAML", lambda: "email: ann@example.com\na: " + "[" * 100_000),
    on_file("t.yaml", LOAD, "nested lists of YAML", lambda: "- email: ann@example.com\n  a:\n    " + "- " * 100_000),
    on_file("f.txt", LOAD, "a form of many keys", lambda: "event=bounce&recipient=ann@example.com&" + "&".join(f"k{n}=v" for n in range(MANY)) + "\n", slow=True),
    on_file("f.txt", LOAD, "a form of percents", lambda: "event=bounce&recipient=ann@example.com&k=" + "%41" * 500_000 + "\n"),
    on_file("f.txt", LOAD, "a form in many parts", lambda: '--b\nContent-Disposition: form-data; name="k"\n\nv\n' * 100_000 + "--b--\n"),
    on_file("f.txt", LOAD, "a name of quotes", lambda: '--b\nContent-Disposition: form-data; name="' + '\\"' * 30_000 + "\n\nv\n--b--\n"),
    on_file("t.txt", LOAD, "what Python prints, nested", lambda: "[{'email': 'ann@example.com', 'a': " + "(" * 50_000),
    on_file("t.txt", LOAD, "what Python prints, negative", lambda: "[{'email': 'ann@example.com', 'a': " + "-" * 500_000 + "1}]"),
    *(
        on_file("t.txt", LOAD, f"a file of {text!r}", repeated(text), seconds=12, mib=300, slow=text != "INSERT INTO ")
        for text in (
            "a", " ", "\n", "\r", "\0", "{", "}", '"', "{\n", "{}", "'", "(", "<", "<a ", "--", "=", "a=b&", ": ", "a: ",
            "- ", "#", "|", "+-", "| a ", "\t", ",", "\\", '\\"', "@", "a@b.c\n", "ann@example.com ", "[2026-01-01] ",
            "2026-01-01 00:00:00 ", "\x1b[1m", "&", "[x] {", 'x {"a":1}', "From a\n", "A: b\n", "eyJ", "H4sI", "*a", "&a ",
            "<?xml ", "<!--", "INSERT INTO ", "u'", '[{"', '{"a":1,', "}{", '"a":',
        )
    ),
)  # fmt: skip


# what users hand over beside exports and lists

RUN = "ba.clean('l.csv', ba.classify(ba.load('e.json').events), out='out')\n"
TIMES = "frame = ba.classify(ba.load('e.json').events)\nframe['timestamp'] = pd.to_datetime([{times}], utc=True)\n"
VERBS = "seen = [ba.storms(frame), ba.summarize_days(frame), ba.recovery(frame), ba.decide(frame), ba.retry_days(frame), ba.report(frame, 'r.html')]"


def few(folder: Path) -> None:
    """Write two events, and a list of two addresses."""
    (folder / "e.json").write_text(events(email="bob@example.com"))
    (folder / "l.csv").write_text("email\nann@example.com\nbob@example.com\n")


def many_files(folder: Path) -> None:
    """Write many files with long names, none of which is an export."""
    for number in range(2_000):
        (folder / f"{number:0200}.json").write_text("[]")


OTHERS = (
    Attack(name="a large manifest", make=few, call=RUN + "Path('out/manifest.json').write_text(' ' * 5_000_000)\nba.restore('out', 'all.csv')", error="more than 4,194,304 bytes|cannot be read", slow=True),
    Attack(name="a nested manifest", make=few, call=RUN + "Path('out/manifest.json').write_text('[' * 500_000)\nba.restore('out', 'all.csv')", error="cannot be read", slow=True),
    Attack(name="a ledger that is none", make=few, call="Path('x.db').write_bytes(b'SQLite format 3' + b'\\0' * 5_000_000)\nba.Ledger('x.db').entries()", error="."),
    Attack(name="a file of hashes of one line", make=few, call="Path('h.csv').write_text('a,' * 2_000_000)\nba.match_hashes('l.csv', 'h.csv')", error="."),
    Attack(name="a file of hashes of a long cell", make=few, call="Path('h.csv').write_text('sha256\\n' + 'a' * 20_000_000)\nba.match_hashes('l.csv', 'h.csv')", error="."),
    Attack(name="times of a thousand years", make=few, call=TIMES.format(times="'1200-01-01', '2250-01-01'") + VERBS, check="len(seen) == 6", seconds=15, mib=500, slow=True),
    Attack(name="times at the ends of time", make=few, call=TIMES.format(times="pd.Timestamp.min.ceil('us'), pd.Timestamp.max.floor('us')") + VERBS, check="len(seen) == 6", error=".", seconds=15, mib=500, slow=True),
    Attack(name="a code of many digits", call="ba.explain('5.' + '1' * 1_000_000)", error="no status code"),
    Attack(name="a code of many dots", call="ba.explain('5.' * 500_000)", error="no status code"),
    Attack(name="a text of a million characters", call="seen = ba.classify_text(['550 5.1.1 ' + '<' * 1_000_000])", check="len(seen) == 1", seconds=15, slow=True),
    Attack(name="many files with long names", make=many_files, call="ba.load('*.json')", error=".", check="True", seconds=20, slow=True),
    Attack(name="a long name of a file", call="ba.load('a' * 1_000_000)", error="no file|name too long|too long"),
    Attack(name="a glob of many stars", make=many_files, call="ba.load('*0' * 40 + '.csv')", error=".", seconds=10),
    Attack(
        name="damaged tables in several threads",
        slow=True,
        make=lambda folder: (folder / "t.csv").write_text("\n".join([HEAD, '"', *(ROW.replace("no", "n" * 200_000).replace("one", f"{n}") for n in range(20)), ""])),
        call="from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(4) as pool: seen = [len(one.events) for one in pool.map(ba.load, ['t.csv'] * 8)]",
        check="seen == [20] * 8",
        seconds=15,
        mib=600,
    ),
)  # fmt: skip


# little memory


def many_events(folder: Path) -> None:
    """Write some thousand events, and a list of as many addresses."""
    people = [f"reader{n}@example.com" for n in range(50_000)]
    lines = (json.dumps(EVENT | {"email": one, "sg_event_id": one}) + "\n" for one in people)
    (folder / "e.json").write_text("".join(lines))
    (folder / "l.csv").write_text("email\n" + "\n".join(people))


MEMORY = tuple(
    Attack(name=f"{call.split()[1]} in {room} MiB", call=call, make=many_events, room=room, error="memory", check="True", seconds=20, mib=700, slow=room == 1_000)
    for room in (200, 1_000)
    for call in ("bounceanalytics load e.json", "bounceanalytics clean l.csv e.json", "bounceanalytics report e.json")
)  # fmt: skip


@attacks(
    [
        *NESTED,
        *ADDRESSES,
        *TEXTS,
        *MAILS,
        *ARCHIVES,
        *SETTINGS,
        *LISTS,
        *WORKBOOKS,
        *NOTATIONS,
        *OTHERS,
        *MEMORY,
    ]
)
def test_no_input_costs_more_than_it_may(attack: Attack, arena: Arena, tmp_path: Path) -> None:
    assert not arena.faults(attack, tmp_path)
