"""The second reader, and what it and the rules make of a text together."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bounceanalytics as ba
from bounceanalytics.classifying import pooling
from bounceanalytics.classifying.grams import SIGNS, WORDS, grams
from bounceanalytics.classifying.opinion import guesses, opinion
from bounceanalytics.classifying.reader import features, margins, model
from bounceanalytics.schema import REASONS

VERDICTS = Path(__file__).parent.parent / "knowledge" / "verdicts.jsonl"
ROWS = [json.loads(line) for line in VERDICTS.read_text("utf-8").splitlines()]

OWN = """
[[rule]]
id = "own-001"
pattern = "no such mailbox"
reason = "policy"
example = "no such mailbox"
"""


def read(*texts: str, **known: object) -> pd.DataFrame:
    return ba.classify_text(list(texts), **known)


# --- grams


def slowly(texts: list[str]) -> set[tuple[int, str]]:
    """Return the grams of texts, one by one."""
    found = set()
    for number, text in enumerate(texts):
        words = [word for word in text.split(" ") if word]
        for word in words:
            padded = f" {word} "
            for size in SIGNS:
                runs = {padded[at : at + size] for at in range(len(padded) - size + 1)}
                found |= {(number, run) for run in runs if run != padded}
        for size in WORDS:
            found |= {(number, " ".join(words[at : at + size])) for at in range(len(words) - size + 1)}
    return found


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r\t"), max_size=30), max_size=5))
def test_grams_are_the_runs_of_signs_and_of_words(texts: list[str]) -> None:
    texts = [" ".join(text.split(" ")).strip(" ") for text in texts]
    texts = [" ".join(word for word in text.split(" ") if word) for text in texts]
    found = grams(texts)
    whole = f" {' '.join(texts)} "
    told = {
        (int(text), whole[start:end])
        for text, start, end in zip(found.text, found.start, found.end, strict=True)
    }
    assert told == slowly(texts)


def test_a_gram_has_the_same_number_in_every_text() -> None:
    alone = set(grams(["no such mailbox"]).gram.tolist())
    beside = grams(["who is it", "no such mailbox", "x"])
    assert set(beside.gram[beside.text == 1].tolist()) == alone


# --- the model


def test_what_the_package_carries_is_small_and_knows_every_reason() -> None:
    assert (files("bounceanalytics.knowledge") / "reader.npz").read_bytes().__len__() < 1_500_000
    known = model()
    assert known.weight.shape == (len(known.gram), len(REASONS))
    assert (np.diff(known.gram.astype(np.int64)) > 0).all()
    assert set(guesses([row["text"] for row in ROWS])) >= set(REASONS) - {"suppressed", "unclassified"}


def test_rows_have_length_one_and_strange_words_shorten_what_is_known() -> None:
    places = np.full(1 << 20, -1, np.int32)
    found = grams(["no mailbox"]).gram
    places[np.unique(found)] = np.arange(len(np.unique(found)))
    rows = features(
        ["no mailbox", "no mailbox zqxv wkjh"], places, np.ones(len(np.unique(found)), np.float32)
    )
    lengths = (
        np.sqrt(rows.multiply(rows).sum(axis=1)).A1
        if hasattr(rows, "A1")
        else np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    )
    assert lengths[0] == pytest.approx(1)
    assert 0 < lengths[1] < 1


def test_margins_of_texts_do_not_depend_on_their_neighbours() -> None:
    forms = ["no such mailbox", "the message looks like spam", "", "server is busy, try later"]
    together = margins(pa.array(forms, pa.large_string()))
    alone = np.concatenate([margins(pa.array([form], pa.large_string())) for form in forms])
    np.testing.assert_allclose(together, alone, rtol=1e-5)


# --- together


def test_every_failure_has_a_confidence_and_nothing_else_has(bounces: pd.DataFrame) -> None:
    failed = bounces["event"].isin(["deferred", "bounced", "dropped", "rejected", "suppressed"])
    assert bounces.loc[failed, "confidence"].between(0, 1).all()
    assert bounces.loc[~failed, "confidence"].isna().all()


def test_without_the_second_reader_the_rules_decide_in_their_order() -> None:
    text = "550 that postbox does not belong to anybody with us"
    alone, together = read(text, second_reader=False).iloc[0], read(text).iloc[0]
    assert (alone["reason"], together["reason"], together["rule"]) == (
        "unclassified",
        "unknown_user",
        "reader",
    )
    assert together["evidence"] == "second reader"


def test_what_rules_and_reader_agree_on_is_surer_than_what_one_of_them_says() -> None:
    agreed, guessed = read("550 5.1.1 user unknown", "550 that postbox is not with us")["confidence"]
    assert agreed > 0.95 > guessed


def test_strange_words_are_not_guessed_at() -> None:
    found = read("550 Lorem ipsum dolor sit amet", "zorble wibble")
    assert found["reason"].tolist() == ["unclassified"] * 2
    assert (found["confidence"] < 0.5).all()


def test_a_rule_of_the_users_own_is_not_weighed(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN, "utf-8")
    found = read("550 5.1.1 no such mailbox", rules=path).iloc[0]
    assert (found["reason"], found["rule"], found["confidence"]) == ("policy", "own-001", 1)


def test_what_the_esp_did_not_try_is_certain() -> None:
    events = ba.read(
        b'[{"email": "a@example.com", "event": "dropped", "reason": "Bounced Address", "sg_event_id": "x"}]'
    )
    assert ba.classify(events)["confidence"].tolist() == [1.0]


def test_the_reader_seldom_overrules_a_rule_and_never_removes_what_a_rule_keeps() -> None:
    found = read(*(row["text"] for row in ROWS), domain=[row.get("domain", "") for row in ROWS])
    wanted = pd.DataFrame(ROWS)
    assert (found["reason"].astype(str) == wanted["reason"]).mean() > 0.97
    kept = wanted["action"].isin(["retry", "fix", "keep"])
    assert wanted.loc[kept & (found["action"] == "remove"), "text"].tolist() == []


def test_a_removal_needs_more_where_the_rules_do_not_agree() -> None:
    needed = pooling.weights().remove
    assert needed["agreed"] < needed["silent"] < needed["against"] < 1


@pytest.mark.parametrize(
    "text", ["550", "550 5.1.1", "421 4.4.2 <a@example.com>", "192.0.2.1", "x.example.com"]
)
def test_a_text_without_a_word_is_left_to_the_codes(text: str) -> None:
    pd.testing.assert_frame_equal(read(text), read(text, second_reader=False))


def test_probabilities_add_up() -> None:
    rows = pooling.probabilities(np.array([[1.0, 2.0, -1e6], [700.0, -700.0, 0.0]]))
    np.testing.assert_allclose(rows.sum(axis=1), 1)
    assert rows[0, 2] == 0


# --- what it tells of itself


def test_an_opinion_names_words_and_the_nearest_example() -> None:
    found = opinion("550 5.1.1 The mailbox of this reader does not exist")
    assert found is not None
    assert found.reason == "unknown_user"
    assert found.pieces[0].weight >= found.pieces[-1].weight > 0
    assert "not exist" in " ".join(piece.words for piece in found.pieces)
    assert 0 < found.likeness <= 1
    assert opinion("") is None


def test_an_explanation_shows_both_readings() -> None:
    told = str(ba.explain("550 that postbox is not with us"))
    assert "How sure" in told
    assert "second reader" in told
    assert "nearest example" in told


# --- the texts that it learns from


def test_no_address_of_the_training_texts_can_be_anybodys() -> None:
    folder = Path(__file__).parents[2] / "data" / "reader"
    told = "".join(path.read_text("utf-8") for path in folder.glob("*.jsonl"))
    domains = set(re.findall(r"[\w.+-]+@([a-z0-9-]+(?:\.[a-z0-9-]+)+)", told.lower()))
    reserved = re.compile(
        r"(?:.*\.)?(?:example\.(?:com|net|org)|(?:.+\.)?(?:example|invalid|test|localhost))"
    )
    assert len(domains) > 20
    assert not {name for name in domains if not reserved.fullmatch(name)}
