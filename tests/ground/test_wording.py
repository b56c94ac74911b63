"""Words: one table each, which has every value of its column, and titles that are the tables' own."""

from __future__ import annotations

import pytest

from bounceanalytics import schema, wording
from bounceanalytics.knowledge.limits import bounce_rate_limits
from bounceanalytics.knowledge.rules import mailbox_providers, mailbox_title


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (wording.TYPES, schema.BOUNCE_TYPES),
        (wording.FAULTS, schema.FAULTS),
        (wording.ACTIONS, schema.ACTIONS),
    ],
    ids=["types", "faults", "actions"],
)
def test_each_value_has_words_of_its_own(words: dict[str, wording.Words], values: tuple[str, ...]) -> None:
    assert tuple(words) == values
    for name in ("short", "title", "explained", "phrase"):
        assert len({getattr(one, name) for one in words.values()}) == len(values)
    assert all(one.title.startswith(one.short) or name == "receiver" for name, one in words.items())


def test_each_measure_of_a_change_has_words() -> None:
    assert set(wording.MEASURES) == set(schema.SUMMARIES["changes"]["measure"].values)


def test_esps_are_called_as_the_registry_has_it() -> None:
    assert {name: wording.esp_title(name) for name in schema.ESPS} == schema.ESPS


def test_an_esp_of_the_registry_is_never_called_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(schema.ESPS, "pigeonpost", "PigeonPost")
    assert wording.esp_title("pigeonpost") == "PigeonPost"


def test_mailbox_providers_have_titles_that_tell_them_apart() -> None:
    titles = [mailbox_title(one.name) for one in mailbox_providers()]
    assert len(set(titles)) == len(titles)
    assert all("(" not in title for title in titles)
    assert mailbox_title("other", "mail.example") == "mail.example"


def test_limits_rise_and_are_those_of_a_known_esp() -> None:
    limits = bounce_rate_limits()
    assert 0 < limits.wanted < limits.review < limits.pause < 1
    assert limits.esp in schema.ESPS
