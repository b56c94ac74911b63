"""Typing errors in domains: what is suggested, what never is, and that it depends on nothing else."""

from __future__ import annotations

import io
import itertools
import random
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bounceanalytics as ba
from bounceanalytics.domains.free_mail import free_mail, well_known
from bounceanalytics.domains.slips import NEIGHBOURS, slip
from tests.classified import classified
from tests.effort import examples


def bounced(domain: str, number: int = 2, **row: Any) -> list[dict[str, Any]]:
    return [{"recipient": f"zq{at}@{domain}"} | row for at in range(number)]


def delivered(domain: str, number: int = 1) -> list[dict[str, Any]]:
    return bounced(domain, number, event="delivered", message_id=None)


def suggested(*rows: list[dict[str, Any]], **options: Any) -> dict[str, str]:
    found = ba.domain_typos(classified([*itertools.chain(*rows)]), **options)
    return dict(zip(found["domain"], found["suggestion"], strict=True))


@pytest.mark.parametrize(
    ("domain", "meant", "change"),
    [
        ("gmial.com", "gmail.com", "a and i changed places"),
        ("hotmial.de", "hotmail.de", "a and i changed places"),
        ("gmai.com", "gmail.com", "l is missing"),
        ("yahooo.com", "yahoo.com", "o is doubled"),
        ("gmzil.com", "gmail.com", "z instead of a, the key beside it"),
        ("gmqil.com", "gmail.com", "q instead of a, the key beside it"),
        ("zahoo.de", "yahoo.de", None),
        ("hotnail.fr", "hotmail.fr", "n instead of m, the key beside it"),
        ("gmnail.com", "gmail.com", "n was hit as well as m"),
        ("gmai1.com", "gmail.com", "1 instead of l, which looks alike"),
        ("grnail.com", "gmail.com", "rn instead of m, which looks alike"),
        ("gma.il.com", "gmail.com", "a dot too many"),
        ("gmailcom", "gmail.com", "a dot is missing"),
        ("yahoo.couk", "yahoo.co.uk", "a dot is missing"),
        ("gmai.lcom", "gmail.com", "the dot is in the wrong place"),
        ("tonline.de", "t-online.de", "a hyphen is missing"),
        ("t.online.de", "t-online.de", "a dot instead of a hyphen"),
        ("gmail.con", "gmail.com", ".con instead of .com"),
        ("gmail.cmo", "gmail.com", ".cmo instead of .com"),
        ("gmail.co", "gmail.com", ".co instead of .com"),
        ("gmail.comm", "gmail.com", ".comm instead of .com"),
        ("gmail.cok", "gmail.com", ".cok instead of .com"),
        ("gmx.dee", "gmx.de", ".dee instead of .de"),
        ("gma\u0131l.com", "gmail.com", "\u0131 instead of i, which looks alike"),
        (
            "g\u043cai\u04cf.com",
            "gmail.com",
            "\u043c instead of m and \u04cf instead of l, which looks alike",
        ),
        ("gmáil.com", "gmail.com", "á instead of a, which looks alike"),
    ],
)
def test_what_is_mistyped_is_told(domain: str, meant: str, change: str | None) -> None:
    found = ba.domain_typos(classified(bounced(domain)))
    if change is None:
        assert found.empty
        return
    assert found[["suggestion", "addresses", "bounced", "change"]].to_numpy().tolist() == [
        [meant, 2, 2, change]
    ]


def test_the_sentence_of_the_classic_one() -> None:
    (said,) = ba.domain_typos(classified(bounced("gmial.com", 14, reason="bad_domain")))["explanation"]
    assert said == "gmial.com is likely gmail.com (a and i changed places): 14 addresses, 14 bounced"


def test_a_frequent_domain_of_the_list_is_suggested_by_its_ratio() -> None:
    rows = [delivered("firma.example", 200), bounced("fimra.example", 2)]
    assert suggested(*rows) == {"fimra.example": "firma.example"}
    assert suggested(*rows, ratio=101) == {}
    assert suggested(delivered("firma.example", 199), rows[1]) == {}


def test_who_took_mail_is_no_typing_error() -> None:
    typo = bounced("gmial.com", 5)
    life: list[dict[str, Any]] = [
        {"event": event} for event in ("delivered", "opened", "clicked", "complained")
    ]
    life += [{"reason": "mailbox_full"}, {"reason": "challenge"}]
    for sign in life:
        assert suggested(typo, [{"recipient": "zq@gmial.com", "message_id": None} | sign]) == {}, sign
    assert suggested(typo, delivered("mail.gmial.com")) == {}  # of the same owner


def test_a_delivery_that_came_back_is_none() -> None:
    sent = {"recipient": "zq@gmial.com", "message_id": "one"}
    early, late = "2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z"
    first = [sent | {"event": "delivered", "timestamp": early}]
    assert suggested(first, [sent | {"timestamp": late}]) == {"gmial.com": "gmail.com"}
    assert suggested([sent | {"event": "delivered", "timestamp": late}], [sent | {"timestamp": early}]) == {}


@pytest.mark.parametrize("reason", ["network", "spam", "blocked", "system_full", "expired"])
def test_other_bounces_say_nothing(reason: str) -> None:
    assert suggested(bounced("gmial.com", 5, reason=reason)) == {}


def test_entries_of_suppression_lists_count() -> None:
    entry = {"event": "suppressed", "reason": "suppressed", "bounce_type": "suppressed", "action": "remove"}
    assert suggested(bounced("gmial.com", 3, **entry, esp_type="bounces")) == {"gmial.com": "gmail.com"}
    assert suggested(bounced("gmial.com", 3, **entry, esp_type="complaints")) == {}


def test_one_of_many_bounces_makes_no_typing_error_unless_there_is_no_such_domain() -> None:
    listed = [f"zq{at}@gmial.com" for at in range(20)]
    assert suggested(bounced("gmial.com", 2), mailing_list=listed) == {}
    assert suggested(bounced("gmial.com", 2, reason="bad_domain"), mailing_list=listed) == {
        "gmial.com": "gmail.com"
    }
    # where deliveries are known, those that were not mailed do not count
    assert suggested(bounced("gmial.com", 2), delivered("example.org"), mailing_list=listed)


def test_short_names_need_more() -> None:
    assert suggested(bounced("wbe.de", 2)) == {}
    assert suggested(bounced("wbe.de", 3)) == {"wbe.de": "web.de"}
    assert suggested(bounced("wbe.de", 1, reason="bad_domain")) == {"wbe.de": "web.de"}


def test_companies_that_are_near_are_left_alone() -> None:
    company = delivered("company.de", 300)
    for near in ("company.dk", "company.se", "company.com", "mpany.de"):
        assert suggested(company, bounced(near, 3)) == {}
    assert suggested(company, bounced("company.se", 3, reason="bad_domain")) == {}
    assert suggested(delivered("mx1.example.org", 300), bounced("mx2.example.org", 3)) == {}
    american = delivered("company.com", 300)
    assert suggested(american, bounced("company.co", 3)) == {}
    assert suggested(american, bounced("company.co", 3, reason="bad_domain")) == {"company.co": "company.com"}
    assert suggested(american, bounced("company.con", 1)) == {"company.con": "company.com"}


def test_no_well_known_domain_is_ever_a_typing_error() -> None:
    rows = [row for domain in sorted(well_known()) for row in bounced(domain, 1, reason="bad_domain")]
    assert suggested(rows, ratio=1.0001) == {}


def test_an_accent_may_stand_there_on_purpose() -> None:
    german = delivered("müller-werk.example", 300)
    assert suggested(german, bounced("muller-werk.example", 2)) == {}
    found = suggested(german, bounced("muller-werk.example", 2, reason="bad_domain"))
    assert found == {"muller-werk.example": "xn--mller-werk-9db.example"}
    assert suggested(
        german, bounced("mülelr-werk.example")
    )  # letters of other scripts are typed like any other


def lists(addresses: list[str], folder: Path) -> dict[str, Any]:
    text = "name,email\n" + "".join(f"zq,{address}\n" for address in addresses)
    (folder / "list.csv").write_text(text, encoding="utf-8")
    return {
        "list": addresses,
        "series": pd.Series(addresses),
        "array": pa.array(addresses),
        "chunks": pa.chunked_array([addresses[:1], addresses[1:]]),
        "frame": pd.DataFrame({"name": "zq", "E-Mail": addresses}),
        "polars": pl.DataFrame({"recipient": addresses}),
        "polars series": pl.Series(addresses),
        "path": folder / "list.csv",
        "text": str(folder / "list.csv"),
        "bytes": text.encode(),
        "file": io.BytesIO(text.encode()),
        "generator": (address for address in addresses),
    }


def test_a_list_however_it_comes_is_what_counts(tmp_path: Path) -> None:
    addresses = [
        "A@Gmial.com",
        "a@gmial.com",
        "b@gmial.com",
        "c@gmail.com",
        "nobody",
        "d@gmail.com",
        "e@hotmial.com",
    ]
    bounces = classified(bounced("gmial.com", 3) + bounced("yahooo.com"))
    for kind, mailing_list in lists(addresses, tmp_path).items():
        found = ba.domain_typos(bounces, mailing_list=mailing_list)
        counts = found[["domain", "addresses", "suggested_addresses", "bounced"]].to_numpy().tolist()
        assert counts == [["gmial.com", 2, 2, 3]], kind


def test_what_is_no_list_is_refused() -> None:
    bounces = classified(bounced("gmial.com"))
    with pytest.raises(ba.FrameError, match="no column of the mailing list can be told to hold"):
        ba.domain_typos(bounces, mailing_list=pd.DataFrame({"name": ["zq"]}))
    with pytest.raises(ba.FrameError, match="without columns"):
        ba.domain_typos(bounces, mailing_list=pd.DataFrame())
    with pytest.raises(ba.SourceError):
        ba.domain_typos(bounces, mailing_list="nowhere.csv")
    with pytest.raises(ba.FrameError, match="ratio is 1, and must be a number of more than 1"):
        ba.domain_typos(bounces, ratio=1)
    for ratio in (None, "100", float("nan"), 10**400, [2]):
        with pytest.raises(ba.FrameError, match="ratio is"):
            ba.domain_typos(bounces, ratio=ratio)  # type: ignore[arg-type]


def test_an_empty_list_has_no_typing_errors() -> None:
    assert ba.domain_typos(classified(bounced("gmial.com")), mailing_list=[]).empty


def test_keys_are_beside_each_other_both_ways() -> None:
    assert all(key in NEIGHBOURS[other] for key, others in NEIGHBOURS.items() for other in others)
    assert {"q", "s", "z", "w"} <= NEIGHBOURS["a"]
    assert "p" not in NEIGHBOURS["a"]


#: Letters that are near each other, so that many domains are near each other too.
NEAR = st.tuples(st.text("amn", min_size=4, max_size=6), st.sampled_from(["com", "co", "con", "de"])).map(
    ".".join
)
MADE = st.one_of(
    NEAR, st.sampled_from(["gmial.com", "gmail.com", "gnail.com", "gmail.con", "hotmial.com", "yaho.de"])
)
ROWS = st.lists(
    st.tuples(
        MADE,
        st.integers(1, 12),
        st.sampled_from(["unknown_user", "bad_domain", "mailbox_full", "network", "delivered", "opened"]),
    ),
    max_size=12,
)


def history(made: list[tuple[str, int, str]]) -> list[dict[str, Any]]:
    return [
        row
        for domain, number, what in made
        for row in (
            bounced(domain, number, event=what, message_id=None)
            if what in {"delivered", "opened"}
            else bounced(domain, number, reason=what)
        )
    ]


@given(ROWS)
@examples(200)
def test_who_took_mail_is_never_named_and_no_suggestion_is_one_itself(
    made: list[tuple[str, int, str]],
) -> None:
    found = ba.domain_typos(classified(history(made)), ratio=3)
    alive = {domain for domain, _, what in made if what in {"delivered", "opened", "mailbox_full"}}
    assert not alive & set(found["domain"])
    assert not set(found["suggestion"]) & set(found["domain"])
    assert found["domain"].is_unique
    for row in found.itertuples():
        assert row.suggestion in free_mail().likely or row.suggested_addresses >= 3 * row.addresses
        assert slip(row.domain, row.suggestion) == row.change
        assert 0 < row.bounced <= row.addresses


@given(ROWS, st.randoms())
@examples(100)
def test_the_order_of_rows_does_not_matter(made: list[tuple[str, int, str]], dice: random.Random) -> None:
    frame = classified(history(made))
    order = list(range(len(frame)))
    dice.shuffle(order)
    shuffled = frame.iloc[order].reset_index(drop=True)
    pd.testing.assert_frame_equal(ba.domain_typos(frame, ratio=3), ba.domain_typos(shuffled, ratio=3))
