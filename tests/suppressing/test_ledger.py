"""The memory of many runs: what an update changes, what stays, and that nothing gets lost."""

from __future__ import annotations

import sqlite3
import stat
from itertools import permutations
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.cleaning import clean
from bounceanalytics.deciding import Policy, decide
from bounceanalytics.errors import FormatError, FrameError, OutputError, SourceError
from bounceanalytics.suppressing import export_suppressions
from bounceanalytics.suppressing.hashing import hash_addresses
from bounceanalytics.suppressing.ledger import Ledger
from bounceanalytics.suppressing.ledger_update import OUTCOMES
from tests.classified import classified
from tests.effort import examples

ANN, BO, CY = "ann@example.com", "bo@example.net", "cy@full.example"
START = pd.Timestamp("2026-09-01T08:00:00Z")


def event(day: float | None, what: str = "bounced", reason: str | None = None, **more: Any) -> dict[str, Any]:
    when = None if day is None else START + pd.Timedelta(days=day)
    said = {"reason": reason} if reason else {}
    return {"recipient": ANN, "event": what, "timestamp": when} | said | more


def verdicts(*events: dict[str, Any], policy: Policy | None = None) -> pd.DataFrame:
    return decide(classified(list(events)), policy)


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    with Ledger(tmp_path / "suppressions.db") as one:
        yield one


def state(ledger: Ledger, address: str = ANN) -> str:
    found = ledger.match(address)
    return "" if found.empty else f"{found['verdict'].iloc[0]} {found['reason'].iloc[0]}"


def outcome(ledger: Ledger, *events: dict[str, Any], policy: Policy | None = None) -> str:
    rows = ledger.update(verdicts(*events, policy=policy)).rows
    (name,) = [name for name in OUTCOMES if rows[name]]
    assert rows["given"] == rows[name] == 1
    return name


def test_what_is_remembered(ledger: Ledger) -> None:
    given_ = verdicts(
        event(0, "bounced", "unknown_user"),
        event(3, "delivered", recipient=BO),
        event(0, "bounced", "system_full", recipient=CY),
    )
    update = ledger.update(given_, run="September")
    assert update.rows == {
        "given": 3,
        "added": 2,
        "changed": 0,
        "confirmed": 0,
        "lifted": 0,
        "older": 0,
        "passed": 1,
    }
    assert "2  new in the ledger" in repr(update)
    assert len(ledger) == 2
    assert "2 addresses suppressed, 0 held, 0 lifted" in repr(ledger)
    entries = ledger.entries()
    assert entries["address"].tolist() == [ANN, CY]
    first = entries.iloc[0]
    assert (first["domain"], first["verdict"], first["reason"], first["code"]) == (
        "example.com",
        "remove",
        "unknown_user",
        "5.1.1",
    )
    assert first["decided_at"] == first["first_seen"] == first["last_seen"] == START
    assert (first["source"], first["record"]) == ("export.json", 1)
    assert first["explanation"] == given_.set_index("address").loc[ANN, "explanation"]
    assert ledger.entries(domain="full.example")["address"].tolist() == [CY]
    assert ledger.entries(reason="unknown_user")["address"].tolist() == [ANN]


def test_the_same_again_changes_nothing(ledger: Ledger) -> None:
    mine = verdicts(event(0), event(0, "unsubscribed", recipient=BO), event(None, "suppressed", recipient=CY))
    ledger.update(mine)
    before = ledger.entries()
    assert ledger.update(mine).rows["confirmed"] == 3
    pd.testing.assert_frame_equal(ledger.entries(), before)
    assert len(ledger.history(ANN)) == 1


def test_a_later_sign_of_life_lifts_and_an_earlier_one_does_not(ledger: Ledger) -> None:
    assert outcome(ledger, event(7)) == "added"
    assert outcome(ledger, event(3, "delivered")) == "older"  # an older export that was loaded later
    assert state(ledger) == "remove unknown_user"
    assert outcome(ledger, event(9, "accepted")) == "older"  # it knows of no sign of life
    assert outcome(ledger, event(14, "opened")) == "lifted"
    assert state(ledger) == ""
    assert outcome(ledger, event(14, "opened")) == "passed"
    assert outcome(ledger, event(20, "bounced", "mailbox_disabled")) == "changed"
    assert state(ledger) == "remove mailbox_disabled"
    history = ledger.history("Ann@EXAMPLE.com")
    assert history["verdict"].tolist() == ["remove", "keep", "remove"]
    assert history["verdict_before"].fillna("").tolist() == ["", "remove", "keep"]
    assert ledger.entries()["first_seen"].iloc[0] == START + pd.Timedelta(days=3)


def test_another_policy_may_think_otherwise_of_the_same_bounce(ledger: Ledger) -> None:
    """The newer run has the word, which is the one that reaches further; of equals the severer counts."""
    full = event(7, "bounced", "system_full")
    assert outcome(ledger, full) == "added"
    assert outcome(ledger, full, policy=Policy(system_full="hold")) == "older"
    for day, policy, told in ((8, "hold", "changed"), (9, "retry", "lifted"), (10, "remove", "changed")):
        mine = verdicts(full, event(day, "delivered", recipient=BO), policy=Policy(system_full=policy))
        assert ledger.update(mine).rows[told] == 1
    assert state(ledger) == "remove system_full"
    # a run that knows less of the address has no say
    ledger.update(verdicts(event(1, "accepted"), full))
    assert ledger.update(verdicts(full, event(20), policy=Policy(system_full="retry"))).rows["lifted"] == 0


def test_a_wish_stays_until_somebody_lifts_it(ledger: Ledger) -> None:
    assert outcome(ledger, event(7, "unsubscribed")) == "added"
    assert outcome(ledger, event(9, "clicked")) == "confirmed"
    assert outcome(ledger, event(11, "bounced", "unknown_user")) == "confirmed"
    assert state(ledger) == "remove unsubscribed"
    assert outcome(ledger, event(3, "complained")) == "older"
    assert outcome(ledger, event(12, "complained")) == "changed"
    assert state(ledger) == "remove complained"
    assert ledger.lift([ANN, BO], "asked to come back") == 1
    assert state(ledger) == ""
    assert ledger.history(ANN)["why"].iloc[-1] == "asked to come back"
    assert ledger.lift(ANN, "twice") == 0


def test_a_wish_comes_before_a_bounce_however_old_it_is(ledger: Ledger) -> None:
    assert outcome(ledger, event(7)) == "added"
    assert outcome(ledger, event(3, "complained")) == "changed"
    assert state(ledger) == "remove complained"


def test_a_milder_bounce_lifts_nobody(ledger: Ledger) -> None:
    """The next export begins later, and knows nothing of what came before."""
    assert outcome(ledger, event(0, "bounced", "unknown_user")) == "added"
    assert outcome(ledger, event(7, "bounced", "mailbox_full")) == "older"
    assert state(ledger) == "remove unknown_user"
    full = [event(day, "bounced", "mailbox_full", recipient=BO) for day in range(3)]
    ledger.update(verdicts(*full))
    assert (
        ledger.update(verdicts(full[-1])).rows["older"] == 1
    )  # one bounce day is too few, and that is all it saw
    assert ledger.match(BO, at=START)["verdict"].tolist() == ["hold"]


def test_a_full_mailbox_does_not_soften_a_removal(ledger: Ledger) -> None:
    full = verdicts(*(event(day, "bounced", "mailbox_full") for day in (30, 31, 32)))
    assert full["verdict"].tolist() == ["hold"]
    ledger.update(full)
    assert ledger.update(verdicts(event(0))).rows["changed"] == 1  # nothing between them shows life
    assert state(ledger) == "remove unknown_user"
    assert ledger.update(verdicts(event(15, "opened"))).rows["changed"] == 1
    assert ledger.match(ANN, at=START)["reason"].tolist() == ["mailbox_full"]


def test_who_has_come_back_may_be_mailed(ledger: Ledger) -> None:
    """A run that knows of the very unsubscribe, and of what came after it."""
    left = verdicts(event(7, "unsubscribed"))
    back = left.assign(verdict="keep", reason=None, last_seen=START + pd.Timedelta(days=9))
    assert ledger.update(left).rows["added"] == 1
    assert ledger.update(back.assign(unsubscribed_at=START)).rows["lifted"] == 0
    assert ledger.update(back).rows["lifted"] == 1
    assert ledger.update(left).rows["older"] == 1
    complained = verdicts(event(7, "complained"))
    assert ledger.update(complained).rows["changed"] == 1
    assert ledger.update(back).rows["lifted"] == 0


def test_what_was_lifted_does_not_come_back_with_the_same_export(ledger: Ledger) -> None:
    for what in (event(0, "complained"), event(0, "bounced", "unknown_user", recipient=BO)):
        ledger.update(verdicts(what))
        assert ledger.lift(what["recipient"], "asked to come back") == 1
        assert ledger.update(verdicts(what)).rows["older"] == 1
        assert ledger.match(what["recipient"]).empty
        assert (
            ledger.update(verdicts(what | {"timestamp": START + pd.Timedelta(days=9)})).rows["changed"] == 1
        )


def test_a_ledger_is_not_exported_over_itself(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Ledger(path) as ledger:
        ledger.update(verdicts(event(0)))
        with pytest.raises(OutputError, match=r"s\.db is the ledger itself; write to another file"):
            ledger.export("ses", path, overwrite=True)
    with Ledger(path) as ledger:
        assert len(ledger.entries()) == 1


def test_a_ledger_with_a_salt_opens_with_it_only(tmp_path: Path) -> None:
    with Ledger(tmp_path / "s.db", salt="pepper") as ledger:
        ledger.update(verdicts(event(0)))
        ledger.forget(ANN)
    with pytest.raises(SourceError, match="another salt"):
        Ledger(tmp_path / "s.db")
    with Ledger(tmp_path / "s.db", salt="pepper") as ledger:
        assert ledger.update(verdicts(event(0))).rows["confirmed"] == 1
        assert b"ann@" not in (tmp_path / "s.db").read_bytes()


def test_an_undated_list_entry_stays(ledger: Ledger) -> None:
    assert outcome(ledger, event(None, "suppressed", "unknown_user")) == "added"
    assert outcome(ledger, event(9, "delivered")) == "confirmed"
    assert outcome(ledger, event(11)) == "confirmed"
    assert ledger.entries()["decided_at"].iloc[0] == START + pd.Timedelta(days=11)
    assert outcome(ledger, event(12, "delivered")) == "confirmed"  # that takes back the bounce alone
    assert ledger.lift(ANN, "asked the ESP") == 1
    assert outcome(ledger, event(None, "suppressed", "unknown_user")) == "older"


def test_holds_and_reviews_fall_due(ledger: Ledger) -> None:
    full = [event(day, "bounced", "mailbox_full") for day in range(3)]
    given_ = verdicts(*full, event(0, "bounced", "system_full", recipient=CY), event(0, recipient=BO))
    ledger.update(given_)
    assert ledger.due("2026-09-01").empty
    held = ledger.due("2026-10-31")
    assert held["address"].tolist() == [ANN]
    row = given_.set_index("address").loc[ANN]
    assert held["review_on"].iloc[0] == min(row["hold_until"], row["retry_on"])
    assert ledger.due("2026-12-31")["address"].tolist() == [ANN, CY]
    assert ledger.reviewed(CY, "2027-06-01") == 1
    assert ledger.due("2026-12-31")["address"].tolist() == [ANN]
    ledger.update(given_)  # nothing new: the date that somebody has set stays
    assert ledger.due("2026-12-31")["address"].tolist() == [ANN]
    assert ledger.reviewed([ANN, CY]) == 2
    assert ledger.due("2099-01-01").empty
    with pytest.raises(FrameError, match="'soon' is no date"):
        ledger.due("soon")


def test_a_hold_ends_on_its_day(ledger: Ledger, tmp_path: Path) -> None:
    ledger.update(verdicts(*(event(day, "bounced", "mailbox_full") for day in range(3))))
    end = ledger.entries(at=START)["hold_until"].iloc[0]
    for moment, there in ((end - pd.Timedelta(microseconds=1), 1), (end, 0)):
        assert len(ledger.match(ANN, at=moment)) == len(ledger.verdicts(at=moment)) == there
        assert ledger.entries(at=moment)["verdict"].tolist() == [("keep", "hold")[there]]
    assert len(ledger) == 0
    assert ledger.export("ses", tmp_path).files[tmp_path / "suppress-ses.csv"] == 0
    over = ledger.entries(at=end)["explanation"].iloc[0]
    assert over == f"Kept: the hold is over since {end:%Y-%m-%d}."


def test_entries_by_hand(ledger: Ledger) -> None:
    assert ledger.add([ANN, "BO@example.net", ANN], reason="rival", why="works for a rival") == 2
    assert state(ledger) == "remove rival"
    assert (
        ledger.update(verdicts(event(0, "delivered"), event(60, "clicked", recipient=BO))).rows["older"] == 2
    )
    assert ledger.add(ANN, reason="holidays", why="is away", until="2099-01-01") == 1
    assert state(ledger) == "hold holidays"
    assert ledger.match(ANN, at="2099-01-01").empty
    assert ledger.lift([ANN, BO], "back, and not any more") == 2
    assert len(ledger) == 0
    assert ledger.add(ANN, reason="unsubscribed", why="told us on the phone") == 1
    ledger.update(verdicts(event(40)))
    assert state(ledger) == "remove unsubscribed"
    assert ledger.history(ANN)["verdict"].tolist() == ["remove", "hold", "keep", "remove"]
    assert ledger.forget(ANN) == 1
    assert ledger.add(ANN, reason="unsubscribed", why="again") == 1
    assert ledger.entries()["address"].dropna().tolist() == [BO]
    for wrong, more in ((["ann"], {}), (ANN, {"reason": " "}), (ANN, {"until": "soon"})):
        with pytest.raises(FrameError):
            ledger.add(wrong, **({"reason": "x", "why": "y"} | more))


def test_news(ledger: Ledger) -> None:
    full = [event(day, "bounced", "mailbox_full", recipient=BO) for day in range(3)]
    ledger.update(verdicts(event(0), *full), run="one")
    ledger.update(
        verdicts(event(9, "delivered"), event(9, "complained", recipient=BO), event(9, recipient=CY)),
        run="two",
    )
    ledger.reviewed(CY)
    found = ledger.news("two").set_index("address")
    assert found["change"].to_dict() == {ANN: "lifted", BO: "changed", CY: "added"}
    assert found["verdict_before"].fillna("").to_dict() == {ANN: "remove", BO: "hold", CY: ""}
    assert found.loc[BO, ["verdict", "reason", "run", "domain"]].tolist() == [
        "remove",
        "complained",
        "two",
        "example.net",
    ]
    assert found.loc[CY, "why"] == "reviewed"
    # who was added and lifted since is none the wiser
    assert set(ledger.news("one")["address"]) == set(ledger.news(START)["address"]) == {BO, CY}
    assert ledger.news("2099-01-01").empty
    ledger.reviewed(BO)
    ledger.update(verdicts(event(0)), run="three")
    assert ledger.news("three").empty
    with pytest.raises(FrameError, match="neither the name of a run nor a date"):
        ledger.news("four")


def test_what_an_esp_imports(ledger: Ledger, tmp_path: Path) -> None:
    mine = verdicts(event(0), event(0, "complained", recipient=BO), event(0, recipient=CY))
    ledger.update(mine)
    written = ledger.export("ses", tmp_path / "a.csv")
    export_suppressions(mine, "ses", tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()
    assert written.excluded == {}
    with pytest.raises(OutputError, match="exists"):
        ledger.export("ses", tmp_path / "a.csv")
    ledger.lift(ANN, "wrong")
    ledger.forget(CY)
    assert ledger.export("plain", tmp_path / "c.txt").excluded == {"erased, known by their hash only": 1}
    assert (tmp_path / "c.txt").read_text() == f"{BO}\n"
    assert list(ledger.export("postmark", tmp_path, action="remove").files.values()) == [1]
    with Ledger(":memory:", hashed=True) as hashes, pytest.raises(FormatError, match="hashes only"):
        hashes.export("ses", tmp_path / "d.csv")


def test_domains_that_had_no_room(ledger: Ledger) -> None:
    ledger.update(
        verdicts(
            event(0, "bounced", "system_full", recipient=CY),
            event(9, "bounced", "system_full", recipient="di@full.example"),
            event(0),
        )
    )
    row = ledger.domains("2026-09-20").iloc[0]
    assert (row["domain"], row["suppressed"], row["recovered"]) == ("full.example", 2, False)
    assert (row["first_full"], row["last_full"]) == (START, START + pd.Timedelta(days=9))
    assert "look again in some weeks" in row["advice"]
    assert "no delivery for" in ledger.domains("2027-09-20")["advice"].iloc[0]
    # somebody else of that domain takes mail in a later run
    ledger.update(verdicts(event(16, "delivered", recipient="ed@full.example")))
    row = ledger.domains().iloc[0]
    assert (row["recovered"], row["last_delivered"], row["suppressed"]) == (
        True,
        START + pd.Timedelta(days=16),
        2,
    )
    assert row["advice"].startswith("takes mail again: try the 2 suppressed addresses")
    assert len(ledger.domains()) == 1


def test_a_ledger_cleans_a_list_and_fills_a_suppression_file(ledger: Ledger, tmp_path: Path) -> None:
    ledger.update(
        verdicts(event(0), event(3, "delivered", recipient=BO), event(0, "complained", recipient=CY))
    )
    raw = f"email\n{ANN}\n{BO}\n{CY}\nnew@example.com\n".encode()
    for found in (ledger.verdicts(), ledger.match(["ANN@example.com", BO, CY, "new@example.com"])):
        rows = clean(raw, found, tmp_path / "out", overwrite=True).rows
        assert (rows["kept"], rows["removed"]) == (2, 2)
    assert sum(export_suppressions(ledger.verdicts(), "ses", tmp_path / "s.csv").files.values()) == 2


@pytest.mark.parametrize("salt", [None, "pepper"])
def test_a_hashed_ledger_holds_no_address(tmp_path: Path, salt: str | None) -> None:
    path = tmp_path / "hashed.db"
    with Ledger(path, hashed=True, salt=salt) as ledger:
        ledger.update(verdicts(event(0), event(0, "bounced", "system_full", recipient=CY)))
        assert ledger.update(verdicts(event(0), event(9, "delivered", recipient=CY))).rows["lifted"] == 1
        assert ledger.entries()["address"].isna().all()
        assert set(ledger.entries()["hash"]) == set(hash_addresses([ANN, CY], salt or "").to_pylist())
        assert ledger.verdicts().empty
        assert ledger.match([" Ann@example.COM", BO])["address"].tolist() == [ANN]
        assert ledger.domains()["domain"].tolist() == ["full.example"]
    assert b"ann@" not in path.read_bytes()
    with Ledger(path, salt=salt) as again:
        assert again.hashed
        assert again.lift(ANN, "wrong") == 1
    with pytest.raises(SourceError, match="another salt"):
        Ledger(path, salt="salt")


def test_who_is_forgotten_stays_suppressed(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Ledger(path, salt="pepper") as ledger:
        many = [event(0, recipient=f"reader-{number}@example.com") for number in range(500)]
        ledger.update(verdicts(event(0), *many), run="one")
        assert ANN.encode() in path.read_bytes()
        assert ledger.forget(["ANN@example.com", "nobody@example.com"]) == 1
        assert ledger.forget(ANN) == 0
        assert b"ann@example" not in path.read_bytes()
        assert state(ledger) == "remove unknown_user"
        assert len(ledger) == 501
        assert ledger.history(ANN)["why"].isna().all()
        # the next run knows the address, and does not bring it back
        assert outcome(ledger, event(3)) == "confirmed"
        assert outcome(ledger, event(9, "delivered")) == "lifted"
        assert b"ann@example" not in path.read_bytes()
    assert [one.name for one in tmp_path.iterdir()] == ["s.db"]


def test_files_that_are_no_ledger(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("email\nann@example.com\n" * 100)
    with pytest.raises(SourceError, match=r"list\.csv is no ledger; it is no SQLite database at all"):
        Ledger(tmp_path / "list.csv")
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE t (x)")
    other.close()
    with pytest.raises(SourceError, match="a database of another program"):
        Ledger(tmp_path / "other.db")
    with pytest.raises(SourceError, match="cannot be opened"):
        Ledger(tmp_path / "nowhere" / "s.db")
    with Ledger(tmp_path / "plain.db"):
        pass
    with pytest.raises(SourceError, match="holds addresses"):
        Ledger(tmp_path / "plain.db", hashed=True)
    with pytest.raises(SourceError, match="another salt"):
        Ledger(tmp_path / "plain.db", salt="x")
    later = sqlite3.connect(tmp_path / "plain.db")
    later.execute("UPDATE about SET value = '9' WHERE name = 'version'")
    later.commit()
    later.close()
    with pytest.raises(SourceError, match="another version"):
        Ledger(tmp_path / "plain.db")


def test_a_file_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.db"
    with Ledger(path) as ledger:
        ledger.update(verdicts(event(0)))
    path.chmod(stat.S_IRUSR)
    real = sqlite3.connect
    monkeypatch.setattr(  # the super-user may write to anything, so the mode of the file is not enough here
        "bounceanalytics.sqlite_file.sqlite3.connect",
        lambda path, **more: real(f"file:{path}?mode=ro", uri=True, **more),
    )
    with Ledger(path) as ledger:
        assert len(ledger) == 1
        with pytest.raises(SourceError, match="read-only"):
            ledger.update(verdicts(event(3, "delivered")))


def test_wrong_frames(ledger: Ledger) -> None:
    mine = verdicts(event(0))
    with pytest.raises(FrameError, match="needs the columns verdict"):
        ledger.update(mine.drop(columns="verdict"))
    with pytest.raises(FrameError, match="'drop'"):
        ledger.update(mine.assign(verdict="drop"))
    with pytest.raises(FrameError, match="1 addresses have more than one verdict"):
        ledger.update(pd.concat([mine, mine]))
    with pytest.raises(FrameError, match="decided_at must hold times"):
        ledger.update(mine.assign(decided_at="soon"))
    assert len(ledger) == 0
    assert ledger.update(mine.head(0)).rows["given"] == 0


def test_an_update_that_fails_leaves_everything_as_it_was(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.update(verdicts(event(0)))
    before = ledger.entries()

    class Stops(KeyboardInterrupt):
        pass

    monkeypatch.setattr(
        "bounceanalytics.suppressing.ledger_writing.now", lambda: (_ for _ in ()).throw(Stops)
    )
    with pytest.raises(Stops):
        ledger.update(verdicts(event(9, "delivered"), event(0, recipient=BO)))
    monkeypatch.undo()
    pd.testing.assert_frame_equal(ledger.entries(), before)
    assert ledger.update(verdicts(event(9, "delivered"), event(0, recipient=BO))).rows["added"] == 1


def export(dice: Any, addresses: int) -> pd.DataFrame:
    """Return the verdicts on some days of many addresses; days, events and texts of exports overlap."""
    first, length = dice.randint(0, 6), dice.randint(0, 6)
    what = [
        "bounced",
        "bounced",
        "delivered",
        "opened",
        "complained",
        "unsubscribed",
        "dropped",
        "suppressed",
    ]
    reasons = ["unknown_user", "mailbox_full", "system_full", "blocked"]
    events = [
        event(
            None if dice.random() < 0.05 else first + dice.randint(0, length),
            dice.choice(what),
            dice.choice(reasons),
            recipient=f"a{dice.randrange(addresses)}@d{dice.randrange(3)}.example",
        )
        for _ in range(3 * addresses)
    ]
    policy = Policy(system_full=dice.choice(["remove", "hold", "retry"]))
    found = verdicts(*events, policy=policy)
    # who came back
    back = pd.Series([dice.random() < 0.3 for _ in range(len(found))]) & found["unsubscribed_at"].notna()
    return found.assign(
        verdict=found["verdict"].mask(back, "keep"), source=dice.choice(["one.json", "two.json"])
    )


@examples(25)
@given(st.randoms(use_true_random=False), st.sampled_from([1, 2, 5, 20, 133]), st.booleans())
def test_any_order_and_any_repetition_end_the_same(dice: Any, addresses: int, hashed: bool) -> None:
    exports = [export(dice, addresses) for _ in range(3)]
    everybody = sorted({one for mine in exports for one in mine["address"]})
    lifts = [
        (dice.sample(everybody, len(everybody) // 3), START + pd.Timedelta(days=dice.randint(0, 12)))
        for _ in range(2)
    ]
    expected, stored = None, None
    for order in permutations(range(3)):
        acts: list[Any] = [exports[number] for number in order]
        for more in (*lifts, *dice.choices(exports, k=dice.randint(0, 2)), *dice.choices(lifts, k=1)):
            acts.insert(dice.randint(0, len(acts)), more)
        with Ledger(":memory:", hashed=hashed) as ledger:
            for act in acts:
                if isinstance(act, tuple):
                    ledger.lift(act[0], "asked to", at=act[1])
                else:
                    rows = ledger.update(act).rows
                    assert sum(rows[name] for name in OUTCOMES) == rows["given"] == len(act)
            entries, domains = ledger.entries(at=START), ledger.domains(at=START)
            words = ledger._execute("SELECT count(*) FROM evidence").fetchall()
            # what is stored of the judgement is what the evidence says
            ledger._execute("CREATE TEMP TABLE touched AS SELECT key FROM known")
            ledger._run("ledger_judge")
            pd.testing.assert_frame_equal(ledger.entries(at=START), entries)
        if expected is None:
            expected, stored = (entries, domains), words
        pd.testing.assert_frame_equal(entries, expected[0])
        pd.testing.assert_frame_equal(domains, expected[1])
        assert words == stored


def test_the_file_does_not_grow_with_repetition(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    days = [event(day, recipient=f"a{number}@example.com") for number in range(300) for day in (0, 1)]
    size = 0
    with Ledger(path) as ledger:
        for day in range(2, 10):  # the same, and one more event that is not about them
            ledger.update(verdicts(*days, event(day, "delivered")), run=f"run {day}")
            size = path.stat().st_size if day == 3 else size
        assert ledger._execute("SELECT count(*) FROM evidence").fetchall() == [(300,)]
        assert path.stat().st_size <= size + 4 * 4096


RUNS = st.lists(
    st.lists(
        st.builds(
            event,
            st.integers(0, 60),
            st.sampled_from(["bounced", "delivered", "opened", "complained", "unsubscribed", "dropped"]),
            st.sampled_from(["unknown_user", "system_full", "unclassified"]),
            recipient=st.sampled_from([ANN, BO]),
        ),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=4,
)


@examples(20)
@given(RUNS, st.randoms(use_true_random=False), st.booleans())
def test_runs_in_any_order(runs: list[list[dict[str, Any]]], dice: Any, hashed: bool) -> None:
    """Nobody is lost and wishes are remembered, whatever the order in which exports are loaded."""
    frames = [verdicts(*run) for run in runs]
    shuffled = list(frames)
    dice.shuffle(shuffled)
    found = []
    for order in (frames, shuffled):
        with Ledger(":memory:", hashed=hashed) as ledger:
            for frame in order:
                rows = ledger.update(frame).rows
                assert sum(rows[name] for name in OUTCOMES) == rows["given"] == len(frame)
            found.append({address: ledger.match(address) for address in (ANN, BO)})
            acted = {
                address for frame in frames for address in frame.loc[frame["verdict"] != "keep", "address"]
            }
            assert len(ledger.entries()) == len(acted)
    for address in (ANN, BO):
        mine = pd.concat([frame[frame["address"] == address] for frame in frames])
        wished = (mine["verdict"] == "remove") & mine["reason"].isin(["complained", "unsubscribed"])
        if wished.any():
            assert {matches[address]["reason"].iloc[0] for matches in found} <= {"complained", "unsubscribed"}


def test_addresses_at_recovered_domains_come_up_for_review_once(ledger: Ledger) -> None:
    later, user, gone = "di@full.example", "ed@full.example", "fay@gone.example"
    ledger.update(
        verdicts(
            event(0, "bounced", "system_full", recipient=CY),
            event(9, "bounced", "system_full", recipient=later),
            event(0, "bounced", "unknown_user", recipient=user),
            event(0, "bounced", "bad_domain", recipient=gone),
            event(0, "complained", recipient="gil@full.example"),
        )
    )
    ledger.add("hal@full.example", reason="system_full", why="by hand")
    recovered = pd.DataFrame(
        {
            "domain": ["full.example", "gone.example"],
            "was": ["full", "full"],
            "recovered": [START + pd.Timedelta(days=5)] * 2,
        }
    )
    before = ledger.entries()
    assert ledger.review(recovered, at="2026-09-10T12:00Z") == 1
    assert ledger.due("2026-09-10")["address"].tolist() == [CY]
    assert ledger.entries()["verdict"].tolist() == before["verdict"].tolist()
    assert ledger.history(CY)["why"].iloc[-1] == "to review: full.example takes mail again since 2026-09-06"
    assert ledger.news(START).loc[lambda found: found["address"] == CY, "change"].tolist() == ["added"]
    assert ledger.review(recovered, at="2026-09-11") == 0
    assert ledger.reviewed(CY, next_review="2028-01-01") == 1
    assert ledger.review(recovered, at="2026-09-12") == 0
    assert ledger.due("2027-12-31").loc[lambda found: found["address"] == CY].empty
    assert ledger.review(recovered.assign(was="gone"), at="2026-09-12") == 1
    assert ledger.due("2026-09-12")["address"].tolist() == [gone]
    assert ledger.review(recovered.head(0)) == 0
    with pytest.raises(FrameError, match="recovered domains"):
        ledger.review(recovered.drop(columns="was"))


def test_hashed_ledgers_bring_up_for_review_too(tmp_path: Path) -> None:
    with Ledger(tmp_path / "hashed.db", hashed=True) as ledger:
        ledger.update(verdicts(event(0, "bounced", "system_full", recipient=CY)))
        back = {"domain": ["full.example"], "was": ["full"], "recovered": [START + pd.Timedelta(days=5)]}
        assert ledger.review(pd.DataFrame(back), at="2026-09-10") == 1
        assert len(ledger.due("2026-09-10")) == 1
