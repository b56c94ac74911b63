"""Tables as text that several programs have written to: no row is lost in silence, and none is told of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.attacks.attack import Arena, Attack, attacks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TITLES = "status,reason,email,created\n"
ROWS = "".join(f"5.1.1,550 5.1.1 no such user,u{n}@example.com,17180934{n:02}\n" for n in range(8))
WHOLE = "len(result.events) == 8 and not len(result.rejects) and result.events['recipient'].is_unique"


def holding(content: bytes, name: str = "bounces.csv") -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def mixed(above: str, ends: tuple[str, str], encoding: str = "utf-8") -> Callable[[Path], object]:
    """Lines above a table that end in one way, the table itself in another."""
    text = above.replace("\n", ends[0]) + (TITLES + ROWS).replace("\n", ends[1])
    return holding(text.encode(encoding))


ABOVE = {"sep=": "sep=,\n", "a heading": "Bounces of June\n\n", "a blank line": "\n", "a comment": "# June\n"}

TABLE = [
    *(
        Attack(
            name=f"{what} above, {title}",
            make=mixed(above, ends, encoding),
            call="result = ba.load('bounces.csv'); seen = len(result.events), len(result.rejects)",
            check=WHOLE,
        )
        for what, above in ABOVE.items()
        for title, ends, encoding in (
            ("which ends in CR LF, in a table of LF", ("\r\n", "\n"), "utf-8"),
            ("which ends in LF, in a table of CR LF", ("\n", "\r\n"), "utf-8"),
            ("in UTF-16, which ends in CR LF", ("\r\n", "\n"), "utf-16"),
        )
    ),
    Attack(
        name="a table whose line above ends otherwise, as a dataset",
        make=mixed("sep=,\n", ("\r\n", "\n")),
        call="result = len(ba.convert('bounces.csv', 'events.parquet'))",
        check="result == 8",
    ),
    Attack(
        name="a table whose line above ends otherwise, with a mapping",
        make=mixed("sep=,\n", ("\r\n", "\n")),
        call="result = ba.read_table('bounces.csv', {'recipient': 'email', 'diagnostic': 'reason'})",
        check="len(result) == 8",
    ),
    *(
        Attack(
            name=f"text in UTF-8, and more of it in {encoding}",
            make=holding((TITLES + ROWS).encode() + ROWS.replace("u", "v").encode(encoding)),
            call="result = ba.load('bounces.csv'); seen = result.files.to_dict()",
            check="set(result.events['recipient']) >= {f'u{n}@example.com' for n in range(8)} and len(result.rejects)",
        )
        for encoding in ("utf-16", "utf-16-le", "utf-16-be")
    ),
    Attack(
        name="two columns of addresses without titles, the first the sender's",
        make=holding(b"".join(b"5.1.1,us@example.org,u%d@example.com,no such user\n" % n for n in range(8))),
        call="result = ba.load('bounces.csv').events; seen = set(result['domain'])",
        error="without titles",
    ),
    Attack(
        name="two columns of addresses without titles, which say the same",
        make=holding(
            b"".join(b"5.1.1,u%d@example.com,U%d@example.com,no such user\n" % (n, n) for n in range(8))
        ),
        call="result = ba.load('bounces.csv').events",
        check="len(result) == 8 and result['recipient'].is_unique",
    ),
]

TWICE = {"a list": ("status,reason,email,created", "5.1.1,no such user,{},1718093404"),
         "events": ("email,event,timestamp,sg_event_id,sg_message_id", "{},bounce,1718093404,{n},m"),
         "Mailgun's": ("address,code,error,created_at", "{},550,no such user,2026-03-10T08:00:00Z")}  # fmt: skip


def twice(form: str, *others: str) -> Callable[[Path], object]:
    """A table with a second column of the address's name in front, with what it says in each row."""
    titles, row = TWICE[form]
    name = "address" if "address" in titles else "email"
    rows = [f"{other},{row.format(f'u{n}@example.com', n=n)}" for n, other in enumerate(others)]
    return holding("\n".join([f"{name},{titles}", *rows, ""]).encode())


TABLE += [
    Attack(
        name=f"a title that stands twice in {form}",
        make=twice(form, "zed@example.org", "", "U2@EXAMPLE.com ", "u3@example.com"),
        call="result = ba.load('bounces.csv'); seen = result.files.to_dict()",
        check="result.events['recipient'].str.lower().str[:2].tolist() == ['u1', 'u2', 'u3'] and list(result.rejects['record']) == [1]"
        " and 'hold different addresses' in result.rejects['error'].item()",
    )
    for form in TWICE
]


@attacks(TABLE)
def test_texts(attack: Attack, arena: Arena, tmp_path: Path) -> None:
    assert not arena.faults(attack, tmp_path)
