"""Look for input that breaks a promise: whatever comes in, each record is accounted for, and errors are our own.

Run ``python scripts/fuzz.py --minutes 30``. Pieces of exports, mails and lists are put into one another, spelled anew
and damaged at random. What is found is written to a folder, one file each, with the sentence that tells what broke. The
same seed tries the same inputs.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import random
import re
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import bounceanalytics as ba

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.loading.exports import mailgun_failed, sendgrid_bounce, ses_bounce
from tests.loading.server_mails import CASES
from tests.loading.wrappings import FILES, JSON

if TYPE_CHECKING:
    from collections.abc import Callable

#: Most CPU seconds for an input of these sizes, which are all small.
_LIMIT = 8.0
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")

_SPELLINGS: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.lower,
    str.title,
    lambda key: key.replace("-", "_"),
    lambda key: key.replace("_", "-"),
    lambda key: re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower(),
    lambda key: f" {key} ",
)

_BITS = (
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf0\x9f\x92\xa9"),
    *(bytes([sign]) for sign in b"\"'\\{}[],;\t|\r\n@<>=&#"),
    *(
        b"\r\n",
        b"null",
        b"NaN",
        b"1e999",
        b"-1",
        b"%00",
        b"&#0;",
        b"$date",
        b"From ",
        b"Content-Type: ",
        b"sep=;\n",
    ),
    *(b"[" * 300, b'{"a":' * 120, b"9" * 400),
)


def _spelled(value: Any, pick: random.Random, spell: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {
            spell(key) if pick.random() < 0.5 else key: _spelled(one, pick, spell)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_spelled(one, pick, spell) for one in value]
    return value


def _event(pick: random.Random) -> Any:
    number = pick.randrange(10**6)
    make = pick.choice((sendgrid_bounce, mailgun_failed, lambda n: ses_bounce("ann@example.com", number=n)))
    event = make(number)
    if pick.random() < 0.3:
        event = _spelled(event, pick, pick.choice(_SPELLINGS))
    for _ in range(pick.choice((0, 0, 1, 1, 2, 3))):
        event = pick.choice(list(JSON.values()))(event)
    return event


def _quoted(event: Any) -> bytes:
    return b'"' + json.dumps(event).replace('"', '""').encode() + b'"'


def _mails(pick: random.Random) -> bytes:
    return b"\n".join(b"From x@y Tue Mar  3 09:10:11 2026\n" + case.mail for case in pick.sample(CASES, 2))


def _list(events: list[Any], pick: random.Random) -> bytes:
    title = pick.choice(("email", "Mail", "recipient", ""))
    rows = "".join(f"{n};kim{n}@example.com;550 5.1.1 no such user\n" for n in range(len(events)))
    return f"id;{title};reason\n{rows}".encode()


_WRITERS: tuple[Callable[[list[Any], random.Random], bytes], ...] = (
    lambda events, _: json.dumps(events).encode(),
    lambda events, _: "\n".join(map(json.dumps, events)).encode(),
    lambda events, _: "\n".join(json.dumps(one, indent=2) for one in events).encode(),
    lambda events, _: "\n".join(map(repr, events)).encode(),
    lambda events, _: "".join(
        f"2026-03-10 08:15:20 INFO hook: {json.dumps(one)}\n" for one in events
    ).encode(),
    lambda events, _: b"id,payload\n" + b"".join(b"1,%s\n" % _quoted(one) for one in events),
    lambda events, pick: pick.choice(list(FILES.values()))(events[0]),
    lambda _, pick: _mails(pick),
    _list,
)


def _written(pick: random.Random) -> bytes:
    events = [_event(pick) for _ in range(pick.choice((1, 1, 2, 5, 60)))]
    return pick.choice(_WRITERS)(events, pick)


def _damaged(content: bytes, pick: random.Random) -> bytes:
    for _ in range(pick.choice((0, 1, 1, 2, 4, 9))):
        if not content:
            return content
        at, until = sorted(pick.randrange(len(content) + 1) for _ in range(2))
        match pick.randrange(7):
            case 0:
                content = content[:at]
            case 1:
                content = content[:at] + pick.choice(_BITS) + content[at:]
            case 2:
                content = content[:at] + content[min(until, at + 40) :]
            case 3:
                content = content[:at] + content[at:until][:2000] * 2 + content[until:]
            case 4:
                content = content[:at] + bytes([pick.randrange(256)]) + content[at + 1 :]
            case 5:
                content = content.replace(b"\n", pick.choice((b"\r\n", b"\r", b"\n\n", b" ")))
            case _:
                content = content[at:]
    return content


def _packed(content: bytes, pick: random.Random) -> bytes:
    pack = pick.choice((None, None, None, gzip.compress, bz2.compress, lzma.compress, base64.b64encode))
    content = pack(content) if pack else content
    return _damaged(content, pick) if pack and pick.random() < 0.5 else content


def _names(pick: random.Random) -> str:
    return pick.choice(
        (
            "x.json",
            "events.csv",
            "bounces.csv",
            "a.log",
            "x.gz",
            "x",
            "box.mbox",
            "x.yaml",
            "list.txt",
            "x.xlsx",
            "x.snappy",
        )
    )


def try_load(path: Path, pick: random.Random) -> None:
    """Load a file; the account must add up, and nothing else be raised than our own errors."""
    loaded = ba.load(path, timezone=pick.choice((None, "UTC", "Europe/Berlin")))
    loaded.check()
    repr(loaded)
    bounces = ba.classify(loaded.events)
    ba.decide(bounces)


def try_list(path: Path, _: random.Random) -> None:
    """Clean a file as a list; its rows must add up to those of the files written."""
    export = json.dumps(
        {"email": "kim1@example.com", "event": "bounce", "type": "bounce", "sg_event_id": "1"}
    )
    with tempfile.TemporaryDirectory() as folder:
        done = ba.clean(path, ba.classify(ba.load(export.encode()).events), Path(folder, "out"))
        parts = sum(
            done.rows[part] for part in ("kept", "removed", "held", "unreadable") if part in done.rows
        )
        if done.rows["input"] != parts:
            raise AssertionError(f"rows do not add up: {done.rows}")


TARGETS = {"load": try_load, "list": try_list}


def _broken(target: str, content: bytes, name: str, seed: str) -> str:
    """Return what promise an input breaks, or nothing."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder, name)
        path.write_bytes(content)
        start = time.process_time()
        try:
            TARGETS[target](path, random.Random(seed))
        except (ba.BounceAnalyticsError, ba.FormatError) as error:
            if _ADDRESS.search(str(error)):
                return f"an address in a message: {error}"
        except Exception:  # whatever else there is, is what is looked for
            return traceback.format_exc()
        spent = time.process_time() - start
        return f"{spent:.1f} s for {len(content)} bytes" if spent > _LIMIT else ""


@click.command()
@click.option("--minutes", type=float, default=1.0, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("findings"), show_default=True)
def main(minutes: float, seed: int, out: Path) -> None:
    """Try random inputs for some minutes, and write down those that break a promise."""
    until = time.monotonic() + 60 * minutes
    tried: Counter[str] = Counter()
    found: dict[str, str] = {}
    number = 0
    while time.monotonic() < until:
        number += 1
        name = f"{seed}-{number}"
        pick = random.Random(name)
        target = pick.choice(("load", "load", "load", "list"))
        content = _packed(_damaged(_written(pick), pick), pick)
        broken = _broken(target, content, _names(pick), name)
        tried[target] += 1
        if not broken:
            continue
        kind = broken.strip().splitlines()[-1][:90]
        if kind not in found:
            out.mkdir(parents=True, exist_ok=True)
            (out / f"{target}-{name}").write_bytes(content)
            (out / f"{target}-{name}.txt").write_text(broken, encoding="utf-8")
            click.echo(f"{target} {name}: {kind}")
        found[kind] = name
    click.echo(f"{sum(tried.values()):,} inputs tried ({dict(tried)}), {len(found)} kinds of findings")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
