"""What registries say by RDAP, well and badly; what fetches is a stand-in, so that nobody is asked."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.domains.facts import Registration
from bounceanalytics.domains.registering import Registries, read_registration
from bounceanalytics.errors import MissingExtraError
from tests.domains.apart import apart
from tests.effort import examples

LIST = {"services": [[["com", "uk", "example"], ["https://rdap.example/"]]], "version": "1.0"}
ENTITIES = [
    {
        "roles": ["registrar"],
        "vcardArray": ["vcard", [["fn", {}, "text", "Registrar"], ["email", {}, "text", "info@example.net"]]],
        "entities": [
            {"roles": ["abuse"], "vcardArray": ["vcard", [["email", {}, "text", "abuse@example.net"]]]},
        ],
    }
]
ENDING = {
    "ldhName": "d.example",
    "status": ["Pending Delete", "client hold"],
    "events": [
        {"eventAction": "registration", "eventDate": "2020-10-01T00:00:00Z"},
        {"eventAction": "expiration", "eventDate": "2026-10-01T02:00:00+02:00"},
    ],
    "entities": ENTITIES,
}
KNOWN = Registration(
    datetime(2026, 10, 1, tzinfo=UTC), ("pending delete", "client hold"), "abuse@example.net"
)


class Answer:
    def __init__(self, status: int, content: object) -> None:
        self.status_code = status
        self.content = content if isinstance(content, bytes) else json.dumps(content).encode()

    def json(self) -> Any:
        return json.loads(self.content)

    def read(self) -> bytes:
        return self.content


class Fetching:
    """Stands in for an asynchronous client of httpx."""

    def __init__(self, answers: dict[str, tuple[int, object]], listed: object = LIST) -> None:
        self.answers = answers
        self.listed = listed
        self.asked: Counter[str] = Counter()
        self.under_way = self.most = 0

    async def get(self, uri: str) -> Answer:
        if "iana.org" in uri:
            if isinstance(self.listed, Exception):
                raise self.listed
            return Answer(200, self.listed)
        domain = uri.rpartition("/")[2]
        self.asked[domain] += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0.001)
        self.under_way -= 1
        status, content = self.answers.get(domain, (404, {}))
        if isinstance(content, Exception):
            raise content
        return Answer(status, content)


def ask(fetching: Fetching, *domains: str) -> list[Registration | None]:
    async def work() -> list[Registration | None]:
        async with Registries.open(2.0, fetching) as registries:
            if registries is None:
                return []
            return await asyncio.gather(*map(registries.registration, domains))

    return apart(work())


def test_what_a_registry_says() -> None:
    assert ask(Fetching({"d.example": (200, ENDING)}), "d.example") == [KNOWN]


def test_a_subdomain_is_asked_for_by_what_is_registered_and_once() -> None:
    fetching = Fetching({"d.co.uk": (200, ENDING)})
    assert ask(fetching, "mail.d.co.uk", "d.co.uk", "a.b.d.co.uk") == [KNOWN] * 3
    assert fetching.asked == {"d.co.uk": 1}


def test_a_domain_that_nobody_registered() -> None:
    assert ask(Fetching({}), "d.example") == [Registration(states=("not registered",))]


def test_a_registry_without_rdap_says_nothing() -> None:
    assert ask(Fetching({}), "d.nowhere") == [Registration()]


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}),
        (200, b"<html>"),
        (200, []),
        (200, b"[1"),
        (200, "text"),
        (200, {"self": 1}),
        (0, OSError("no network")),
        (0, ValueError("strange")),
    ],
    ids=str,
)
def test_a_bad_answer_is_none(answer: tuple[int, object]) -> None:
    assert ask(Fetching({"d.example": answer}), "d.example") == [None]


def test_a_registry_that_asks_for_patience_is_left_alone() -> None:
    fetching = Fetching({f"d{one}.com": (429, {}) for one in range(30)})
    assert ask(fetching, *(f"d{one}.com" for one in range(30))) == [None] * 30
    assert sum(fetching.asked.values()) <= 3


def test_a_registry_is_asked_twice_at_once_at_most() -> None:
    fetching = Fetching({})
    ask(fetching, *(f"d{one}.com" for one in range(30)))
    assert fetching.most <= 2


@pytest.mark.parametrize("listed", [OSError("no network"), [], {}, "x"])
def test_without_a_list_of_registries_nobody_is_asked(listed: object) -> None:
    assert all(one in {None, Registration()} for one in ask(Fetching({}, listed), "d.example"))


def test_without_whodap_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "whodap", None)
    with pytest.raises(MissingExtraError, match=r"needs whodap; pip install 'bounceanalytics\[rdap\]'"):
        ask(Fetching({}), "d.example")


@pytest.mark.parametrize(
    ("written", "until"),
    [
        ("2026-10-01T00:00:00Z", datetime(2026, 10, 1, tzinfo=UTC)),
        ("2026-10-01", datetime(2026, 10, 1, tzinfo=UTC)),
        (datetime(2026, 10, 1), datetime(2026, 10, 1, tzinfo=UTC)),
        ("soon", None),
        (None, None),
        (5, None),
    ],
)
def test_dates_as_they_are_written(written: object, until: datetime | None) -> None:
    events = [{"eventAction": "expiration", "eventDate": written}]
    assert read_registration({"events": events}).until == until


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["abuse", "email", "vcard"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@examples(300)
@given(
    st.fixed_dictionaries({}, optional={"status": JSON, "events": JSON, "entities": JSON}),
    st.lists(st.fixed_dictionaries({}, optional={"roles": JSON, "vcardArray": JSON, "entities": JSON})),
)
def test_no_answer_stops_it(answer: dict[str, Any], entities: list[Any]) -> None:
    for one in (answer, {**answer, "entities": entities}):
        found = read_registration(one)
        assert all(isinstance(state, str) for state in found.states)
        assert isinstance(found.contact, str)
