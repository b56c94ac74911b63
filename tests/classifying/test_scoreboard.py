"""The labelled texts: what they cover, that the classifier does not fall behind, that the README tells the truth."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from bounceanalytics.schema import REASONS

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import scoreboard  # noqa: E402

sys.path.pop(0)

LANGUAGES = {"en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "uk", "ja", "zh", "ko", "tr", "cs"}
PROVIDERS = {
    "microsoft",
    "google",
    "yahoo",
    "apple",
    "comcast",
    "cox",
    "charter",
    "orange",
    "gmx",
    "t_online",
    "qq",
    "netease",
    "coremail",
    "mailru",
    "yandex",
    "docomo",
    "kddi",
    "proofpoint",
    "mimecast",
    "barracuda",
    "cisco",
    "trendmicro",
    "symantec",
    "postfix",
    "exim",
    "sendmail",
    "qmail",
    "exchange",
    "dovecot",
    "haraka",
    "cpanel",
    "sendgrid",
    "amazonses",
    "mailgun",
}
ADDRESS = re.compile(r"[\w.+-]+@([\w.-]+\.\w+)")


@pytest.fixture(scope="module")
def texts():
    return scoreboard.texts()


@pytest.fixture(scope="module")
def judged(texts):
    return scoreboard.judge(texts)


def test_the_labels_are_in_order(texts) -> None:
    assert len(texts) >= 400
    assert set(texts["reason"]) <= set(REASONS)
    assert all(reason in accept for reason, accept in zip(texts["reason"], texts["accept"], strict=True))
    assert all(set(accept) <= set(REASONS) for accept in texts["accept"])
    assert set(texts["remove"]) <= {True, False, None}
    assert not texts["text"].duplicated().any()


def test_every_reason_language_and_provider_is_there(texts) -> None:
    assert set(texts["reason"]) == set(REASONS)
    assert set(texts["language"]) >= LANGUAGES
    assert set(texts["provider"]) >= PROVIDERS


def test_texts_name_nobody(texts) -> None:
    hosts = {host for text in texts["text"] for host in ADDRESS.findall(text)}
    assert {host for host in hosts if not re.search(r"(?:^|\.)example\.(?:com|net|org)$", host)} == set()


def test_the_classifier_does_not_fall_behind(judged) -> None:
    decided = judged[judged["remove"].notna()]
    dead, removed = decided["remove"].astype(bool), decided["removed"]
    assert judged["right"].mean() >= 0.95
    assert (dead & removed).sum() / removed.sum() >= 0.99
    assert (dead & removed).sum() / dead.sum() >= 0.97


def test_the_readme_has_the_table_of_today(judged) -> None:
    told = (ROOT / "README.md").read_text("utf-8").split(scoreboard.BEGIN)[1].split(scoreboard.END)[0]
    assert told.strip() == scoreboard.summary(judged), "run: python scripts/scoreboard.py --readme"


@pytest.mark.parametrize(
    ("hits", "total", "said"),
    [(0, 0, ""), (10, 10, "100.0 (72.2-100.0)"), (0, 10, "0.0 (0.0-27.8)"), (1, 2, "50.0 (9.5-90.5)")],
)
def test_shares_have_intervals(hits: int, total: int, said: str) -> None:
    assert scoreboard.share(hits, total) == said
