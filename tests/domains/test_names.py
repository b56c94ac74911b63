"""Whatever names domains gives each of them once, and never shows an address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bounceanalytics as ba
from bounceanalytics.domains.names import names_of, problem_of
from bounceanalytics.errors import FrameError
from tests.classified import classified
from tests.effort import examples

NAMES = ["Example.COM.", None, "bo@example.net", float("nan"), "example.com"]
EXPECTED = ["example.com", "example.net"]


@pytest.mark.parametrize(
    "given",
    [
        NAMES,
        tuple(NAMES),
        iter(NAMES),
        pd.Series(NAMES),
        pd.Series(NAMES, dtype="category"),
        pd.Index(NAMES),
        pd.DataFrame({"domain": NAMES}),
        pl.DataFrame({"domain": [name for name in NAMES if isinstance(name, str)]}),
        dict.fromkeys(["Example.com", "bo@example.net"]).keys(),
    ],
    ids=lambda given: type(given).__name__,
)
def test_forms_in_which_domains_come(given: Any) -> None:
    assert names_of(given) == EXPECTED


def test_a_text_is_one_domain() -> None:
    assert names_of("example.com") == ["example.com"]
    assert names_of("ann@example.com") == ["example.com"]


def test_a_classified_frame_and_a_dataset(tmp_path: Path) -> None:
    frame = classified(
        [{"recipient": "ann@example.com"}, {"recipient": None}, {"recipient": "bo@example.net"}]
    )
    assert names_of(frame) == EXPECTED
    dataset = ba.convert(ba.samples() / "exports" / "ses", tmp_path / "events")
    found = names_of(dataset)
    assert found == names_of(str(dataset.path))
    assert set(found) == set(ba.load(ba.samples() / "exports" / "ses").events["domain"].dropna())


@pytest.mark.parametrize("given", [[], (), pd.Series(dtype=object), [None], [""], ["  "], ["."], ["ann@"]])
def test_nothing_gives_nothing(given: Any) -> None:
    assert names_of(given) == []


@pytest.mark.parametrize("given", [5, None, b"example.com", Path("example.com"), {"a": 1}])
def test_what_names_no_domains_is_refused(given: Any) -> None:
    with pytest.raises(FrameError, match=r"expected domains or a frame of them, found \w+"):
        names_of(given)


def test_a_frame_without_them_is_refused() -> None:
    with pytest.raises(FrameError, match="a frame of domains needs the columns domain; found: email"):
        names_of(pd.DataFrame({"email": ["ann@example.com"]}))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example.", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("Ann <ann@example.com>", "example.com"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("localhost", "localhost"),
    ],
)
def test_names_in_their_form(text: str, name: str) -> None:
    assert names_of([text]) == [name]
    assert not problem_of(name)


@examples(300)
@given(st.lists(st.none() | st.text(max_size=60) | st.from_regex(r"[a-c]@[A-Cä-ö]{1,3}\.[a-b.]{1,3}")))
def test_no_text_stops_it_and_no_address_comes_out(texts: list[str | None]) -> None:
    found = names_of(texts)
    assert len(found) == len(set(found))
    for name in found:
        assert name
        if "@" not in "".join(text or "" for text in texts):
            continue
        assert problem_of(name) or "@" not in name
