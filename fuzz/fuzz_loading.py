"""Feed damaged exports to the readers; only a sound result or an error of our own may come out.

The first byte of an input says how the rest is read (:data:`WAYS`). A finding does not end the run: it is shrunk,
written to a folder and told once for each place in the code that it comes from. README.md says how to run this.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import random
import re
import shutil
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import atheris
import seeds

with atheris.instrument_imports(include=["bounceanalytics"]):
    import bounceanalytics as ba
    from bounceanalytics.schema import EVENT_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = str(Path(ba.__file__).parent)
OUT = Path(tempfile.gettempdir()) / "bounceanalytics-fuzz"
DEFAULTS = {"timeout": "20", "max_len": "65536", "rss_limit_mb": "4096", "max_total_time": "600"}
SHRINKING = 6  # seconds for one finding, well below the limit of an input
_ADDRESS = re.compile(r"[\w.+-]+@example\.(?:com|net|org)")


class UnsoundError(Exception):
    """A result that breaks a promise."""


# ways to read


def by_bytes(content: bytes) -> None:
    sound(ba.load(content))


def by_sendgrid(content: bytes) -> None:
    sound(ba.load(content, provider="sendgrid"))


def by_ses(content: bytes) -> None:
    sound(ba.load(content, provider="ses"))


def by_mailgun(content: bytes) -> None:
    sound(ba.load(content, provider="mailgun"))


def by_raising(content: bytes) -> None:
    result = ba.load(content, on_error="raise")
    sound(result)
    if len(result.rejects):
        raise UnsoundError("on_error='raise' gave rejects")


def by_bounces_csv(content: bytes) -> None:
    sound(ba.load(file("suppression_bounces.csv", content)))


def by_json_file(content: bytes) -> None:
    sound(ba.load(file("x.json", content)))


def by_mbox_file(content: bytes) -> None:
    sound(ba.load(file("y.mbox", content)))


def by_folder(content: bytes) -> None:
    """Read it twice beside a good file: copies say nothing new, and a bad file must not take a good one with it."""
    for name, inside in (("a", content), ("b", content), ("good.json", GOOD)):
        file(f"folder/{name}", inside)
    sound(ba.load(SCRATCH / "folder"))


def by_table(content: bytes) -> None:
    mapping = {"recipient": "email", "diagnostic": "reason", "timestamp": "created", "event": "status"}
    ba.read_table(file("table.csv", content), mapping)


def by_convert(content: bytes) -> None:
    """Convert it, and once more, which adds nothing; the rows are those of a load."""
    out = SCRATCH / "converted"
    shutil.rmtree(out, ignore_errors=True)
    source = file("source", content)
    rows = len(ba.convert(source, out))
    again = len(ba.convert(source, out))
    loaded = len(ba.load(source).events)
    if not rows == again == loaded:
        raise UnsoundError("the rows of convert, of convert again and of load are not as many")


WAYS: list[Callable[[bytes], None]] = [
    by_bytes,
    by_sendgrid,
    by_ses,
    by_mailgun,
    by_raising,
    by_bounces_csv,
    by_json_file,
    by_mbox_file,
    by_folder,
    *([by_table] if hasattr(ba, "read_table") else []),
    *([by_convert] if hasattr(ba, "convert") else []),
]
SEEDS = seeds.exports()
GOOD = SEEDS[0]
SCRATCH = Path(tempfile.mkdtemp(prefix="bounceanalytics-fuzz-"))


def file(name: str, content: bytes) -> Path:
    path = SCRATCH / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def sound(result: ba.Load) -> None:
    result.check()
    repr(result)
    if list(result.events.columns) != list(EVENT_COLUMNS.names):
        raise UnsoundError("the columns are not those of the schema")


# findings


def problem_of(way: Callable[[bytes], None], content: bytes) -> tuple[str, str] | None:
    """Return what went wrong, as a name that equal findings share and as a text; None if nothing did."""
    try:
        way(content)
    except ba.BounceAnalyticsError as error:
        if _ADDRESS.search(str(error)):
            return f"a whole address in a message: {innermost(error)}", str(error)
    except Exception as error:
        return f"{type(error).__name__}: {innermost(error)}", traceback.format_exc()
    return None


def innermost(error: BaseException) -> str:
    """Return the place in the package that the error comes from, or its message if it comes from here."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(PACKAGE)]
    if not ours:
        return str(error)[:80]
    return f"{Path(ours[-1].filename).relative_to(PACKAGE)}:{ours[-1].lineno} {ours[-1].name}"


class Findings:
    """What went wrong so far: each kind once, with the smallest input found for it."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def test(self, data: bytes) -> None:
        way, content = WAYS[data[0] % len(WAYS)] if data else by_bytes, data[1:]
        problem = problem_of(way, content)
        if problem is None or problem[0] in self._known:
            return
        name, text = problem
        self._known.add(name)
        smallest = shrunk(name, way, content)
        path = OUT / f"finding-{hashlib.sha256(name.encode()).hexdigest()[:10]}"
        path.write_bytes(bytes([WAYS.index(way)]) + smallest)
        told = f"{name}\n{way.__name__}({smallest!r})\n{path}\n\n{text}"
        path.with_suffix(".txt").write_text(told, encoding="utf-8")
        print(f"\nFINDING {told}\n", file=sys.stderr, flush=True)


def shrunk(name: str, way: Callable[[bytes], None], content: bytes) -> bytes:
    """Return a smaller input that gives the same finding, as far as the time allows."""
    until = time.monotonic() + SHRINKING
    piece = max(len(content) // 2, 1)
    while piece:
        place = 0
        while place < len(content):
            if time.monotonic() > until:
                return content
            without = content[:place] + content[place + piece :]
            problem = problem_of(way, without)
            if problem and problem[0] == name:
                content = without
            else:
                place += piece
        piece //= 2
    return content


# changes

_TOKENS: tuple[bytes, ...] = (
    b'"', b"{", b"}", b"[", b"]", b",", b":", b"\n", b"\r\n", b"\r", b"\\", b"\x00", b"\xef\xbb\xbf", b"\xff", b"\xc3", b"\xed\xa0\x80",
    b"null", b"true", b"NaN", b"-0", b"1e999", b"-1", b"9" * 30, b"1718093404.5e3", b'""', b"[]", b"{}", b"[[]]", b'"\\ud800"', b'"\\u0000"',
    b"[" * 200, b'{"a":' * 200, b";", b"\t", b'""""', b"'", b"=", b"&", b"%", b"%00", b"--b1", b"--b1--", b"\n\n", b"\nFrom ", b"<", b"</bounce>",
    b"<![CDATA[", b"&#0;", b"&x;", b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:59Z", b"Mon, 31 Feb 2026 25:61:61 XYZ", b"2025-09-15 06:30",
    b"5.1.1", b"999 9.9.9", b"@", b"\xe2\x80\xae", b"\x1f\x1e\x1f\x1e", b"\x85", b"\xe2\x80\xa8", b"items", b"Records", b"mail", b"event", b"email",
)  # fmt: skip
_VALUE = re.compile(rb'(?<=[:\[,])\s*(?:"(?:[^"\\]|\\.)*"|-?\d[\d.]*|true|false|null)')


def mutated(data: bytes, max_size: int, seed: int) -> bytes:
    """Return a changed input: most often the content, sometimes how it is read, sometimes another seed."""
    rng = random.Random(seed)
    if len(data) < 2 or rng.random() < 0.05:
        return (bytes([rng.randrange(len(WAYS))]) + rng.choice(SEEDS))[:max_size]
    first, content = data[0], data[1:]
    if rng.random() < 0.2:
        first = rng.randrange(len(WAYS))
    content, repack = unpacked(content) if rng.random() < 0.7 else (content, bytes)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        content = rng.choice(_CHANGES)(content, rng)
    content = repack(content)
    if rng.random() < 0.05:
        content = rng.choice(_WRAPS)(content)
    return (bytes([first]) + content)[:max_size]


def crossed(data: bytes, other: bytes, max_size: int, seed: int) -> bytes:
    rng = random.Random(seed)
    if not data or not other:
        return (data or other)[:max_size]
    return (data[: 1 + rng.randrange(len(data))] + other[rng.randrange(len(other)) :])[:max_size]


def unpacked(content: bytes) -> tuple[bytes, Callable[[bytes], bytes]]:
    """Return what is packed, and how to pack it again, so that changes reach what is inside."""
    try:
        if content.startswith(b"\x1f\x8b"):
            with gzip.open(io.BytesIO(content)) as stream:
                return stream.read(1 << 20), seeds.gzipped
        if content.startswith(b"PK"):
            with (
                zipfile.ZipFile(io.BytesIO(content)) as archive,
                archive.open(archive.namelist()[0]) as member,
            ):
                return member.read(1 << 20), seeds.zipped
        if content.startswith(b"\xff\xfe"):
            return content.decode("utf-16").encode(), utf16
    except Exception:  # noqa: S110 - damaged by an earlier change, and worth a try as it is
        pass
    return content, bytes


def utf16(content: bytes) -> bytes:
    return content.decode("utf-8", "replace").encode("utf-16")


def span(content: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(content) + 1)
    return start, min(len(content), start + int(rng.expovariate(1 / 30)) + 1)


def cut(content: bytes, rng: random.Random) -> bytes:
    start, end = span(content, rng)
    return content[:start] + content[end:]


def truncate(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def repeat(content: bytes, rng: random.Random) -> bytes:
    start, end = span(content, rng)
    return content[:end] + content[start:end] * rng.choice((1, 2, 50)) + content[end:]


def splice(content: bytes, rng: random.Random) -> bytes:
    other = rng.choice(SEEDS)
    return content[: rng.randrange(len(content) + 1)] + other[rng.randrange(len(other) + 1) :]


def join(content: bytes, rng: random.Random) -> bytes:
    """Put another export below, or what another has on one line."""
    other = rng.choice(SEEDS)
    lines = other.splitlines(keepends=True) or [b""]
    return content + rng.choice((b"", b"\n", b"\r\n", b",")) + rng.choice((other, rng.choice(lines)))


def flip(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 2, 8)) if changed else 0):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def insert(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content) + 1)
    return content[:place] + rng.choice(_TOKENS) + content[place:]


def revalue(content: bytes, rng: random.Random) -> bytes:
    """Put another value in the place of one of JSON's, out of the same input or of the odd ones."""
    values = list(_VALUE.finditer(content))
    if not values:
        return insert(content, rng)
    at = rng.choice(values)
    new = rng.choice(values)[0] if rng.random() < 0.3 else rng.choice(_TOKENS)
    return content[: at.start()] + new + content[at.end() :]


def relay_lines(content: bytes, rng: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    rng.shuffle(lines)
    return b"".join(lines)


def by_libfuzzer(content: bytes, _: random.Random) -> bytes:
    return bytes(atheris.Mutate(content, max(2 * len(content), 64))) if content else content


def escaped(content: bytes) -> bytes:
    return seeds.as_text(content.decode("utf-8", "replace")).encode()


_CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    cut, truncate, repeat, splice, join, flip, insert, insert, revalue, revalue, revalue, relay_lines, by_libfuzzer, by_libfuzzer,
)  # fmt: skip
_WRAPS: tuple[Callable[[bytes], bytes], ...] = (
    seeds.gzipped,
    seeds.zipped,
    seeds.tarred,
    utf16,
    lambda content: b"\xef\xbb\xbf" + content,
    lambda content: b"[" + content + b"]",
    lambda content: b'{"Records":[' + content + b"]}",
    lambda content: b'{"items":' + content + b"}",
    lambda content: (
        b'{"Type":"Notification","TopicArn":"a","MessageId":"1","Message":' + escaped(content) + b"}"
    ),
    lambda content: b'{"raw_event":' + content + b"}\n",
)


def main() -> None:
    warnings.simplefilter("ignore")
    OUT.mkdir(exist_ok=True)
    began = time.time()
    # libFuzzer ends its process without a word to Python, so that another must clean up and report
    child = os.fork()
    if not child:
        fuzz(sys.argv[1:])
    try:
        _, status = os.waitpid(child, 0)
    except KeyboardInterrupt:
        _, status = os.waitpid(child, 0)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    found = sorted(path for path in OUT.iterdir() if path.stat().st_mtime >= began and path.suffix != ".txt")
    print(f"{len(found)} findings, in {OUT}")
    for path in found:
        about = path.with_suffix(
            ".txt"
        )  # none where the process itself came to its end: a crash or a timeout
        print(
            f"- {path.name}",
            *(about.read_text(encoding="utf-8").splitlines()[:2] if about.exists() else []),
            sep="\n    ",
        )
    sys.exit(1 if found or status else 0)


def fuzz(arguments: list[str]) -> None:
    """Hand over to libFuzzer, which does not come back."""
    tempfile.tempdir = str(SCRATCH)  # what the package leaves there when a process is killed goes too
    options = [one for one in arguments if one.startswith("-")]
    given = [one for one in arguments if not one.startswith("-")]
    named = {one.lstrip("-").split("=")[0] for one in options}
    defaults = DEFAULTS | {"artifact_prefix": f"{OUT}/"}
    options += [f"-{name}={value}" for name, value in defaults.items() if name not in named]
    if not any(Path(one).is_file() for one in given):  # else these inputs are run, and nothing more
        corpus = SCRATCH / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(SEEDS):
            (corpus / f"{number:03}").write_bytes(bytes([number % len(WAYS)]) + seed)
        given.append(str(corpus))
    atheris.Setup(
        [sys.argv[0], *options, *given], Findings().test, custom_mutator=mutated, custom_crossover=crossed
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
