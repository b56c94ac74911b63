"""Rows that are alike are found whatever the columns hold."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.classifying import distinct
from bounceanalytics.classifying.distinct import distinct_rows

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["user unknown", "mailbox full", "", None]),
        st.sampled_from([0, 250, 550]),
        st.sampled_from([-1, 0, 3]),
        st.text("ab", max_size=2),
    ),
    max_size=30,
)


def columns(rows: list[tuple]) -> dict:
    text, reply, mailbox, word = zip(*rows, strict=True) if rows else ((), (), (), ())
    return {
        "diagnostic": pa.array(text, pa.large_string()),
        "reply_code": np.array(reply, dtype=np.int32),
        "mailbox": np.array(mailbox, dtype=np.int32),
        "esp_type": pa.array(word, pa.large_string()),
    }


def check(rows: list[tuple]) -> None:
    # an empty text says as much as none
    alike = [(text or None, reply, mailbox, word or None) for text, reply, mailbox, word in rows]
    kinds, kind = distinct_rows(columns(rows))
    plain = [
        values.tolist()
        if isinstance(values, np.ndarray)
        else [values.values[place].as_py() if place >= 0 else None for place in values.number.tolist()]
        for values in kinds.values()
    ]
    found = list(zip(*plain, strict=True))
    assert [found[place] for place in kind] == alike
    assert found == list(dict.fromkeys(alike))


@given(ROWS)
def test_each_row_has_the_first_one_that_is_like_it(rows: list[tuple]) -> None:
    check(rows)


def test_many_choices_do_not_run_over(monkeypatch) -> None:
    monkeypatch.setattr(distinct, "_MOST", 10)
    check(
        [
            ("user unknown", 550, 0, "a"),
            (None, 0, -1, "b"),
            ("user unknown", 550, 0, "a"),
            (None, 250, 3, "ab"),
        ]
    )
