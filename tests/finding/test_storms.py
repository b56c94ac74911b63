"""Storms: what a server says wrongly to many at once is found, and what ordinary lists do is not taken for one."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.errors import FrameError
from bounceanalytics.finding.storms import in_storm, storms
from bounceanalytics.summaries import summarize_domains
from tests.classified import COLUMNS, classified
from tests.effort import examples
from tests.parts import in_parts

Rows = list[dict[str, Any]]

DOMAINS = {"google": "g.example", "microsoft": "m.example", "yahoo": "y.example"}


def people(provider: str, number: int, domain: str | None = None) -> list[str]:
    return [f"{provider}-{n}@{domain or DOMAINS[provider]}" for n in range(number)]


def answer(address: str, when: pd.Timestamp, reason: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a delivery, or a bounce for that reason."""
    domain = address.partition("@")[2]
    provider = {home: name for name, home in DOMAINS.items()}.get(domain, "other")
    row = {"recipient": address, "timestamp": when, "mailbox_provider": provider}
    return row | {"event": "bounced" if reason else "delivered", "reason": reason} | more


def mailing(when: str, addresses: list[str], gone: dict[str, str] | None = None, minutes: int = 0) -> Rows:
    """Return a mailing that begins then: a delivery to each address, or the bounce of those that are gone."""
    start = pd.Timestamp(when, tz="UTC")
    return [
        answer(address, start + pd.Timedelta(minutes=minutes * n / len(addresses)), (gone or {}).get(address))
        for n, address in enumerate(addresses)
    ]


def weekly(addresses: list[str], weeks: int, first: str = "2026-01-05T09:00") -> Rows:
    start = pd.Timestamp(first)
    return [row for week in range(weeks) for row in mailing(str(start + pd.Timedelta(weeks=week)), addresses)]


def unknown(addresses: list[str], reason: str = "unknown_user") -> dict[str, str]:
    return dict.fromkeys(addresses, reason)


OUTAGES = (
    (pd.Timestamp("2020-12-14T22:16Z"), pd.Timestamp("2020-12-15T00:38Z")),
    (pd.Timestamp("2020-12-15T19:38Z"), pd.Timestamp("2020-12-15T23:57Z")),
)
DEAD = [f"dead-{n}@g.example" for n in range(12)]


@pytest.fixture(scope="module")
def gmail() -> pd.DataFrame:
    """Return daily mail, spread over the day, from 5 to 18 December 2020; a mailbox dies on most days."""
    dice = random.Random(2020)  # noqa: S311 - a story, not a secret
    everybody = people("google", 1100) + DEAD + people("microsoft", 300) + people("other", 60, "shop.example")
    rows: Rows = []
    gone: set[str] = set()
    for day in pd.date_range("2020-12-05", "2020-12-18", tz="UTC"):
        gone.update(DEAD[: max(0, day.day - 7)])
        for address in everybody:
            when = day + pd.Timedelta(seconds=dice.randrange(86400))
            storm = address.endswith("@g.example") and any(begin <= when < end for begin, end in OUTAGES)
            wrong = storm and dice.random() < 0.7
            rows.append(answer(address, when, "unknown_user" if wrong or address in gone else None))
    return classified(rows)


def test_gmail_in_december_2020(gmail: pd.DataFrame) -> None:
    found = storms(gmail)
    assert found["kind"].tolist() == ["unknown_users"] * 2
    assert found["mailbox_provider"].tolist() == ["google"] * 2
    assert found[["provider", "domain"]].isna().all(axis=None)
    for (begin, end), (_, storm) in zip(OUTAGES, found.iterrows(), strict=True):
        assert begin <= storm["start"] < begin + pd.Timedelta(minutes=10)
        assert end - pd.Timedelta(minutes=10) < storm["end"] < end
        refused = gmail[
            gmail["mailbox_provider"].eq("google")
            & gmail["event"].eq("bounced")
            & gmail["timestamp"].between(storm["start"], storm["end"])
        ]
        assert storm["hits"] == len(refused)
        assert storm["addresses"] == refused["recipient"].nunique()
        assert 0.6 < storm["share"] < 0.85
        assert storm["share"] == storm["addresses"] / storm["attempts"]
        assert 0 < storm["usual_share"] < 0.01
        assert storm["accepted_before"] >= storm["addresses"] - len(DEAD)
        assert storm["recovered"] >= storm["addresses"] - len(DEAD)
        assert storm["p_value"] < 1e-6


def test_gmail_answers_inside_are_marked_and_no_others(gmail: pd.DataFrame) -> None:
    bounced = gmail["event"].eq("bounced") & gmail["mailbox_provider"].eq("google")
    inside = pd.Series(in_storm(gmail, storms(gmail)), gmail.index)
    during = bounced & sum(gmail["timestamp"].between(begin, end) for begin, end in OUTAGES).astype(bool)
    assert (inside == during).all()
    # the dead are held inside a storm and known to be dead outside of it
    dead = gmail["recipient"].isin(DEAD) & bounced
    assert (dead & inside).any()
    assert set(gmail.loc[dead & ~inside, "recipient"]) >= set(DEAD[:11])


def test_gmail_sentence_names_nobody(gmail: pd.DataFrame) -> None:
    for _, storm in storms(gmail).iterrows():
        sentence = storm["explanation"]
        assert sentence.startswith(
            f"Google said of {storm['addresses']} of {storm['attempts']} addresses from 2020-12"
        )
        assert (
            f"{storm['accepted_before']} had taken mail before, {storm['recovered']} did later." in sentence
        )
        assert "@" not in sentence
        assert "usual is " in sentence
        assert " %" not in sentence  # one spelling of shares


@pytest.mark.parametrize("seed", [1, 2])
def test_order_of_rows_plays_no_part(gmail: pd.DataFrame, seed: int) -> None:
    windows = storms(gmail)
    shuffled = gmail.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(storms(shuffled), windows)
    marked = pd.Series(in_storm(gmail, windows), gmail.index)
    again = pd.Series(in_storm(shuffled, windows), shuffled.index)
    assert (again.sort_index() == marked).all()


def test_found_while_it_lasts(gmail: pd.DataFrame) -> None:
    """Return what somebody sees who exports at 23:30 of the first evening: nobody has recovered yet."""
    (begin, _), _ = OUTAGES
    early = gmail[gmail["timestamp"] < pd.Timestamp("2020-12-14T23:30Z")]
    (storm,) = storms(early).to_dict("records")
    assert storm["start"] >= begin
    assert storm["recovered"] == 0
    assert storm["accepted_before"] > 30


def test_nothing_changes_the_frame(gmail: pd.DataFrame) -> None:
    before = gmail.copy(deep=True)
    in_storm(gmail, storms(gmail))
    pd.testing.assert_frame_equal(gmail, before)


def test_small_sender() -> None:
    """Twelve of twenty readers at one provider, who took mail every week, are unknown in one hour."""
    readers = people("google", 20)
    rows = weekly(readers + people("microsoft", 15), 5)
    rows += mailing("2026-02-09T09:00", readers + people("microsoft", 15), unknown(readers[:12]))
    (storm,) = storms(classified(rows)).to_dict("records")
    assert (storm["addresses"], storm["attempts"], storm["accepted_before"]) == (12, 20, 12)
    assert storm["mailbox_provider"] == "google"
    assert storm["usual_share"] == 0


def test_four_leavers_of_twenty_are_no_storm() -> None:
    readers = people("google", 20)
    rows = weekly(readers, 5) + mailing("2026-02-09T09:00", readers, unknown(readers[:4]))
    assert storms(classified(rows)).empty


def test_ordinary_decay_is_no_storm() -> None:
    """Two in a hundred leave before each mailing; some senders go on mailing them, some do not."""
    dice = random.Random(2)  # noqa: S311 - a story, not a secret
    left = people("google", 2000)
    gone: dict[str, str] = {}
    rows: Rows = []
    for week in range(10):
        gone |= unknown(dice.sample(left, len(left) // 50))
        when = str(pd.Timestamp("2026-01-05T09:00") + pd.Timedelta(weeks=week))
        rows += mailing(when, left, gone)
        left = [address for address in left if address not in gone or address.endswith("7@g.example")]
    assert storms(classified(rows)).empty


def test_a_list_that_slept_for_a_year_is_no_storm() -> None:
    """A fifth of those who took mail a year ago are gone: that is what a year does."""
    readers = people("google", 500) + people("microsoft", 300)
    rows = weekly(readers, 4, "2025-01-06T09:00")
    rows += mailing("2026-01-12T09:00", readers, unknown(readers[::5]))
    assert storms(classified(rows)).empty
    rows[-800:] = mailing("2025-02-03T09:00", readers, unknown(readers[::5]))
    assert len(storms(classified(rows))) == 2  # the same a week after the last mailing


@pytest.mark.parametrize("company", [True, False], ids=["beside the regular list", "by itself"])
def test_old_segment_is_no_storm(company: bool) -> None:
    """A list that nobody mailed before: three in ten are unknown, everywhere."""
    regular = people("google", 200) + people("microsoft", 150)
    old = [f"old-{address}" for address in people("google", 150) + people("microsoft", 120)]
    rows = weekly(regular, 6)
    rows += mailing("2026-02-16T09:00", old + (regular if company else []), unknown(old[::3]))
    assert storms(classified(rows)).empty


def test_old_segment_at_one_provider_beside_its_regular_readers_is_no_storm() -> None:
    regular, old = people("google", 200), [f"old-{address}" for address in people("google", 150)]
    rows = weekly(regular, 6) + mailing("2026-02-16T09:00", old + regular, unknown(old[::3]))
    assert storms(classified(rows)).empty


def test_new_addresses_are_no_storm() -> None:
    """A bought list, an import with typos, addresses made up for a test: nobody of them took mail before."""
    rows: Rows = []
    for day in range(20):
        new = [f"new-{day}-{address}" for address in people("google", 40) + people("microsoft", 40)]
        gone = unknown(new[:30] if day == 15 else new[:1])
        rows += mailing(str(pd.Timestamp("2026-03-01T09:00") + pd.Timedelta(days=day)), new, gone)
    assert storms(classified(rows)).empty


def test_provider_without_history_has_no_usual_share() -> None:
    rows = weekly(people("microsoft", 40), 5)
    rows += mailing("2026-02-09T09:00", people("google", 60), unknown(people("google", 50)))
    assert storms(classified(rows)).empty


def test_first_mailing_to_an_old_list_is_no_storm() -> None:
    everybody = people("google", 300) + people("microsoft", 200) + people("yahoo", 100)
    rows = mailing("2026-01-05T09:00", everybody, unknown(everybody[::3]))
    kept = [address for address in everybody if address not in everybody[::3]]
    assert storms(classified(rows)).empty
    assert storms(classified(rows + weekly(kept, 5, "2026-01-12T09:00"))).empty


def relay_broken(reason: str = "unknown_user", **more: Any) -> Rows:
    everybody = (
        people("google", 40)
        + people("microsoft", 30)
        + people("yahoo", 20)
        + people("other", 9, "shop.example")
    )
    rows = weekly(everybody, 5)
    rows += mailing("2026-02-09T09:00", everybody, unknown(everybody[1:], reason))
    return [row | more for row in rows]


@pytest.mark.parametrize("reason", ["unknown_user", "bad_domain", "bad_syntax", "system_full"])
def test_own_relay_broken(reason: str) -> None:
    bounces = classified(relay_broken(reason))
    (storm,) = storms(bounces).to_dict("records")
    assert storm["kind"] == "everything"
    assert storm["provider"] == "sendgrid"
    assert pd.isna(storm["mailbox_provider"])
    assert (storm["hits"], storm["addresses"], storm["attempts"]) == (98, 98, 99)
    assert storm["usual_share"] == 0
    assert storm["explanation"].startswith(
        "98 of 99 addresses bounced at SendGrid from 2026-02-09 09:00 to 2026-02-09 09:00"
    )
    assert in_storm(bounces, storms(bounces)).sum() == 98


def test_relay_of_one_esp_broken() -> None:
    rows = relay_broken()
    others = [
        row | {"provider": "ses", "recipient": f"b-{row['recipient']}", "event": "delivered", "reason": None}
        for row in rows
    ]
    bounces = classified(rows + others)
    (storm,) = storms(bounces).to_dict("records")
    assert storm["provider"] == "sendgrid"
    gone = answer("b-google-1@g.example", pd.Timestamp("2026-02-09T09:05Z"), "unknown_user", provider="ses")
    bounces = classified([*rows, *others, gone])
    assert not in_storm(bounces, storms(bounces))[-1]


def test_not_everything_bounced() -> None:
    """One large provider refuses everybody, the few others take mail: that is a storm of this provider."""
    everybody = people("google", 200) + people("microsoft", 4) + people("yahoo", 4)
    rows = weekly(everybody, 5) + mailing("2026-02-09T09:00", everybody, unknown(everybody[:200]))
    (storm,) = storms(classified(rows)).to_dict("records")
    assert (storm["kind"], storm["mailbox_provider"]) == ("unknown_users", "google")


def test_sender_of_whom_everything_always_bounces_has_no_storm() -> None:
    everybody = people("google", 40) + people("microsoft", 30) + people("yahoo", 20)
    rows: Rows = []
    for week in range(6):
        when = str(pd.Timestamp("2026-01-05T09:00") + pd.Timedelta(weeks=week))
        rows += mailing(when, everybody, unknown(everybody[1:], "unknown_user"))
    assert storms(classified(rows)).empty


def test_export_of_failures_only_has_no_storm() -> None:
    rows = [row for row in relay_broken() if row["event"] == "bounced"]
    assert storms(classified(rows)).empty
    # nor where another ESP's export is whole, nor where this one's was whole at some other time
    whole = [row | {"provider": "ses"} for row in relay_broken() if row["event"] == "delivered"]
    assert storms(classified(rows + whole)).empty
    before = weekly(
        people("google", 40) + people("microsoft", 30) + people("yahoo", 20), 4, "2025-10-06T09:00"
    )
    assert storms(classified(rows + before)).empty


def test_provider_that_closes_is_held_for_its_first_hour_only() -> None:
    rows = weekly(people("google", 30) + people("yahoo", 40), 4)
    dead = unknown(people("yahoo", 40))
    first = mailing("2026-02-02T09:00", people("google", 30) + people("yahoo", 40), dead)
    assert len(storms(classified(rows + first))) == 1
    second = mailing("2026-02-09T09:00", people("google", 30) + people("yahoo", 40), dead)
    assert storms(classified(rows + first + second)).empty
    back = mailing("2026-02-16T09:00", people("google", 30) + people("yahoo", 40))
    assert len(storms(classified(rows + first + second + back))) == 1


def test_answers_after_two_days_lie_in_no_storm() -> None:
    """The storm is on Monday; on the next Monday some of the refused are refused again, and others the first time."""
    readers = people("google", 200)
    rows = weekly(readers, 4)
    rows += mailing("2026-02-02T09:00", readers[:100], unknown(readers[:60]))
    rows += mailing("2026-02-09T09:00", readers[:100], unknown(readers[:10]))
    bounces = classified(rows)
    windows = storms(bounces)
    assert len(windows) == 1
    assert in_storm(bounces, windows).sum() == 60
    assert not in_storm(bounces, windows)[bounces["timestamp"] > "2026-02-09"].any()


def company(*later: str) -> Rows:
    """Return a firm whose server refuses 18 of 25 at one letter; ``later`` says what the next letters bring."""
    staff, others = people("other", 25, "works.example"), people("google", 30)
    rows = weekly(staff + others, 4)
    rows += mailing("2026-02-02T09:00", staff + others, unknown(staff[:18]))
    for week, what in enumerate(later):
        when = str(pd.Timestamp("2026-02-09T09:00") + pd.Timedelta(weeks=week))
        rows += mailing(when, others)
        if what == "dropped":
            more = {"event": "dropped", "reason": "suppressed", "action": "remove"}
            rows += [row | more for row in mailing(when, staff[:18])]
        elif what == "three":
            rows += mailing(when, staff[:3], unknown(staff))
        elif what == "the others":
            rows += mailing(when, staff[18:], unknown(staff))
        elif what == "back":
            rows += mailing(when, staff[18:])
    return rows


@pytest.mark.parametrize("later", ["nothing", "dropped"])
def test_domain_of_a_firm_that_nobody_tried_again_stays_a_storm(later: str) -> None:
    """What the ESP drops is not tried: nothing was learned, however long it goes on."""
    (storm,) = storms(classified(company(*[later] * 4))).to_dict("records")
    assert (storm["domain"], storm["addresses"], storm["recovered"]) == ("works.example", 18, 0)
    assert "2026-02-02 09:00" in storm["explanation"]
    assert "None of them was tried again" in storm["explanation"]


@pytest.mark.parametrize("later", ["three", "the others"])
def test_domain_of_a_firm_that_closes_is_no_storm(later: str) -> None:
    assert storms(classified(company("dropped", later))).empty


def test_domain_of_a_firm_whose_server_erred_is_one() -> None:
    (storm,) = storms(classified(company("back"))).to_dict("records")
    assert (storm["mailbox_provider"], storm["domain"]) == ("other", "works.example")
    assert storm["explanation"].startswith("works.example said of 18 of 25 addresses")


def test_edges_in_the_middle_of_an_hour() -> None:
    """An answer to somebody who took mail before belongs to the storm when it came less than an hour from its edge."""
    readers = people("google", 120)
    rows = weekly(readers, 4)
    edge = [f"edge-{n}@g.example" for n in range(4)]
    rows += weekly(edge, 4)
    rows += mailing("2026-02-02T10:00", readers, unknown(readers[:80]), minutes=59)
    for address, when in zip(edge, ("08:30", "09:40", "11:20", "13:00"), strict=True):
        rows.append(answer(address, pd.Timestamp(f"2026-02-02T{when}Z"), "unknown_user"))
    rows.append(answer("never@g.example", pd.Timestamp("2026-02-02T11:30Z"), "unknown_user"))
    bounces = classified(rows)
    (storm,) = storms(bounces).to_dict("records")
    assert storm["start"] == pd.Timestamp("2026-02-02T09:40Z")
    assert storm["end"] == pd.Timestamp("2026-02-02T11:20Z")
    inside = bounces.loc[in_storm(bounces, storms(bounces)), "recipient"]
    assert set(inside) == {*readers[:80], *edge[1:3]}


def test_hours_of_one_storm_are_one_row() -> None:
    readers = people("google", 300)
    rows = weekly(readers, 4) + mailing("2026-02-02T09:10", readers, unknown(readers[:200]), minutes=290)
    (storm,) = storms(classified(rows)).to_dict("records")
    assert storm["addresses"] == 200
    assert storm["end"] - storm["start"] > pd.Timedelta(hours=3)


def test_drops_and_list_entries_of_a_storm_lie_in_it() -> None:
    readers = people("google", 40)
    rows = weekly(readers, 5) + mailing("2026-02-09T09:00", readers, unknown(readers[:30]), minutes=30)
    more = {"message_id": None, "event_id": None}
    for event, when, reason in (
        ("suppressed", "2026-02-09T09:10Z", "unknown_user"),
        ("dropped", "2026-02-09T09:20Z", "unknown_user"),
        ("suppressed", "2026-02-09T09:31Z", "unknown_user"),
        ("suppressed", "2026-02-09T12:00Z", "unknown_user"),
        ("suppressed", None, "unknown_user"),
        ("suppressed", "2026-02-09T09:10Z", "mailbox_full"),
    ):
        rows.append(answer(readers[0], pd.Timestamp(when), reason) | more | {"event": event})
    bounces = classified(rows)
    inside = in_storm(bounces, storms(bounces))
    assert inside[-6:].tolist() == [True, True, True, False, False, False]
    assert inside.sum() == 33


def test_other_answers_lie_in_no_storm() -> None:
    """A full mailbox, or a block, is what it is, also in a storm."""
    readers = people("google", 40)
    gone = (
        unknown(readers[:30]) | unknown(readers[30:33], "mailbox_full") | unknown(readers[33:36], "blocked")
    )
    bounces = classified(weekly(readers, 5) + mailing("2026-02-09T09:00", readers, gone))
    marked = bounces[in_storm(bounces, storms(bounces))]
    assert marked["reason"].unique().tolist() == ["unknown_user"]


def test_many_full_mailboxes_or_blocks_are_no_storm() -> None:
    readers = people("google", 60)
    for reason in ("mailbox_full", "blocked", "rate_limited", "system_full"):
        rows = weekly(readers, 5) + mailing("2026-02-09T09:00", readers, unknown(readers[:50], reason))
        assert storms(classified(rows)).empty


def late(rows: Rows, addresses: list[str]) -> Rows:
    """Return these deliveries, of which those to some addresses come back three hours later."""
    numbered = [row | {"message_id": f"m-{n}"} for n, row in enumerate(rows)]
    later = pd.Timedelta(hours=3)
    return numbered + [
        row | {"event": "bounced", "reason": "unknown_user", "timestamp": row["timestamp"] + later}
        for row in numbered
        if row["recipient"] in addresses
    ]


def test_a_delivery_that_came_back_is_no_proof() -> None:
    readers = people("google", 30)
    bounces = classified(late(weekly(readers, 1) + weekly(people("microsoft", 60), 2), readers))
    assert storms(bounces).empty
    assert storms(bounces, late_bounce_hours=1)["accepted_before"].tolist() == [30]


def test_storm_of_late_bounces() -> None:
    """It belongs to the hour of the letter, and so do the entries of a list that repeat it."""
    readers = people("google", 40)
    rows = weekly(readers, 5) + late(mailing("2026-02-09T09:00", readers), readers[:30])
    entry = {"event": "suppressed", "message_id": None, "event_id": None}
    rows.append(answer(readers[0], pd.Timestamp("2026-02-09T12:10Z"), "unknown_user") | entry)
    bounces = classified(rows)
    windows = storms(bounces)
    (storm,) = windows.to_dict("records")
    assert (storm["addresses"], storm["accepted_before"], storm["recovered"]) == (30, 30, 0)
    assert storm["start"] == pd.Timestamp("2026-02-09T09:00Z")
    assert in_storm(bounces, windows).sum() == 31


def letters(everybody: list[str], number: int = 5, gone: dict[int, dict[str, str]] | None = None) -> Rows:
    """Return monthly letters, each going out over an hour; ``gone`` says who bounces at which."""
    first = pd.Timestamp("2026-01-05T09:00")
    return [
        row
        for n in range(number)
        for row in mailing(str(first + pd.Timedelta(days=30 * n)), everybody, (gone or {}).get(n), 59)
    ]


def answered_late(rows: Rows, hours: float, **more: Any) -> Rows:
    """Return the rows with bounces that come in all together, so many hours after their letter."""
    return [
        row | {"timestamp": row["timestamp"].floor("h") + pd.Timedelta(hours=hours)} | more
        if row["event"] == "bounced"
        else row
        for row in rows
    ]


@pytest.mark.parametrize("ids", [True, False], ids=["ids", "no ids"])
@pytest.mark.parametrize("hours", [-8, 3, 14, 47])
def test_late_bounces_at_night_are_no_storm(hours: int, ids: bool) -> None:
    """Two in a hundred die each month, and all that is told of them is told at night, or in another time zone."""
    readers = people("google", 600) + people("microsoft", 200)
    gone = {n: unknown(readers[n * 16 : n * 16 + 16]) for n in range(1, 6)}
    rows = answered_late(letters(readers, 6, gone), hours)
    if not ids:
        rows = [row | {"message_id": None, "event_id": None} for row in rows]
    assert storms(classified(rows)).empty


def test_a_provider_that_refuses_everybody_late_is_one() -> None:
    readers = people("google", 100) + people("microsoft", 300)
    rows = answered_late(letters(readers, 5, {3: unknown(readers[:100])}), 14)
    (storm,) = storms(classified(rows)).to_dict("records")
    assert (storm["mailbox_provider"], storm["addresses"]) == ("google", 100)


def test_deliveries_without_ids_are_no_proof_for_their_own_bounces() -> None:
    """A list is imported; its letter is told as delivered, and half of it comes back at night."""
    readers, bought = people("google", 300), [f"bought-{address}" for address in people("google", 300)]
    rows = letters(readers, 5) + mailing("2026-05-05T09:00", bought)
    rows += answered_late(mailing("2026-05-05T09:00", bought[::2], unknown(bought)), 14)
    assert storms(classified([row | {"message_id": None, "event_id": None} for row in rows])).empty


def test_mail_that_waited_belongs_to_the_hour_in_which_it_was_sent() -> None:
    """A provider lets everybody wait for four hours; then it takes mail, and the few dead are told with the others."""
    readers = people("google", 200) + people("microsoft", 400)
    rows = letters(readers, 5, {n: unknown(readers[n * 6 : n * 6 + 6]) for n in range(1, 5)})
    waited = [row | {"message_id": f"m-{n}"} for n, row in enumerate(rows)]
    accepted = [row | {"event": "accepted", "reason": None} for row in waited]
    waited = [
        row | {"timestamp": row["timestamp"] + pd.Timedelta(hours=4)} if "google" in row["recipient"] else row
        for row in waited
    ]
    assert storms(classified(waited + accepted)).empty


def test_expired_mail_is_no_storm() -> None:
    """Every month what could not be delivered expires at night, and somebody is really gone."""
    readers = people("google", 300) + people("microsoft", 200) + people("other", 60, "late.example")
    gone = {
        n: unknown(readers[-60 + n * 12 :][:12], "expired") | unknown(readers[n : n + 1]) for n in range(5)
    }
    bounces = classified(answered_late(letters(readers, 5, gone), 14))
    assert storms(bounces).empty


def test_block_everywhere_is_no_storm() -> None:
    readers = people("google", 300) + people("microsoft", 200) + people("yahoo", 100)
    gone = unknown(readers, "blocked") | unknown(readers[::40])
    assert storms(classified(letters(readers, 5, {4: gone}))).empty


@pytest.mark.parametrize("part", [0.06, 0.1, 0.3])
def test_outage_for_a_part_of_the_people(part: float) -> None:
    readers = people("google", 800) + people("microsoft", 300)
    struck = random.Random(1).sample(readers[:800], round(800 * part))  # noqa: S311 - a story
    (storm,) = storms(classified(letters(readers, 6, {4: unknown(struck)}))).to_dict("records")
    assert (storm["mailbox_provider"], storm["addresses"]) == ("google", len(struck))


def test_a_provider_that_cleans_up_over_weeks_is_no_storm() -> None:
    readers = people("google", 800) + people("microsoft", 300)
    gone = {n: unknown(readers[n * 60 : n * 60 + 60]) for n in (4, 5, 6)}
    assert storms(classified(letters(readers, 8, gone))).empty


@pytest.mark.parametrize("asleep", [True, False], ids=["asleep", "readers"])
def test_a_provider_that_removes_those_who_never_open_is_no_storm(asleep: bool) -> None:
    readers = people("google", 800)
    rows = letters(readers, 6, {4: unknown(readers[400:500] if asleep else readers[:800:8])})
    opened = [row for row in rows if row["event"] == "delivered" and int(row["recipient"][7:-10]) < 400]
    rows += [row | {"event": "opened"} for row in opened]
    assert len(storms(classified(rows))) == (0 if asleep else 1)


def hosted(domains: int, each: int, **more: Any) -> Rows:
    """Return letters to firms, of which many are refused at one letter by the host that they share."""
    firms = [address for n in range(domains) for address in people("other", each, f"hosted{n}.example")]
    others = [address for n in range(80) for address in people("other", 4, f"shop{n}.example")]
    rows = letters(firms + others, 6, {4: unknown(firms)})
    answers = {"diagnostic": "550 5.1.1 <{}>: Recipient unknown at this host"} | more
    return [
        row | {name: text.format(row["recipient"]) for name, text in answers.items()}
        if "@hosted" in row["recipient"]
        else row
        for row in rows
    ]


@pytest.mark.parametrize(
    ("more", "domain"),
    [({"remote_host": "mx7.hoster.example."}, "hoster.example"), ({}, '"recipient unknown at this host"')],
    ids=["host", "words"],
)
def test_a_host_of_many_domains_is_one_storm(more: dict[str, str], domain: str) -> None:
    bounces = classified(hosted(60, 2, **more))
    windows = storms(bounces)
    (storm,) = windows.to_dict("records")
    assert (storm["mailbox_provider"], storm["domain"], storm["addresses"]) == ("other", domain, 120)
    assert storm["explanation"].startswith("60 domains ")
    assert "@" not in storm["explanation"]
    assert in_storm(bounces, windows).sum() == 120
    with in_parts(bounces, 3) as parts:
        pd.testing.assert_frame_equal(storms(parts), windows)


def test_domains_that_close_one_by_one_are_no_storm() -> None:
    """Every month some small firms close, who have nothing in common but the words of their servers."""
    firms = [people("other", 3, f"firm{n}.example") for n in range(400)]
    gone = {
        n: unknown([one for firm in firms[n * 10 : n * 10 + 10] for one in firm], "bad_domain")
        for n in range(1, 7)
    }
    assert storms(classified(letters([one for firm in firms for one in firm], 7, gone))).empty


def test_events_without_a_time_are_in_no_storm() -> None:
    readers = people("google", 40)
    rows = weekly(readers, 5) + mailing("2026-02-09T09:00", readers, unknown(readers[:30]))
    undated = [row | {"timestamp": None} for row in rows[-40:]]
    assert storms(classified(rows[:-40] + undated)).empty
    bounces = classified(rows + undated)
    windows = storms(bounces)
    assert windows["hits"].tolist() == [30]
    assert in_storm(bounces, windows).sum() == 30
    assert not in_storm(bounces, windows)[-40:].any()


def test_provider_of_a_domain_is_the_one_that_most_of_its_events_name() -> None:
    """Deliveries do not name the host: what the bounces say holds for the whole domain, as in the summaries."""
    readers = people("google", 40, "firm.example")
    rows = weekly(readers, 5) + mailing("2026-02-09T09:00", readers, unknown(readers[:30]))
    for row in rows:
        row["mailbox_provider"] = "google" if row["event"] == "bounced" else "other"
    rows[0]["mailbox_provider"] = "yahoo"
    bounces = classified(rows)
    windows = storms(bounces)
    assert windows["mailbox_provider"].tolist() == ["google"]
    assert summarize_domains(bounces)["mailbox_provider"].tolist() == ["google"]
    assert in_storm(bounces, windows).sum() == 30


def test_empty_frame() -> None:
    bounces = COLUMNS.empty()
    found = storms(bounces)
    assert found.empty
    assert found.dtypes.to_dict() == storms(classified(relay_broken())).dtypes.to_dict()
    assert in_storm(bounces, found).tolist() == []
    full = classified(relay_broken())
    assert not in_storm(full, found).any()
    assert in_storm(bounces, storms(full)).tolist() == []


def test_all_undated_or_without_recipient() -> None:
    rows = relay_broken(timestamp=None)
    assert storms(classified(rows)).empty
    assert storms(classified(relay_broken(recipient=None, domain=None))).empty


def test_samples_have_none(bounces: pd.DataFrame) -> None:
    assert storms(bounces).empty


def test_wrong_frames_are_named() -> None:
    bounces = classified(relay_broken())
    with pytest.raises(FrameError, match="mailbox_provider"):
        storms(bounces.drop(columns="mailbox_provider"))
    with pytest.raises(FrameError, match="timestamp is str"):
        storms(bounces.assign(timestamp="yesterday"))
    with pytest.raises(FrameError, match="storms needs the columns"):
        in_storm(bounces, pd.DataFrame({"a": [1]}))


def test_dtypes_are_those_of_the_documentation() -> None:
    found = storms(classified(relay_broken()))
    described = (storms.__doc__ or "").replace("``start``, ``end``", "``start`` ``end``")
    for column in found.columns:
        assert f"``{column}``" in described
    assert found.dtypes["p_value"] == np.float64
    assert str(found.dtypes["start"]) == "datetime64[us, UTC]"


# --- a history in parts


@pytest.mark.parametrize("number", [2, 7])
def test_storms_of_parts_are_those_of_the_whole(gmail: pd.DataFrame, number: int) -> None:
    assert len(storms(gmail)) == 2
    with in_parts(gmail, number) as parts:
        pd.testing.assert_frame_equal(storms(parts), storms(gmail))


@given(seed=st.integers(0, 2**32), number=st.integers(2, 5))
@examples(15)
def test_storms_of_any_parts_are_those_of_the_whole(seed: int, number: int) -> None:
    """Letters with a storm at a provider, one at a firm, a broken relay, and what lists are like anyway."""
    dice = random.Random(seed)  # noqa: S311 - a story, not a secret
    everybody = people("google", 80) + people("microsoft", 60) + people("other", 40, "firm.example")
    everybody += people("yahoo", 30)
    weeks = dice.randint(4, 8)
    struck = {dice.randrange(weeks): home for home in ("g.example", "firm.example", "everywhere")}
    rows: Rows = []
    for week in range(weeks):
        monday = pd.Timestamp("2026-01-05T09:00Z") + pd.Timedelta(weeks=week)
        for place, address in enumerate(everybody):
            wrong = dice.random() < (0.8 if address.endswith(struck.get(week, "nobody")) else 0.01)
            broken = struck.get(week) == "everywhere" and place % 2 and dice.random() < 0.95
            reason = "unknown_user" if wrong else "bad_domain" if broken else None
            when = monday + pd.Timedelta(minutes=dice.randrange(150))
            rows.append(answer(address, when, reason, provider=("sendgrid", "ses")[place % 2]))
    bounces = classified(rows)
    with in_parts(bounces, number) as parts:
        pd.testing.assert_frame_equal(storms(parts), storms(bounces))
