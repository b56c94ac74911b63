"""What follows from facts: each status, what outranks what, and sentences that are whole."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.domains.facts import Answers, Facts, Greeting, Host, Registration
from bounceanalytics.domains.known_hosts import known_hosts
from bounceanalytics.domains.pasts import Past
from bounceanalytics.domains.states import CONDITIONS, State, is_certain, judge
from bounceanalytics.schema import BASES, DOMAIN_STATES
from tests.effort import examples

NOW = pd.Timestamp("2026-11-30T12:00", tz="UTC")
FIRST = Host("mx1.d.example", 10, ("8.8.8.8",))
SECOND = Host("mx2.d.example", 20, ("2600::1",))
NAMED = Answers("d.example", "NOERROR", (FIRST, SECOND))
FULL = "452 4.3.1 Mail system full"
SHOWN = {
    "delivered": (None, Past(NOW - pd.Timedelta(days=30))),
    "offline": (None, Past()),
    "withheld": (Facts(Answers("d.example", "NXDOMAIN", errors=("16 by law",))), Past()),
    "dangling": (Facts(Answers("d.example", "NXDOMAIN", cname="e.example", confirmed=True)), Past()),
    "on_hold": (
        Facts(
            Answers("d.example", "NXDOMAIN", confirmed=True),
            registration=Registration(states=("pending delete", "redemption period")),
        ),
        Past(),
    ),
    "gone": (Facts(Answers("d.example", "NXDOMAIN", confirmed=True)), Past()),
    "missing": (Facts(Answers("d.example", "NXDOMAIN")), Past()),
    "loop": (Facts(Answers("d.example", "LOOP")), Past()),
    "bogus": (Facts(Answers("d.example", "SERVFAIL", errors=("7 expired",))), Past()),
    "lame": (Facts(Answers("d.example", "SERVFAIL", errors=("22 at delegation",))), Past()),
    "silent": (Facts(Answers("d.example", "TIMEOUT")), Past()),
    "failed": (Facts(Answers("d.example", "SERVFAIL")), Past()),
    "null_mx": (Facts(Answers("d.example", "NOERROR", (Host("."),), null_mx=True)), Past()),
    "null_mx_meant": (Facts(Answers("d.example", "NOERROR", (Host("localhost"),), null_mx=True)), Past()),
    "parked_mail": (Facts(replace(NAMED, hosts=(Host("park-mx.above.com", 0, ("8.8.8.8",)),))), Past()),
    "parked": (Facts(replace(NAMED, name_servers=("ns1.sedoparking.com", "ns2.sedoparking.com"))), Past()),
    "no_hosts": (Facts(Answers("d.example", "NOERROR")), Past()),
    "hosts_unknown": (Facts(replace(NAMED, hosts=(Host("mx1.d.example", rcode="SERVFAIL"),))), Past()),
    "hosts_missing": (Facts(replace(NAMED, hosts=(Host("mx1.d.example", rcode="NXDOMAIN"),))), Past()),
    "at_home": (
        Facts(replace(NAMED, hosts=(Host("mx1.d.example", addresses=("127.0.0.1", "::1")),))),
        Past(),
    ),
    "private": (Facts(replace(NAMED, hosts=(Host("mx1.d.example", addresses=("10.0.0.1",)),))), Past()),
    "held": (Facts(NAMED, registration=Registration(states=("pending delete",))), Past()),
    "greeting_full": (
        Facts(NAMED, (Greeting("mx1.d.example", "8.8.8.8", "refused", 452, FULL, tells="full"),)),
        Past(),
    ),
    "refuses_us": (
        Facts(NAMED, (Greeting("mx1.d.example", "8.8.8.8", "refused", 554, "554 go away", tells="us"),)),
        Past(),
    ),
    "refusing": (
        Facts(
            NAMED,
            (Greeting("mx1.d.example", "8.8.8.8", "refused", 521, "521 no mail here", tells="no_mail"),),
        ),
        Past(),
    ),
    "refuses_unsaid": (
        Facts(NAMED, (Greeting("mx1.d.example", "8.8.8.8", "refused", 550, "550 nope", tells="nothing"),)),
        Past(),
    ),
    "later": (
        Facts(NAMED, (Greeting("mx1.d.example", "8.8.8.8", "refused", 421, "421 busy", tells="trouble"),)),
        Past(),
    ),
    "broke_off": (
        Facts(
            NAMED,
            (
                Greeting("mx1.d.example", "8.8.8.8", "unreachable"),
                Greeting("mx2.d.example", "2600::1", "closed", 220, "220 mx2.d.example"),
            ),
        ),
        Past(),
    ),
    "unreachable": (
        Facts(
            NAMED,
            (
                Greeting("mx1.d.example", "8.8.8.8", "unreachable"),
                Greeting("mx2.d.example", "2600::1", "silent"),
            ),
        ),
        Past(),
    ),
    "history_full": (Facts(NAMED), Past(NOW - pd.Timedelta(days=50), 3, NOW - pd.Timedelta(days=2))),
    "greeted": (Facts(NAMED, (Greeting("mx1.d.example", "8.8.8.8", "greeted", 220),)), Past()),
    "implicit": (Facts(replace(NAMED, hosts=(Host("d.example", 0, ("8.8.8.8",)),), implicit=True)), Past()),
    "named": (Facts(NAMED), Past()),
}
WORDING = tomllib.loads(
    (resources.files("bounceanalytics.domains") / "states.toml").read_text(encoding="utf-8")
)


def state(facts: Facts | None, past: Past | None = None, domain: str = "d.example", **options: bool) -> State:
    return judge(domain, facts, past, at=NOW, **options)


@pytest.mark.parametrize("name", [name for name in CONDITIONS if name != "no_name"])
def test_each_finding_has_facts_that_it_fits(name: str) -> None:
    facts, past = SHOWN[name]
    found = state(facts, past)
    assert found.finding == name
    for sentence in (found.explanation, found.advice):
        assert "{" not in sentence
        assert "None" not in sentence
        assert sentence[-1] in ".!?…"


def test_the_table_has_a_row_for_each_condition_and_in_that_order() -> None:
    rows = [name for name in WORDING if name not in {"added", "registry"}]
    assert rows == list(CONDITIONS)
    assert {WORDING[name]["status"] for name in rows} == set(DOMAIN_STATES)
    assert {WORDING[name].get("basis", "dns") for name in rows} == set(BASES)


@pytest.mark.parametrize("domain", ["a..b", "x" * 64 + ".de", "192.0.2.1", "a b.de"])
def test_what_is_no_domain_is_not_asked_for(domain: str) -> None:
    found = state(None, domain=domain)
    assert (found.finding, found.status, found.basis) == ("no_name", "unknown", "")


# what outranks what


@pytest.mark.parametrize("name", [name for name in SHOWN if name != "delivered"])
def test_a_delivery_within_thirty_days_outranks_everything(name: str) -> None:
    facts, _ = SHOWN[name]
    assert state(facts, Past(NOW - pd.Timedelta(days=3))).finding == "delivered"


def test_an_older_delivery_stands_beside() -> None:
    past = Past(NOW - pd.Timedelta(days=31))
    for name, (facts, _) in SHOWN.items():
        found = state(facts, past)
        if name not in {"delivered", "no_name"}:
            assert "It last took mail of yours on 30 Oct 2026." in found.explanation, name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("named", "full"),
        ("greeted", "full"),
        ("implicit", "full"),
        ("gone", "gone"),
        ("null_mx", "no_mail"),
        ("parked", "parked"),
        ("refusing", "refusing"),
        ("unreachable", "unreachable"),
        ("silent", "unknown"),
    ],
)
def test_own_bounces_speak_where_nothing_better_is_known(name: str, expected: str) -> None:
    past = Past(NOW - pd.Timedelta(days=5), 2, NOW - pd.Timedelta(days=1))
    assert state(SHOWN[name][0], past).status == expected


def test_a_full_system_of_long_ago_is_none() -> None:
    assert state(Facts(NAMED), Past(None, 9, NOW - pd.Timedelta(days=31))).status == "healthy"


def test_private_addresses_are_good_where_they_are_wanted() -> None:
    for name in ("private", "at_home"):
        assert state(SHOWN[name][0], private=True).status == "healthy"


@pytest.mark.parametrize(
    "address", ["64:ff9b::a00:1", "2002:a00:1::1", "::ffff:10.0.0.1", "fd00::1", "fe80::1"]
)
def test_a_private_address_is_one_however_it_is_written(address: str) -> None:
    hosts = (Host("mx1.d.example", 10, (address,)),)
    assert state(Facts(replace(NAMED, hosts=hosts))).finding == "private"


def test_one_public_address_is_enough() -> None:
    mixed = replace(NAMED, hosts=(Host("mx1.d.example", addresses=("127.0.0.1",)), SECOND))
    assert state(Facts(mixed)).status == "healthy"


def test_one_parker_among_others_parks_nothing() -> None:
    mixed = replace(NAMED, name_servers=("ns1.sedoparking.com", "ns.d.example"))
    assert state(Facts(mixed)).status == "healthy"
    hosts = (Host("park-mx.above.com", 0, ("8.8.8.8",)), SECOND)
    assert state(Facts(replace(NAMED, hosts=hosts))).status == "healthy"


def test_the_server_that_greets_decides_before_the_one_that_refuses() -> None:
    refused = Greeting("mx1.d.example", "8.8.8.8", "refused", 554, "554 no", tells="nothing")
    greeted = Greeting("mx2.d.example", "2600::1", "greeted", 220, "220 hello")
    found = state(Facts(NAMED, (refused, greeted)))
    assert (found.finding, found.explanation) == ("greeted", "mx2.d.example takes connections for mail.")


@pytest.mark.parametrize(
    ("tells", "expected"),
    [("us", "refuses_us"), ("trouble", "later"), ("nothing", "refuses_unsaid"), ("no_mail", "refusing")],
)
def test_one_server_that_takes_no_mail_does_not_speak_for_the_other(tells: str, expected: str) -> None:
    none = Greeting("mx1.d.example", "8.8.8.8", "refused", 521, "521 no mail here", tells="no_mail")
    other = Greeting("mx2.d.example", "2600::1", "refused", 550, "550 something", tells=tells)
    assert state(Facts(NAMED, (none, other))).finding == expected


def test_a_server_that_talks_as_slowly_as_it_can_is_reached() -> None:
    slow = Greeting("mx1.d.example", "8.8.8.8", "silent", text="220-mx1.d.exa")
    found = state(Facts(NAMED, (slow, Greeting("mx2.d.example", "2600::1", "unreachable"))))
    assert (found.finding, found.status) == ("broke_off", "unknown")
    assert found.explanation.startswith("mx1.d.example takes connections")


def test_it_is_the_alias_that_is_called_one() -> None:
    hosts = (replace(FIRST, cname="elsewhere.example"), SECOND)
    greeted = Greeting("mx2.d.example", "2600::1", "greeted", 220, "220 hello")
    explanation = state(Facts(replace(NAMED, hosts=hosts), (greeted,))).explanation
    assert "mx2.d.example takes connections" in explanation
    assert "mx1.d.example is another name (elsewhere.example)" in explanation


def test_an_address_in_the_place_of_a_name_is_called_one() -> None:
    found = state(Facts(replace(NAMED, hosts=(Host("192.0.2.1", 10, rcode="NXDOMAIN"),))))
    assert found.status == "unreachable"
    assert "192.0.2.1 is an address" in found.explanation


@pytest.mark.parametrize("days", [-400, -31, 31])
def test_what_was_long_ago_or_is_far_ahead_is_not_lately(days: int) -> None:
    moment = NOW - pd.Timedelta(days=days)
    assert state(SHOWN["gone"][0], Past(moment)).status == "gone"
    assert state(Facts(NAMED), Past(None, 1, moment)).status == "healthy"


@pytest.mark.parametrize("outcome", ["private", "not_asked"])
def test_nobody_was_asked_is_no_answer(outcome: str) -> None:
    found = state(Facts(NAMED, (Greeting("mx1.d.example", "", outcome),)))
    assert (found.finding, found.basis) == ("named", "dns")


def test_a_closed_port_is_said() -> None:
    found = state(Facts(NAMED, closed="Port 25 is closed here."))
    assert found.status == "healthy"
    assert found.explanation.endswith("Port 25 is closed here.")


def test_a_long_reply_is_cut_and_an_empty_one_left_out() -> None:
    for text in ("x" * 600, ""):
        greeting = Greeting("mx1.d.example", "8.8.8.8", "refused", 554, text, tells="nothing")
        assert len(state(Facts(NAMED, (greeting,))).explanation) < 300


# registries


def test_what_the_registry_says_is_added() -> None:
    until = datetime(2026, 10, 1, tzinfo=UTC)
    ended = state(Facts(NAMED, registration=Registration(until, ("active",))))
    assert ended.status == "healthy"
    assert "Its registration ended on 1 Oct 2026." in ended.explanation
    gone = Answers("d.example", "NXDOMAIN", confirmed=True)
    ending = state(Facts(gone, registration=Registration(None, ("pending delete",))))
    assert (ending.finding, ending.status) == ("gone", "gone")
    assert "Its registry says: pending delete." in ending.explanation


def test_the_word_of_a_registry_alone_is_no_second_witness() -> None:
    missing = Answers("d.example", "NXDOMAIN")
    assert state(Facts(missing, registration=Registration(states=("not registered",)))).status == "unknown"


def test_an_alias_and_a_null_beside_others_are_said() -> None:
    hosts = (replace(FIRST, cname="elsewhere.example"), Host(".", 0))
    found = state(Facts(replace(NAMED, hosts=hosts)))
    assert found.status == "healthy"
    assert "mx1.d.example is another name (elsewhere.example)" in found.explanation
    assert "no mail" in found.explanation


# what can be kept


def test_what_is_certain() -> None:
    certain = {name for name, (facts, _) in SHOWN.items() if facts and is_certain(facts)}
    unsure = {"withheld", "missing", "loop", "bogus", "lame", "silent", "failed", "hosts_unknown"}
    assert certain == set(SHOWN) - unsure - {"delivered", "offline"}


HOSTS = st.builds(
    Host,
    st.sampled_from(["mx1.d.example", ".", "localhost", "park-mx.above.com", "192.0.2.1"]),
    st.integers(0, 99),
    st.lists(st.sampled_from(["8.8.8.8", "10.0.0.1", "127.0.0.1", "::1", "2600::1"]), max_size=3).map(tuple),
    st.just(0),
    st.sampled_from(["", "other.example"]),
    st.sampled_from(["NOERROR", "NXDOMAIN", "SERVFAIL", "TIMEOUT"]),
)
GREETINGS = st.builds(
    Greeting,
    st.just("mx1.d.example"),
    st.just("8.8.8.8"),
    st.sampled_from(
        ["greeted", "refused", "strange", "silent", "closed", "unreachable", "private", "not_asked"]
    ),
    st.none() | st.integers(200, 599),
    st.text(max_size=300),
    tells=st.sampled_from(["", "us", "full", "no_mail", "trouble", "nothing"]),
)
TIMES = st.none() | st.integers(-5, 99).map(lambda days: NOW - pd.Timedelta(days=days))


@examples(400)
@given(
    answers=st.builds(
        Answers,
        st.just("d.example"),
        st.sampled_from(["NOERROR", "NXDOMAIN", "SERVFAIL", "TIMEOUT", "LOOP", "LAME", "REFUSED", "OFFLINE"]),
        st.lists(HOSTS, max_size=3).map(tuple),
        errors=st.lists(st.sampled_from(["15 x", "22", "0 {y}"]), max_size=2).map(tuple),
        name_servers=st.lists(st.sampled_from(["ns1.bodis.com", "ns.d.example"]), max_size=2).map(tuple),
        confirmed=st.booleans(),
    ),
    greetings=st.lists(GREETINGS, max_size=3).map(tuple),
    registration=st.none()
    | st.builds(
        Registration,
        st.none() | st.datetimes(timezones=st.just(UTC)),
        st.lists(st.sampled_from(["client hold", "pending delete", "active"]), max_size=2).map(tuple),
    ),
    past=st.builds(Past, TIMES, st.integers(0, 3), TIMES),
    private=st.booleans(),
)
def test_any_facts_have_a_state(
    answers: Answers,
    greetings: tuple[Greeting, ...],
    registration: Registration | None,
    past: Past,
    private: bool,
) -> None:
    null = bool(answers.hosts) and all(known_hosts().means_no_mail(host.name) for host in answers.hosts)
    facts = Facts(replace(answers, null_mx=null), greetings, registration=registration)
    found = state(facts, past, private=private)
    assert found.status in DOMAIN_STATES
    assert found.basis in {*BASES, ""}
    if found.status == "gone":
        assert answers.rcode == "NXDOMAIN"
        assert answers.confirmed
    if answers.rcode in {"SERVFAIL", "TIMEOUT", "REFUSED"} and found.finding != "delivered":
        assert found.status == "unknown"
    assert is_certain(facts) in {True, False}
