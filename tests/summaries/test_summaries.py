"""Summaries: the rule of what counts, numbers against a slow second computation, and properties for any frame."""

from __future__ import annotations

import inspect
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betabinom, binomtest, chi2, chi2_contingency

from bounceanalytics import schema, summaries
from bounceanalytics.errors import FrameError
from bounceanalytics.history import History
from bounceanalytics.summaries.changes import find_changes
from bounceanalytics.summaries.statistics import shrunk, wilson
from tests.classified import classified
from tests.effort import examples

EVERY = [
    summaries.summarize_actions,
    summaries.summarize_changes,
    summaries.summarize_codes,
    summaries.summarize_days,
    summaries.summarize_domain_days,
    summaries.summarize_domain_reasons,
    summaries.summarize_domains,
    summaries.summarize_esps,
    summaries.summarize_hosts,
    summaries.summarize_providers,
    summaries.summarize_reasons,
    summaries.summarize_registrable_domains,
    summaries.summarize_sending_ips,
    summaries.summarize_system_full,
    summaries.summarize_tags,
]
COUNTS = ["attempted", "delivered", "bounced", "hard", "soft", "block", "unknown", "dropped", "pending"]


def name_of(function: Any) -> str:
    return function.__name__.removeprefix("summarize_")


@pytest.fixture(scope="module")
def story(letters: pd.DataFrame) -> pd.DataFrame:
    return letters


@pytest.fixture(scope="module")
def each(story: pd.DataFrame) -> dict[Any, pd.DataFrame]:
    """Return every function with its summary of the story."""
    return {function: function(story) for function in EVERY}


@pytest.fixture(scope="module")
def messages(story: pd.DataFrame) -> list[dict[str, Any]]:
    return outcomes(story)


def outcomes(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Say what became of each message: the rule of the module's docstring once more, row by row."""
    messages: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    told = frame.to_dict("records")
    for number, row in enumerate([*told, *listed(told)]):
        if row["event"] not in ("delivered", "bounced", "deferred", "dropped", "rejected"):
            continue
        named = row["message_id"] if pd.notna(row["message_id"]) else row["event_id"]
        if pd.isna(named) and row["event"] == "deferred":
            continue
        who = row["recipient"].lower() if pd.notna(row["recipient"]) else None
        messages[(who, named if pd.notna(named) else number)].append(row)
    return [{"address": key[0]} | decide(rows) for key, rows in messages.items()]


def listed(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the entries of lists that count, as bounces: one for an address that has no bounce of its own."""
    sent = [row for row in told if row["event"] in schema.SENDING_EVENTS]
    times = [row["timestamp"] for row in sent if pd.notna(row["timestamp"])]
    mailed = {
        row["recipient"].lower()
        for row in sent
        if row["event"] == "bounced"
        and pd.notna(row["recipient"])
        and row["bounce_type"] != "suppressed"
        and row["reason"] != "challenge"
    }
    entries: dict[Any, dict[str, Any]] = {}
    for number, row in enumerate(told):
        if row["event"] != "suppressed" or row["bounce_type"] not in ("hard", "soft", "block"):
            continue
        if times and pd.notna(row["timestamp"]) and row["timestamp"] < min(times) - pd.Timedelta(days=5):
            continue
        who = row["recipient"].lower() if pd.notna(row["recipient"]) else number
        kept = entries.get(who)
        if who not in mailed and (kept is None or order(row) > order(kept)):
            entries[who] = row
    return [row | {"event": "bounced", "message_id": None, "event_id": None} for row in entries.values()]


def order(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["timestamp"].value if pd.notna(row["timestamp"]) else -1, row["record"]


def decide(rows: list[dict[str, Any]]) -> dict[str, Any]:
    def kind(row: dict[str, Any]) -> str:
        if row["event"] == "deferred":
            return "pending"
        if row["event"] in ("dropped", "rejected") or (
            row["event"] == "bounced" and row["bounce_type"] == "suppressed"
        ):
            return "dropped"
        return str(row["event"])

    def rank(row: dict[str, Any]) -> tuple[Any, ...]:
        final = {"pending": 0, "dropped": 1, "bounced": 3, "delivered": 3}[kind(row)]
        if kind(row) == "bounced" and row["reason"] == "challenge":
            final = 2
        at = row["timestamp"].value if pd.notna(row["timestamp"]) else -1
        return final, at, kind(row) == "bounced", row["record"]

    last = max(rows, key=rank)
    return {"outcome": kind(last), **last}


def tally(messages: list[dict[str, Any]]) -> dict[str, int]:
    counts = Counter(message["outcome"] for message in messages)
    types = Counter(message["bounce_type"] for message in messages if message["outcome"] == "bounced")
    known = {name: types[name] for name in ("hard", "soft", "block")}
    return {
        "attempted": counts["delivered"] + counts["bounced"],
        "delivered": counts["delivered"],
        "bounced": counts["bounced"],
        **known,
        "unknown": counts["bounced"] - sum(known.values()),
        "dropped": counts["dropped"],
        "pending": counts["pending"],
    }


def test_domains_equal_a_slow_second_computation(
    messages: list[dict[str, Any]], each: dict[Any, pd.DataFrame]
) -> None:
    got = each[summaries.summarize_domains].set_index("domain")
    by_domain = defaultdict(list)
    for message in messages:
        by_domain[message["domain"]].append(message)
    assert set(got.index) == set(by_domain)
    for domain, own in by_domain.items():
        row = got.loc[domain]
        assert row[COUNTS].to_dict() == tally(own)
        assert row["addresses"] == len({message["address"] for message in own})
        assert row["first_seen"] == min(message["timestamp"] for message in own)
        assert row["last_seen"] == max(message["timestamp"] for message in own)
        reasons = Counter(message["reason"] for message in own if message["outcome"] == "bounced")
        assert reasons[row["top_reason"]] == max(reasons.values())


def test_reasons_codes_and_actions_equal_a_slow_second_computation(
    messages: list[dict[str, Any]], each: dict[Any, pd.DataFrame]
) -> None:
    bounced = pd.DataFrame([message for message in messages if message["outcome"] == "bounced"])
    by_reason = each[summaries.summarize_reasons].set_index("reason")
    expected = bounced.groupby("reason").size()
    assert by_reason.loc[list(expected.index), "bounced"].to_dict() == expected.to_dict()
    assert by_reason["share"].sum() == pytest.approx(1)
    grouped = bounced.assign(code=bounced["enhanced_code"].fillna("none")).groupby(["reason", "code"]).size()
    codes = each[summaries.summarize_codes].groupby(["reason", "code"], observed=True)["bounced"].sum()
    assert {(str(a), b): n for (a, b), n in codes.items()} == grouped.to_dict()
    actions = each[summaries.summarize_actions].set_index(["action", "fault"])
    by_action = bounced.groupby(["action", "fault"])
    assert actions["bounced"].to_dict() == by_action.size().to_dict()
    assert actions["addresses"].to_dict() == by_action["address"].nunique().to_dict()


def test_heat_map_adds_up_to_domains(each: dict[Any, pd.DataFrame]) -> None:
    long = each[summaries.summarize_domain_reasons]
    domains = each[summaries.summarize_domains].set_index("domain")["bounced"]
    assert long.groupby("domain")["bounced"].sum().to_dict() == domains[domains > 0].to_dict()
    most_first = sorted(domains[domains > 0].items(), key=lambda entry: (-entry[1], entry[0]))
    assert long["domain"].drop_duplicates().tolist() == [name for name, _ in most_first]


@pytest.mark.parametrize(
    "function", [summaries.summarize_days, summaries.summarize_providers, summaries.summarize_esps]
)
def test_every_grouping_adds_up_alike(each: dict[Any, pd.DataFrame], function: Any) -> None:
    domains = each[summaries.summarize_domains][COUNTS].sum()
    assert each[function][COUNTS].sum().to_dict() == domains.to_dict()


def test_input_is_not_changed_and_its_order_does_not_matter(
    story: pd.DataFrame, each: dict[Any, pd.DataFrame]
) -> None:
    shuffled = story.sample(frac=1, random_state=7)
    before = shuffled.copy(deep=True)
    with History.open(shuffled) as history:
        for function, summary in each.items():
            pd.testing.assert_frame_equal(function(history), summary, obj=name_of(function))
    pd.testing.assert_frame_equal(shuffled, before)


@pytest.mark.parametrize("function", EVERY, ids=name_of)
def test_missing_columns_are_named(function: Any) -> None:
    with pytest.raises(FrameError, match=r"reason.*found: provider"):
        function(schema.EVENT_COLUMNS.empty())


def test_all_at_once_is_each_by_itself(
    story: pd.DataFrame, each: dict[Any, pd.DataFrame], letter_summaries: summaries.Summaries
) -> None:
    for function, summary in each.items():
        weekly = "freq" in inspect.signature(function).parameters  # since it is ten weeks
        alone = function(story, freq="W") if weekly else summary
        pd.testing.assert_frame_equal(getattr(letter_summaries, name_of(function)), alone)
    changes = summaries.summarize_changes(story, "mailbox_provider")
    pd.testing.assert_frame_equal(letter_summaries.provider_changes, changes)
    days = summaries.summarize(story[story["timestamp"] < "2026-02-01"]).days["period"]
    assert (days.diff().min()) == pd.Timedelta(days=1)
    later = {
        "timestamp": story["timestamp"] - pd.Timedelta(days=900),
        "message_id": story["message_id"] + "b",
    }
    years = pd.concat([story, story.assign(**later)])
    assert set(summaries.summarize(years).days["period"].dropna().dt.day) == {1}


def message(event: str, minute: int | None, **more: Any) -> dict[str, Any]:
    time = None if minute is None else f"2026-03-02T10:{minute:02d}:00Z"
    return {"recipient": "zq@example.org", "message_id": "one", "event": event, "timestamp": time} | more


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            [message("deferred", 1), message("delivered", 2)], {"delivered": 1}, id="deferred, then delivered"
        ),
        pytest.param(
            [message("deferred", 1), message("bounced", 2)],
            {"bounced": 1, "hard": 1},
            id="deferred, then bounced",
        ),
        pytest.param([message("deferred", 1), message("deferred", 2)], {"pending": 1}, id="never settled"),
        pytest.param(
            [message("delivered", 1), message("bounced", 2)], {"bounced": 1, "hard": 1}, id="late bounce"
        ),
        pytest.param(
            [message("bounced", 1, reason="mailbox_full"), message("delivered", 2)],
            {"delivered": 1},
            id="soft, then delivered",
        ),
        pytest.param(
            [message("delivered", 1), message("bounced", 1)], {"bounced": 1, "hard": 1}, id="same time"
        ),
        pytest.param(
            [message("delivered", None), message("bounced", None)], {"bounced": 1, "hard": 1}, id="no times"
        ),
        pytest.param([message("bounced", 1)] * 3, {"bounced": 1, "hard": 1}, id="webhook repeats itself"),
        pytest.param(
            [message("delivered", 1), message("bounced", 2, reason="challenge")],
            {"delivered": 1},
            id="out of office",
        ),
        pytest.param([message("dropped", 1, reason="suppressed")], {"dropped": 1}, id="dropped"),
        pytest.param([message("rejected", 1, reason="virus")], {"dropped": 1}, id="rejected by the ESP"),
        pytest.param(
            [message("bounced", 1, reason="suppressed")], {"dropped": 1}, id="bounce of a suppression list"
        ),
        pytest.param(
            [message("suppressed", 1, reason="suppressed"), message("other", 2, reason=None)],
            {},
            id="list entries and the rest",
        ),
        pytest.param(
            [message("suppressed", 1, source="january.csv"), message("suppressed", 1, source="march.csv")],
            {"bounced": 1, "hard": 1},
            id="list of bounces, twice",
        ),
        pytest.param(
            [
                message("suppressed", 1, reason="mailbox_full"),
                message("suppressed", 1, recipient="zq2@example.org"),
            ],
            {"bounced": 2, "hard": 1, "soft": 1},
            id="list of bounces by its answers",
        ),
        pytest.param(
            [
                message("suppressed", 1, reason="suppressed", esp_type=name, action="remove")
                for name in ("BOUNCE", "COMPLAINT")
            ],
            {"bounced": 1, "hard": 1},
            id="list without answers",
        ),
        pytest.param(
            [message("suppressed", 1, reason="suppressed", esp_type="bounces_or_blocks", action="review")],
            {"bounced": 1, "unknown": 1},
            id="list that may be another",
        ),
        pytest.param(
            [message("suppressed", 1), message("bounced", 2), message("delivered", 3, message_id="two")],
            {"bounced": 1, "hard": 1, "delivered": 1},
            id="list and the bounce itself",
        ),
        pytest.param(
            [message("suppressed", 1, message_id=None), message("delivered", 2, message_id=None)],
            {"bounced": 1, "hard": 1, "delivered": 1},
            id="list and another message",
        ),
        pytest.param(
            [
                message("suppressed", 1, timestamp="2025-11-02T10:00:00Z"),
                message("delivered", 2, recipient="zq2@example.org"),
            ],
            {"delivered": 1},
            id="list older than the history",
        ),
        pytest.param(
            [message("bounced", 1), message("bounced", 2, recipient="ZQ@example.org")],
            {"bounced": 1, "hard": 1},
            id="case",
        ),
        pytest.param(
            [message("bounced", 1), message("bounced", 2, recipient="zq2@example.org")],
            {"bounced": 2, "hard": 2},
            id="two recipients",
        ),
        pytest.param(
            [
                message("bounced", 1, message_id=None, event_id=None),
                message("bounced", 1, message_id=None, event_id=None),
            ],
            {"bounced": 2, "hard": 2},
            id="no ids",
        ),
        pytest.param(
            [message("bounced", 1, message_id=None, event_id="e")] * 2,
            {"bounced": 1, "hard": 1},
            id="event id",
        ),
        pytest.param(
            [message("deferred", 1, message_id=None, event_id=None)], {}, id="deferral of no message"
        ),
        pytest.param(
            [message("bounced", 1, reason="unclassified")], {"bounced": 1, "unknown": 1}, id="not classified"
        ),
    ],
)
def test_what_counts(rows: list[dict[str, Any]], expected: dict[str, int]) -> None:
    summary = summaries.summarize_domains(classified(rows))
    counts = summary[COUNTS].sum()
    want = dict.fromkeys(COUNTS, 0) | expected
    want["attempted"] = want["delivered"] + want["bounced"]
    assert counts.to_dict() == want


def test_hosts_tell_which_servers_are_full() -> None:
    full = {"remote_host": "MX1.mail.example.co.uk.", "message_id": "m"}
    rows = [
        full | {"recipient": "zq1@one.example", "event": "deferred", "reason": "system_full"},
        full | {"recipient": "zq1@one.example", "reason": "system_full", "remote_host": None, "record": 99},
        full
        | {"recipient": "zq2@two.example", "event": "delivered", "remote_host": "mx1.mail.example.co.uk"},
        {"recipient": "zq3@two.example", "event": "delivered"},
        {"recipient": "zq4@two.example", "remote_host": "192.0.2.25"},
        {"recipient": "zq5@two.example", "remote_host": "192.0.2.25", "provider": "ses"},
        {"recipient": "zq6@two.example", "event": "delivered", "provider": "ses"},
    ]
    got = summaries.summarize_hosts(classified(rows)).set_index("remote_host")
    assert got["registrable_domain"].to_dict() == {
        "mx1.mail.example.co.uk": "example.co.uk", "192.0.2.25": "192.0.2.25",
    }  # fmt: skip
    assert got["system_full"].tolist() == [1, 0]
    assert got["attempted"].tolist() == [2, 2]
    assert got["domains"].tolist() == [2, 1]
    assert got["rated"].tolist() == [2, 1]  # SES names no server of a delivery here


def test_lists_of_bounces_have_no_rates_and_change_none() -> None:
    sent = [{"recipient": f"zq{n}@example.org", "event": "delivered"} for n in range(3)]
    sent += [{"recipient": "zq3@example.org"}]
    entries = [{"recipient": f"zq{n}@example.org", "event": "suppressed"} for n in (3, 4, 5)]
    alone = summaries.summarize(classified(entries))
    assert alone.domains[["hard", "rated"]].to_numpy().tolist() == [[3, 0]]
    assert alone.domains["hard_rate"].isna().all()
    assert alone.reasons["bounced"].tolist() == [3]
    assert alone.days["hard"].tolist() == [3]
    assert alone.esps["events"].tolist() == [0]
    both = summaries.summarize(classified([*sent, *entries]))
    assert both.domains[["attempted", "hard", "rated"]].to_numpy().tolist() == [[6, 3, 4]]
    assert both.domains["hard_rate"].tolist() == [0.25]
    assert both.esps["events"].tolist() == [4]


def test_rates_are_of_esps_and_times_whose_deliveries_are_known() -> None:
    rows = [
        {"recipient": "zq1@dead.example", "event": "bounced"},  # its ESP tells of deliveries, elsewhere
        {
            "recipient": "zq2@example.com",
            "event": "bounced",
            "timestamp": "2026-03-06T10:00:00Z",
        },  # given up late
        {"recipient": "zq3@example.com", "event": "delivered"},
        {"recipient": "zq4@old.example", "event": "bounced", "timestamp": "2025-11-02T10:00:00Z"},
        {"recipient": "zq5@mixed.example", "event": "bounced", "timestamp": None},
        {"recipient": "zq6@mixed.example", "event": "bounced", "provider": "ses"},
        {"recipient": "zq7@silent.example", "event": "bounced", "provider": "ses"},
    ]
    got = summaries.summarize_domains(classified(rows)).set_index("domain")
    assert got["attempted"].to_dict() == {
        "dead.example": 1, "example.com": 2, "old.example": 1, "mixed.example": 2, "silent.example": 1,
    }  # fmt: skip
    assert got["rated"].to_dict() == {
        "dead.example": 1, "example.com": 2, "old.example": 0, "mixed.example": 1, "silent.example": 0,
    }  # fmt: skip
    assert (got["deliveries_known"] == (got["rated"] > 0)).all()
    known = got[got["deliveries_known"]]
    assert known["hard_rate"].to_dict() == {"dead.example": 1.0, "example.com": 0.5, "mixed.example": 1.0}
    rates = ["bounce_rate", "hard_rate", "hard_low", "hard_high", "hard_shrunk"]
    assert got.loc[["old.example", "silent.example"], rates].isna().all(axis=None)


def test_two_of_two_does_not_lead_an_order_by_the_shrunken_rate(story: pd.DataFrame) -> None:
    tiny = classified([{"recipient": f"zq{n}@tiny.example", "message_id": f"t{n}"} for n in range(2)])
    got = summaries.summarize_domains(pd.concat([story, tiny], ignore_index=True)).set_index("domain")
    assert got.loc["tiny.example", "hard_rate"] == got["hard_rate"].max() == 1
    by_shrunk = got["hard_shrunk"].sort_values(ascending=False).index.tolist()
    assert by_shrunk.index("typo.example") < by_shrunk.index("tiny.example")
    assert by_shrunk.index("old-company.example") < by_shrunk.index("tiny.example")
    overall = got["hard"].sum() / got["attempted"].sum()
    between = got["hard_shrunk"].between(
        got["hard_rate"].clip(upper=overall), got["hard_rate"].clip(lower=overall)
    )
    assert between.all()
    large = got["attempted"].idxmax()
    assert abs(got.loc[large, "hard_shrunk"] - got.loc[large, "hard_rate"]) < 0.001


def test_intervals_and_shrinkage_agree_with_scipy() -> None:
    dice = np.random.default_rng(531)
    total = pd.Series(dice.integers(1, 400, 300))
    hits = pd.Series(dice.binomial(total, dice.beta(2, 40, 300)))
    low, high = wilson(hits, total)
    for k, n, left, right in zip(hits, total, low, high, strict=True):
        interval = binomtest(int(k), int(n)).proportion_ci(method="wilson")
        assert (left, right) == pytest.approx((interval.low, interval.high), abs=1e-6)
    mean = hits.sum() / total.sum()
    likelihood = [
        betabinom.logpmf(hits, total, mean * m, (1 - mean) * m).sum() for m in np.geomspace(20, 5000, 40)
    ]
    best = np.geomspace(20, 5000, 40)[int(np.argmax(likelihood))]
    assert 20 < best < 200  # drawn from a beta distribution of strength 42
    assert shrunk(hits, total) == pytest.approx((hits + best * mean) / (total + best))
    assert np.isnan(shrunk(pd.Series([0]), pd.Series([0]))).all()


def series(counts: list[tuple[int, int]], name: str = "zq.example") -> pd.DataFrame:
    weeks = pd.date_range("2026-01-05", periods=len(counts), freq="7D", tz="UTC")
    tried, hits = zip(*counts, strict=True)
    return pd.DataFrame({"name": name, "period": weeks, "tried": tried, "hits": hits})


def cuts_by_hand(rows: pd.DataFrame) -> dict[int, float]:
    """Return, for each place to cut, the chi-square statistic of the two sides by scipy."""
    total = rows[["tried", "hits"]].sum()
    statistics = {}
    for cut in range(1, len(rows)):
        left = rows[["tried", "hits"]].iloc[:cut].sum()
        right = total - left
        table = [[side["hits"], side["tried"] - side["hits"]] for side in (left, right)]
        if total["hits"]:
            result = chi2_contingency(table, correction=False, lambda_="log-likelihood")
            statistics[cut] = float(result.statistic)
    return statistics


@pytest.mark.parametrize(
    ("counts", "kinds"),
    [
        pytest.param([(200, 4)] * 6 + [(200, 40)] * 4, {"rise": 6}, id="rises and stays"),
        pytest.param([(200, 40)] * 3 + [(200, 2)] * 7, {"fall": 3}, id="falls and stays"),
        pytest.param([(200, 4)] * 9 + [(200, 40)], {"spike": 9}, id="last week"),
        pytest.param([(200, 4)] * 5 + [(200, 60)] + [(200, 4)] * 4, {}, id="a bad week that is over"),
        pytest.param([(200, 4), (200, 6), (200, 3), (200, 5), (200, 4)], {}, id="chance"),
        pytest.param([(2, 0)] * 6 + [(2, 2)] * 2, {}, id="too few messages"),
        pytest.param([(200, 0)] * 3 + [(200, 3)] * 3, {}, id="too few hits, in points of percent"),
        pytest.param([(200, 200)] * 5, {}, id="always all"),
        pytest.param([(200, 9)], {}, id="one week"),
        pytest.param([(200, 4)] * 6 + [(200, 40)] * 3 + [(200, 150)], {"rise": 6, "spike": 9}, id="both"),
    ],
)
def test_changes_of_a_series(counts: list[tuple[int, int]], kinds: dict[str, int]) -> None:
    rows = series(counts)
    found = find_changes(rows)
    assert dict(zip(found["kind"], found["at"], strict=True)) == {
        kind: rows["period"][place] for kind, place in kinds.items()
    }
    for row in found.itertuples():
        place = int((rows["period"] < row.at).sum())
        before, after = rows.iloc[:place], rows.iloc[place:]
        assert (row.attempted_before, row.failed_before) == (before["tried"].sum(), before["hits"].sum())
        assert (row.attempted_after, row.failed_after) == (after["tried"].sum(), after["hits"].sum())
        assert row.rate_after == row.failed_after / row.attempted_after
        if row.kind != "spike":
            statistics = cuts_by_hand(rows)
            statistics = {cut: statistics[cut] for cut in range(2, len(rows) - 1)}  # two weeks on either side
            assert max(statistics, key=statistics.__getitem__) == place
            chance = chi2.sf(statistics[place], 1) * (len(rows) - 1)
            assert row.p_value == pytest.approx(chance)


def test_many_series_are_one_by_one() -> None:
    dice = np.random.default_rng(7)
    many = []
    for number in range(40):
        weeks = int(dice.integers(1, 12))
        tried = dice.integers(1, 300, weeks)
        rate = np.where(np.arange(weeks) < dice.integers(0, 12), 0.02, dice.choice([0.02, 0.2]))
        many.append(
            series(list(zip(tried, dice.binomial(tried, rate), strict=True)), f"d{number:02d}.example")
        )
    together = find_changes(pd.concat(many, ignore_index=True))
    lasting = together[together["kind"] != "spike"]
    assert len(lasting) > 3
    by_hand = pd.concat([find_changes(one) for one in many])
    by_hand = by_hand[by_hand["kind"] != "spike"]  # a spike is of the last week of all
    pd.testing.assert_frame_equal(
        lasting.sort_values("name", ignore_index=True), by_hand.sort_values("name", ignore_index=True)
    )


def test_a_block_that_begins_shows_at_domain_and_mailbox_provider() -> None:
    rows = []
    for week in range(8):
        for number in range(100):
            blocked = week >= 5 and number < 30
            rows.append(
                {
                    "recipient": f"zq{number}@hosted.example",
                    "timestamp": pd.Timestamp("2026-01-05T09:00Z") + pd.Timedelta(weeks=week),
                    "mailbox_provider": "google" if blocked else "other",
                    "event": "bounced" if blocked else "delivered",
                }
                | ({"reason": "blocked"} if blocked else {})
            )
    frame = classified(rows)
    for by, name in (("domain", "hosted.example"), ("mailbox_provider", "google")):
        (found,) = summaries.summarize_changes(frame, by).itertuples()
        assert (found.name, found.mailbox_provider, found.measure, found.kind) == (
            name,
            "google",
            "block",
            "rise",
        )
        assert found.at == pd.Timestamp("2026-02-09", tz="UTC")
        assert (found.attempted_after, found.failed_after) == (300, 90)
    domain = summaries.summarize_domains(frame).iloc[0]
    assert pd.isna(domain["changed_at"])  # of hard bounces
    assert not domain["spike"]
    with pytest.raises(FrameError, match="'domain' or 'mailbox_provider'"):
        summaries.summarize_changes(frame, "tag")


@pytest.mark.parametrize(
    ("shares", "trend"),
    [
        ([0.02, 0.04, 0.06, 0.08, 0.10], "rising"),
        ([0.10, 0.08, 0.06, 0.04, 0.02], "falling"),
        ([0.05, 0.05, 0.05, 0.05, 0.05], "steady"),
        ([0.0, 0.0, 0.0], "steady"),
        ([0.5], None),
    ],
)
def test_trend_of_a_domain(shares: list[float], trend: str | None) -> None:
    rows = [
        {
            "recipient": f"zq{number}@example.org",
            "timestamp": pd.Timestamp("2026-01-05T09:00Z") + pd.Timedelta(weeks=week),
            "event": "bounced" if number < share * 200 else "delivered",
        }
        for week, share in enumerate(shares)
        for number in range(200)
    ]
    (found,) = summaries.summarize_domains(
        classified([*rows, {"recipient": "zq@example.net", "event": "delivered"}])
    ).query("domain == 'example.org'")["trend"]
    assert found == trend if trend else pd.isna(found)


def test_tags_sending_addresses_and_registrable_domains_equal_a_slow_second_computation(
    story: pd.DataFrame,
) -> None:
    frame = story.copy()
    numbers = np.arange(len(frame))
    tags = [["spring", "news"], ["spring"], [], ["news", "news"]]
    frame["tags"] = schema.join_tags([tags[n % 4] for n in numbers]).to_pandas()
    frame["sending_ip"] = pd.Series(
        [("192.0.2.1", "192.0.2.2", None)[n % 3] for n in numbers], dtype=story["sending_ip"].dtype
    )
    seen: dict[str, dict[Any, list[dict[str, Any]]]] = {
        "tag": defaultdict(list),
        "sending_ip": defaultdict(list),
    }
    registered = defaultdict(list)
    together = defaultdict(list)
    frame["tags"] = schema.split_tags(frame["tags"])
    for row in frame[["message_id", "recipient", "tags", "sending_ip"]].to_dict("records"):
        together[row["message_id"], str(row["recipient"]).lower()].append(row)
    messages = outcomes(frame)
    frame["tags"] = schema.join_tags(frame["tags"]).to_pandas()
    for message in messages:
        # what the deciding event lacks, another of the same message may have
        own = together[message["message_id"], message["address"]]
        every_tag = message["tags"] if len(message["tags"]) else max((row["tags"] for row in own), key=len)
        for tag in set(every_tag) or {"(none)"}:
            seen["tag"][tag].append(message)
        ips = [row["sending_ip"] for row in (message, *own) if pd.notna(row["sending_ip"])]
        ip = message["sending_ip"] if pd.notna(message["sending_ip"]) else max(ips, default="(none)")
        seen["sending_ip"][ip].append(message)
        registered[".".join(message["domain"].split(".")[-2:])].append(message)
    for summary, key, expected in (
        (summaries.summarize_tags(frame), "tag", seen["tag"]),
        (summaries.summarize_sending_ips(frame), "sending_ip", seen["sending_ip"]),
        (summaries.summarize_registrable_domains(frame), "registrable_domain", registered),
    ):
        assert set(summary[key]) == set(expected)
        for _, row in summary.iterrows():
            messages = expected[row[key]]
            assert row[COUNTS].to_dict() == tally(messages), row[key]
            assert row["addresses"] == len({message["address"] for message in messages})
            assert row["domains"] == len({message["domain"] for message in messages})
            reasons = Counter(message["reason"] for message in messages if message["outcome"] == "bounced")
            assert reasons[row["top_reason"]] == max(reasons.values(), default=0)


def test_domain_days_equal_a_slow_second_computation(
    story: pd.DataFrame, messages: list[dict[str, Any]], each: dict[Any, pd.DataFrame]
) -> None:
    got = each[summaries.summarize_domain_days]
    expected = defaultdict(list)
    for message in messages:
        monday = message["timestamp"].normalize() - pd.Timedelta(days=message["timestamp"].weekday())
        expected[(message["domain"], monday)].append(message)
    assert set(zip(got["domain"], got["period"], strict=True)) == set(expected)
    for _, row in got.iterrows():
        assert row[COUNTS].to_dict() == tally(expected[(row["domain"], row["period"])])
    worst = got.groupby("domain")["bounced"].sum().sort_values(ascending=False, kind="stable")
    assert got["domain"].drop_duplicates().tolist()[:3] == worst.index.tolist()[:3]
    few = summaries.summarize_domain_days(story, top=2)
    pd.testing.assert_frame_equal(few, got[got["domain"].isin(few["domain"].unique())].reset_index(drop=True))
    assert few["domain"].nunique() == 2


@pytest.mark.parametrize(
    ("hard", "attempted", "low", "high"),
    [(0, 10, 0.0, 0.2775), (1, 10, 0.0179, 0.4042), (5, 10, 0.2366, 0.7634), (15, 100, 0.0931, 0.2328)],
)
def test_interval_is_that_of_published_tables(hard: int, attempted: int, low: float, high: float) -> None:
    rows = [
        {"recipient": f"zq{n}@example.org", "event": "bounced" if n < hard else "delivered"}
        for n in range(attempted)
    ]
    row = summaries.summarize_domains(classified(rows)).iloc[0]
    assert (row["hard_low"], row["hard_high"]) == pytest.approx((low, high), abs=5e-5)


def test_one_mailbox_provider_per_domain() -> None:
    rows = [
        {"recipient": f"zq{n}@example.org", "event": "delivered", "mailbox_provider": "other"}
        for n in range(9)
    ]
    rows += [{"recipient": "zq@example.org", "event": "bounced", "mailbox_provider": "google"}]
    summary = summaries.summarize_providers(classified(rows))
    assert summary[["mailbox_provider", "attempted", "hard"]].to_numpy().tolist() == [["google", 10, 1]]


def test_days_begin_at_midnight_of_the_zone() -> None:
    rows = [
        {"recipient": "zq1@example.org", "timestamp": "2026-03-01T22:30:00Z"},  # Sunday; in Berlin 23:30
        {"recipient": "zq2@example.org", "timestamp": "2026-03-01T23:30:00Z"},  # in Berlin it is Monday
        {"recipient": "zq3@example.org", "timestamp": None},
    ]
    frame = classified(rows)
    utc = summaries.summarize_days(frame)
    assert utc["period"].tolist()[:1] == [pd.Timestamp("2026-03-01", tz="UTC")]
    assert utc["bounced"].tolist() == [2, 1]
    assert utc["period"].isna().tolist() == [False, True]
    berlin = summaries.summarize_days(frame, "D", "Europe/Berlin")
    assert berlin["period"].tolist()[:2] == [
        pd.Timestamp("2026-03-01", tz="Europe/Berlin"),
        pd.Timestamp("2026-03-02", tz="Europe/Berlin"),
    ]
    weeks = summaries.summarize_days(frame, "W")
    assert weeks["period"].iloc[0] == pd.Timestamp("2026-02-23", tz="UTC")
    months = summaries.summarize_days(frame, "M", "Europe/Berlin")
    assert months["period"].tolist()[:1] == [pd.Timestamp("2026-03-01", tz="Europe/Berlin")]
    assert summaries.summarize_domain_days(frame, "M")["bounced"].tolist() == utc["bounced"].tolist()


def test_wrong_period_or_zone_is_one_sentence(story: pd.DataFrame) -> None:
    with pytest.raises(FrameError, match=r"'D'.*'W'.*'M'"):
        summaries.summarize_days(story, "Y")  # type: ignore[arg-type]
    with pytest.raises(FrameError, match="Mars"):
        summaries.summarize_days(story, "D", "Mars/Olympus")


def full(recipient: str, day: int, event: str = "bounced", **more: Any) -> dict[str, Any]:
    reason = None if event == "delivered" else "system_full"
    time = f"2026-03-{day:02d}T10:00:00Z"
    return {"recipient": recipient, "event": event, "reason": reason, "timestamp": time} | more


def test_system_full_tells_who_came_back() -> None:
    rows = [
        full("zq1@dead.example", 1, "delivered"),
        full("zq1@dead.example", 2),
        full("zq2@dead.example", 16),
        full("zq1@back.example", 2),
        full("zq2@back.example", 4, "delivered"),  # another mailbox took mail meanwhile
        full("zq1@back.example", 9),
        full("zq1@back.example", 16, "delivered"),
        full("zq2@back.example", 23, "delivered"),
        full("zq1@passing.example", 5, "deferred", message_id="m"),
        full("zq1@passing.example", 5, "deferred", message_id="m", record=999),
        full("zq1@passing.example", 6, "delivered", message_id="m"),
    ]
    got = summaries.summarize_system_full(classified(rows)).set_index("domain")
    assert got.index.tolist() == ["dead.example", "back.example", "passing.example"]
    assert got["recovered"].tolist() == [False, True, True]
    assert got["addresses"].tolist() == [2, 1, 1]
    assert got[["bounces", "permanent", "transient"]].to_numpy().tolist() == [[2, 2, 0], [2, 2, 0], [1, 0, 1]]
    assert got["accepted_between"].tolist() == [0, 1, 0]
    assert got["weeks_out"].tolist() == pytest.approx([2.0, 2.0, 1 / 7])
    assert got.loc["back.example", "accepted_again"] == pd.Timestamp("2026-03-16T10:00Z")
    assert got.loc["back.example", "last_accepted"] == pd.Timestamp("2026-03-23T10:00Z")
    assert pd.isna(got.loc["dead.example", "accepted_again"])
    assert got.loc["dead.example", "last_accepted"] == pd.Timestamp("2026-03-01T10:00Z")


EVENT = st.fixed_dictionaries(
    {
        "recipient": st.sampled_from(
            ["a@example.org", "B@example.org", "b@example.org", "c@example.com", None]
        ),
        "message_id": st.sampled_from(["m1", "m2", None]),
        "event_id": st.sampled_from(["e1", "e2", None]),
        "event": st.sampled_from(schema.EVENTS),
        "reason": st.sampled_from([*schema.REASONS]),
        "timestamp": st.sampled_from([None, "2026-03-02T10:00:00Z", "2026-03-09T10:00:00Z"]),
    }
)


@examples(40)
@given(st.lists(EVENT, max_size=12))
def test_any_frame_adds_up(rows: list[dict[str, Any]]) -> None:
    frame = classified(rows)
    every = summaries.summarize(frame)
    total = every.domains[COUNTS].sum()
    assert total.to_dict() == tally(outcomes(frame))
    assert total["attempted"] == total["delivered"] + total["bounced"]
    assert total["bounced"] == total[["hard", "soft", "block", "unknown"]].sum()
    for other in (every.providers, every.registrable_domains, every.sending_ips, every.days, every.esps):
        assert other[COUNTS].sum().to_dict() == total.to_dict()
    for other in (every.reasons, every.domain_reasons, every.codes, every.actions):
        assert other["bounced"].sum() == total["bounced"]
