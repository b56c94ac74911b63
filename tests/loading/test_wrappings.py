"""An event is found wherever it lies: every wrapper for every ESP, and wrappers in wrappers."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import bounceanalytics as ba
from tests.loading.exports import mailgun_failed, sendgrid_bounce, ses_bounce
from tests.loading.wrappings import FILES, JSON

EVENTS = {
    "ses": ses_bounce("reader1@example.net"),
    "sendgrid": sendgrid_bounce(),
    "mailgun": mailgun_failed(),
    "mailgun webhook": {
        "signature": {"timestamp": "1773130521", "token": "6f1", "signature": "aa01"},
        "event-data": mailgun_failed(),
    },
}
INNER = list(JSON)


def told(events):
    return events.drop(columns=["source", "record"])


@pytest.fixture(scope="module")
def plain():
    return {name: ba.load(json.dumps(event).encode()).events for name, event in EVENTS.items()}


def check(content, wanted):
    load = ba.load(content)
    pd.testing.assert_frame_equal(told(load.events), told(wanted))
    assert load.files[["records", "loaded"]].to_numpy().tolist() == [[1, 1]]


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("wrapper", JSON)
def test_in_any_wrapper(wrapper, name, plain):
    check(json.dumps(JSON[wrapper](EVENTS[name])).encode(), plain[name])


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("wrapper", FILES)
def test_in_a_cell_or_behind_a_prefix(wrapper, name, plain):
    check(FILES[wrapper](EVENTS[name]), plain[name])


@pytest.mark.parametrize(
    "place", range(len(INNER)), ids=lambda place: f"{INNER[place]} in {INNER[place - 7]}"
)
def test_wrappers_in_wrappers(place, plain):
    name = list(EVENTS)[place % len(EVENTS)]
    inner = JSON[INNER[place]](EVENTS[name])
    check(json.dumps(JSON[INNER[place - 7]](inner)).encode(), plain[name])
