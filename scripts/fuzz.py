"""Look for input that breaks a promise: whatever comes in, each record is accounted for, and errors are our own.

Run ``python scripts/fuzz.py --minutes 30``. Pieces of exports, mails and lists are put into one another, spelled anew
and damaged at random; so are rules, policies, hashes, and a file of a ledger, a cleaned list or a dataset. What is
found is written to a folder, one file each, with the sentence that tells what broke. The same seed tries the same
inputs.
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
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

import bounceanalytics as ba

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.loading.exports import mailgun_failed, sendgrid_bounce, ses_bounce
from tests.loading.server_mails import CASES
from tests.loading.wrappings import FILES, JSON

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

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


def _export(pick: random.Random) -> bytes:
    return _packed(_damaged(_written(pick), pick), pick)


_RULES = (
    '[[rule]]\nid = "ours"\nreason = "spam"\npattern = "no such [thing] (?:here|there)"\n',
    '[words]\nthing = ["user", "mailbox", "account"]\n',
    '[[rule]]\nid = "theirs"\nreason = "unknown_user"\nprovider = "google"\npattern = "user.{0,20}unknown"\n',
)
_SETTINGS = (
    "true",
    "-1",
    "nan",
    "inf",
    "1e400",
    '"hold"',
    "[]",
    "{}",
    "99999999999999999999",
    "2026-01-01",
    "''",
)


def _rules(pick: random.Random) -> bytes:
    return _damaged("".join(pick.sample(_RULES, pick.randint(1, 3))).encode(), pick)


def _policy(pick: random.Random) -> bytes:
    lines = ba.Policy.preset(pick.choice(("default", "strict", "lenient"))).to_toml().splitlines()
    for _ in range(pick.choice((0, 1, 1, 3))):
        at = pick.randrange(len(lines))
        key, sign, _ = lines[at].partition("=")
        lines[at] = f"{key}{sign} {pick.choice(_SETTINGS)}" if sign else pick.choice(lines)
    text = "\n".join(lines).encode()
    return _damaged(text, pick) if pick.random() < 0.5 else text


def _hashes(pick: random.Random) -> bytes:
    known = ba.hash_addresses([f"kim{n}@example.com" for n in range(20)])
    return _damaged("\n".join(("hash", *map(str, known))).encode(), pick)


@cache
def _bounces() -> pd.DataFrame:
    events = [sendgrid_bounce(number) for number in range(60)]
    return ba.classify(ba.load(json.dumps(events).encode()).events)


@cache
def _made(what: str) -> dict[str, bytes]:
    """Return the files of a ledger, a cleaned list or a dataset, by their names."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, what)
        home.mkdir()
        if what == "ledger":
            with ba.Ledger(home / "x.ledger") as ledger:
                ledger.update(ba.decide(_bounces()))
        elif what == "cleaned":
            rows = "".join(f"{n},reader{n}@example.com\n" for n in range(90))
            ba.clean(f"id,email\n{rows}".encode(), _bounces(), home / "run")
            ba.clean(f"id,email\n{rows}".encode(), _bounces().iloc[:9], home / "other")
        else:
            for name in ("a", "b"):
                (home / f"{name}.json").write_bytes(json.dumps([sendgrid_bounce(ord(name))]).encode() + b"{")
            ba.convert(sorted(home.glob("*.json")), home / "events")
        return {
            str(path.relative_to(home)): path.read_bytes()
            for path in sorted(home.rglob("*"))
            if path.is_file()
        }


def _one_of(what: str) -> Callable[[random.Random], tuple[str, bytes]]:
    def made(pick: random.Random) -> tuple[str, bytes]:
        name, content = pick.choice(list(_made(what).items()))
        return name, _damaged(content, pick)

    return made


def _named(
    make: Callable[[random.Random], bytes], *names: str
) -> Callable[[random.Random], tuple[str, bytes]]:
    return lambda pick: (pick.choice(names), make(pick))


# what is done with it


def try_load(path: Path, pick: random.Random) -> None:
    """Load a file; the account must add up, and nothing else be raised than our own errors."""
    loaded = ba.load(path, timezone=pick.choice((None, "UTC", "Europe/Berlin")))
    loaded.check()
    repr(loaded)
    bounces = ba.classify(loaded.events)
    ba.decide(bounces)


def try_list(path: Path, _: random.Random) -> None:
    """Clean a file as a list; its rows must add up to those of the files written."""
    with tempfile.TemporaryDirectory() as folder:
        done = ba.clean(path, _bounces(), Path(folder, "out"))
        parts = sum(
            done.rows[part] for part in ("kept", "removed", "held", "unreadable") if part in done.rows
        )
        if done.rows["input"] != parts:
            raise AssertionError(f"rows do not add up: {done.rows}")


def try_rules(path: Path, _: random.Random) -> None:
    """Classify by rules of one's own, and have them looked through."""
    ba.classify_text(["550 5.1.1 no such user here", "452 4.2.2 full"], rules=path)
    ba.lint_rules(path)


def try_policy(path: Path, _: random.Random) -> None:
    """Decide by a policy of one's own, which says of itself what it is."""
    policy = ba.Policy.load(path)
    ba.decide(_bounces(), policy)
    again = path.with_name("again.toml")
    again.write_text(policy.to_toml(), encoding="utf-8")
    if ba.Policy.load(again).to_dict() != policy.to_dict():
        raise AssertionError("what the policy says of itself is another policy")


def try_hashes(path: Path, _: random.Random) -> None:
    """Look for addresses on a list of hashes."""
    ba.match_hashes([f"kim{n}@example.com" for n in range(9)], path)


def try_ledger(path: Path, _: random.Random) -> None:
    """Read a ledger, and write to it."""
    with ba.Ledger(path) as ledger:
        ledger.entries()
        ledger.verdicts()
        ledger.update(ba.decide(_bounces()))
        if not len(ledger.entries()):
            raise AssertionError("nothing is in it after an update")


def try_cleaned(path: Path, _: random.Random) -> None:
    """Put a list together again, of which a file was damaged: it is the whole list, or a sentence."""
    home = path.parent.parent
    ba.diff(home / "run", home / "other")
    ba.restore(home / "run", home / "again.csv")
    rows = (home / "again.csv").read_bytes().count(b"reader")
    if rows != 90:
        raise AssertionError(f"{rows} of 90 rows came back")


def try_dataset(path: Path, _: random.Random) -> None:
    """Read a dataset of which a file was damaged, decide on it, and go on with it."""
    home = next(one for one in path.parents if (one / "a.json").exists())
    for step in (
        lambda: ba.load(home / "events").check(),
        lambda: ba.decide(ba.classify(home / "events")),
        lambda: ba.classify(home / "events", out=home / "bounces"),
        lambda: ba.convert(sorted(home.glob("*.json")), home / "events"),
    ):
        with suppress(ba.BounceAnalyticsError):
            step()
    again = ba.convert(sorted(home.glob("[ab].json")), home / "events", overwrite=True)
    if path.suffix != ".json" and len(again) != 2:
        raise AssertionError(f"{len(again)} events after a new start")


class Target(NamedTuple):
    """What makes an input and its name, what is done with it, and which files lie beside it."""

    make: Callable[[random.Random], tuple[str, bytes]]
    work: Callable[[Path, random.Random], None]
    beside: str = ""


_NAMES = (
    *("x.json", "events.csv", "bounces.csv", "a.log", "x.gz", "x", "box.mbox"),
    *("x.yaml", "list.txt", "x.xlsx", "x.snappy", "x.parquet", "x.zip"),
)
TARGETS = {
    "load": Target(_named(_export, *_NAMES), try_load),
    "mail": Target(_named(lambda pick: _damaged(_mails(pick), pick), "x.mbox", "x.eml", "x.json"), try_load),
    "list": Target(_named(_export, *_NAMES), try_list),
    "rules": Target(_named(_rules, "rules.toml"), try_rules),
    "policy": Target(_named(_policy, "policy.toml"), try_policy),
    "hashes": Target(_named(_hashes, "hashes.csv", "hashes.txt"), try_hashes),
    "ledger": Target(_one_of("ledger"), try_ledger, "ledger"),
    "cleaned": Target(_one_of("cleaned"), try_cleaned, "cleaned"),
    "dataset": Target(_one_of("dataset"), try_dataset, "dataset"),
}
_OFTEN = {"load": 6, "list": 2}


def _broken(target: Target, content: bytes, name: str, seed: str) -> str:
    """Return what promise an input breaks, or nothing."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        beside = _made(target.beside) if target.beside else {}
        for one, bytes_of in {**beside, name: content}.items():
            Path(folder, one).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, one).write_bytes(bytes_of)
        start = time.process_time()
        try:
            target.work(Path(folder, name), random.Random(seed))
        except ba.BounceAnalyticsError as error:
            if _ADDRESS.search(str(error)):
                return f"an address in a message: {error}"
            if len(str(error).splitlines()) != 1:
                return f"more than a sentence: {error!r}"
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
        (target,) = pick.choices(list(TARGETS), [_OFTEN.get(one, 1) for one in TARGETS])
        file, content = TARGETS[target].make(pick)
        broken = _broken(TARGETS[target], content, file, name)
        tried[target] += 1
        if not broken:
            continue
        kind = broken.strip().splitlines()[-1][:90]
        if kind not in found:
            out.mkdir(parents=True, exist_ok=True)
            (out / f"{target}-{name}").write_bytes(content)
            (out / f"{target}-{name}.txt").write_text(f"{file}\n{broken}", encoding="utf-8")
            click.echo(f"{target} {name}: {kind}")
        found[kind] = name
    click.echo(f"{sum(tried.values()):,} inputs tried ({dict(tried)}), {len(found)} kinds of findings")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
