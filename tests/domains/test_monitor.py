"""The monitor: what follows from mail and checks, whatever the order; when to ask again; what is back; and kills."""

from __future__ import annotations

import itertools
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bounceanalytics as ba
from bounceanalytics import schema
from bounceanalytics.domains.courses import Item, course_of
from tests.classified import classified
from tests.domains.apart import apart
from tests.domains.servers import Manner, NameServer, addresses
from tests.effort import examples
from tests.schema.test_returns import assert_has

START = pd.Timestamp("2026-01-05T09:00Z")
DAY = 24 * 3_600_000_000
ZONE = """
well.example. 300 IN MX 10 mx.well.example.
mx.well.example. 300 IN A 8.8.8.8
nomail.example. 300 IN MX 0 .
full.example. 300 IN MX 10 mx.well.example.
"""


def mail(*rows: tuple[str, str, float], host: str | None = None) -> pd.DataFrame:
    """Return classified events: domain, what became of the message (a reason, or an event), days after the start."""
    events = []
    for place, (domain, what, days) in enumerate(rows):
        word = {"reason": what} if what in schema.REASONS else {"event": what, "reason": None}
        moment = START + pd.Timedelta(days=days)
        one = {
            "recipient": f"ann{place}@{domain}",
            "message_id": f"m{domain}{what}{days}{place}",
            "remote_host": host,
        }
        events.append(one | word | {"timestamp": moment})
    return classified(events)


def on(day: float) -> pd.Timestamp:
    return START + pd.Timedelta(days=day)


@pytest.fixture
def monitor(tmp_path: Path) -> Iterator[ba.Monitor]:
    with ba.Monitor(tmp_path / "domains.db") as opened:
        yield opened


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer(ZONE) as one:
        yield one


def check(monitor: ba.Monitor, server: NameServer, **options: Any) -> pd.DataFrame:
    return monitor.check(resolvers=addresses(server), timeout=0.6, **options)


def states(monitor: ba.Monitor) -> dict[str, str]:
    found = monitor.states()
    return dict(zip(found["domain"], found["status"], strict=True))


def course(*items: tuple[float, Any]) -> list[tuple[str, int]]:
    """Return states with the days on which they begin; an item is a kind, or what a check finds and on which basis."""
    told = [
        Item(int(day * DAY), "check", *what) if isinstance(what, tuple) else Item(int(day * DAY), what)
        for day, what in items
    ]
    return [(span.status, span.begin // DAY) for span in course_of(told, 0).spans]


# what follows from what was seen


@pytest.mark.parametrize(
    ("items", "follows"),
    [
        ([], [("unknown", 0)]),
        ([(1, "full"), (4, "accepted")], [("full", 1), ("healthy", 4)]),
        ([(1, "full"), (4, ("healthy", "dns"))], [("full", 1)]),
        ([(1, "full"), (20, ("healthy", "greeting"))], [("full", 1)]),
        ([(1, "full"), (40, ("healthy", "greeting"))], [("full", 1), ("healthy", 40)]),
        ([(1, "full"), (4, ("full", "history")), (5, ("unknown", "dns"))], [("full", 1)]),
        ([(1, "full"), (4, ("gone", "dns"))], [("full", 1), ("gone", 4)]),
        ([(1, ("gone", "dns")), (2, ("unknown", "dns"))], [("gone", 1)]),
        ([(1, ("gone", "dns")), (2, ("healthy", "dns"))], [("gone", 1), ("healthy", 2)]),
        ([(1, ("gone", "dns")), (2, "failed"), (3, "accepted")], [("gone", 1), ("healthy", 3)]),
        ([(1, ("refusing", "greeting")), (2, ("healthy", "dns"))], [("refusing", 1)]),
        ([(1, ("refusing", "greeting")), (2, ("healthy", "greeting"))], [("refusing", 1), ("healthy", 2)]),
        ([(1, "accepted"), (5, ("gone", "dns"))], [("healthy", 1)]),
        ([(1, "accepted"), (40, ("gone", "dns"))], [("healthy", 1), ("gone", 40)]),
        (
            [(1, "accepted"), (4, "failed"), (5, ("gone", "dns"))],
            [("healthy", 1), ("unknown", 4), ("gone", 5)],
        ),
        ([(1, "failed"), (2, ("healthy", "dns"))], [("unknown", 1), ("healthy", 2)]),
        ([(1, "unreached"), (2, ("healthy", "dns"))], [("unknown", 1)]),
        ([(1, "unreached"), (2, ("healthy", "greeting"))], [("unknown", 1), ("healthy", 2)]),
        ([(1, ("healthy", "dns")), (2, "failed")], [("healthy", 1)]),
        ([(1, ("healthy", "dns")), (2, "unreached")], [("healthy", 1), ("unknown", 2)]),
    ],
)
def test_a_check_ends_only_what_it_could_have_seen(items: list[Any], follows: list[Any]) -> None:
    assert course(*items) == follows


def test_times_of_a_trouble_are_those_of_mail(monitor: ba.Monitor) -> None:
    monitor.update(
        mail(("full.example", "delivered", 0), ("full.example", "system_full", 7), host="MX1.full.example")
    )
    monitor.update(mail(("full.example", "system_full", 14), ("full.example", "system_full", 14.1)))
    (row,) = monitor.states().to_dict("records")
    assert (row["status"], row["basis"], row["since"]) == ("full", "history", on(7))
    assert (row["first_full"], row["last_full"], row["last_accepted"]) == (on(7), on(14.1), on(0))
    assert (row["hosts"], row["addresses"]) == (1, 2)
    assert "3 times" in row["explanation"]
    assert row["due_on"] == on(7).normalize()
    monitor.update(mail(("full.example", "delivered", 21)))
    (back,) = monitor.recovered().to_dict("records")
    assert (back["was"], back["began"], back["recovered"], back["days"]) == ("full", on(7), on(21), 14)
    assert monitor.recovered(on(22)).empty
    assert list(monitor.history("full.example")["status"]) == ["healthy", "full", "healthy"]
    assert pd.isna(monitor.states()["due_on"].iloc[0])
    hosts = monitor.hosts()
    assert hosts["remote_host"].fillna("").tolist() == ["", "mx1.full.example"]
    assert hosts["full_bounces"].tolist() == [2, 1]


def test_one_mailbox_with_room_ends_nothing_on_a_day_on_which_others_are_refused_later(
    monitor: ba.Monitor,
) -> None:
    monitor.update(
        mail(
            ("full.example", "system_full", 0),
            ("full.example", "delivered", 0.1),
            ("full.example", "system_full", 0.2),
        )
    )
    assert list(monitor.history()["status"]) == ["full"]


def test_what_is_watched(monitor: ba.Monitor) -> None:
    monitor.update(
        mail(
            ("full.example", "system_full", 0),
            ("full.example", "delivered", 0.1),
            ("gone.example", "bad_domain", 0),
            ("silent.example", "network", 0),
            ("shaky.example", "network", 0),
            ("shaky.example", "delivered", 0.1),
            ("user.example", "unknown_user", 0),
            ("one.example", "policy", 0),
            *[("shut.example", "policy", 0)] * 3,
        )
    )
    assert set(states(monitor)) == {"full.example", "gone.example", "silent.example", "shut.example"}
    assert monitor.watch(["well.example", "full.example"]) == 1
    assert monitor.unwatch("gone.example") == 1
    monitor.update(mail(("gone.example", "bad_domain", 1)))
    assert "gone.example" not in states(monitor)
    assert monitor.watch("GONE.example.") == 1
    assert monitor.changed("1970-01-01").set_index("domain").loc["well.example", "after"] == "unknown"
    assert "5 domains watched" in repr(monitor)


WHATS = ("system_full", "delivered", "bad_domain", "network", "unknown_user", "policy")


@examples(40)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a.example", "b.example"]), st.sampled_from(WHATS), st.integers(0, 300)),
        min_size=1,
        max_size=30,
    ),
    st.randoms(use_true_random=False),
)
def test_any_order_and_any_repetition_is_the_same(
    rows: list[tuple[str, str, int]], dice: random.Random
) -> None:
    events = mail(*((domain, what, quarter / 4) for domain, what, quarter in rows))
    cuts = sorted({0, len(events), *(dice.randrange(len(events) + 1) for _ in range(4))})
    parts = [events.iloc[begin:end] for begin, end in itertools.pairwise(cuts)]
    told: list[list[pd.DataFrame]] = []
    for order in (parts, dice.sample(parts, len(parts)) + dice.choices(parts, k=2)):
        with ba.Monitor(":memory:") as monitor:
            for part in order:
                monitor.update(part)
            told.append([monitor.states(), monitor.history(), monitor.hosts(), monitor.recovered()])
    for first, second in zip(*told, strict=True):
        pd.testing.assert_frame_equal(first, second)


def test_the_same_again_changes_nothing(tmp_path: Path, bounces: pd.DataFrame) -> None:
    with ba.Monitor(tmp_path / "domains.db") as monitor:
        assert len(monitor.update(bounces))
        before = dump(tmp_path / "domains.db")
        assert monitor.update(bounces).empty
        assert monitor.update(bounces.sample(frac=1, random_state=531)).empty
    after = dump(tmp_path / "domains.db")
    assert {line for line in after if "runs" not in line} == {line for line in before if "runs" not in line}


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


def test_no_address_is_in_the_file(tmp_path: Path, bounces: pd.DataFrame) -> None:
    with ba.Monitor(tmp_path / "domains.db") as monitor:
        monitor.update(bounces)
    assert "@" not in "".join(dump(tmp_path / "domains.db"))


# asking


def test_asking_grows_rare(monitor: ba.Monitor, server: NameServer) -> None:
    monitor.watch("nomail.example", at=START)
    asked = [
        day for day in range(200) if len(monitor.due(on(day))) and len(check(monitor, server, at=on(day)))
    ]
    daily, weekly, monthly = list(range(8)), list(range(14, 71, 7)), [100, 130, 160, 190]
    assert asked == [*daily, *weekly, *monthly]
    assert states(monitor) == {"nomail.example": "no_mail"}


def test_another_state_begins_anew(monitor: ba.Monitor, server: NameServer) -> None:
    monitor.watch("nomail.example", at=START)
    for day in (*range(8), *range(14, 71, 7), 100):
        assert len(check(monitor, server, at=on(day)))
    with NameServer(ZONE.replace("0 .", "5 mx.well.example.")) as other:
        asked = [
            day
            for day in range(120, 160)
            if len(monitor.due(on(day))) and len(check(monitor, other, at=on(day)))
        ]
    assert asked == [*range(130, 138), 144, 151, 158]
    (back,) = monitor.recovered().to_dict("records")
    assert (back["was"], back["basis"], back["days"]) == ("no_mail", "dns", 130)


def test_own_mail_outranks_asking(monitor: ba.Monitor, server: NameServer) -> None:
    monitor.update(
        mail(
            ("full.example", "system_full", 0),
            ("full.example", "delivered", 1),
            ("well.example", "system_full", 1),
        )
    )
    found = check(monitor, server, at=on(2))
    assert found[["domain", "status", "basis"]].to_numpy().tolist() == [["well.example", "full", "history"]]
    assert "full.example" not in server.asked.names
    every = check(monitor, server, at=on(2), due_only=False).set_index("domain")["basis"]
    assert every.to_dict() == {"full.example": "history", "well.example": "history"}
    check(monitor, server, at=on(60), due_only=False)
    assert states(monitor) == {"well.example": "full", "full.example": "healthy"}
    assert "full once since" in monitor.states()["explanation"].iloc[0]


def test_missing_twice_an_hour_apart_is_gone(monitor: ba.Monitor, server: NameServer) -> None:
    monitor.watch("none.example", at=START)
    for day, status in ((0, "unknown"), (0.02, "unknown"), (1, "gone")):
        found = check(monitor, server, at=on(day), due_only=False)
        assert found["status"].tolist() == [status]
    assert states(monitor) == {"none.example": "gone"}
    assert monitor.changed()[["before", "after"]].to_numpy().tolist() == [["unknown", "gone"]]


def test_changes_are_those_of_the_last_run_or_since_a_date(monitor: ba.Monitor, server: NameServer) -> None:
    monitor.update(mail(("full.example", "system_full", 0)), at=on(1))
    assert monitor.changed()[["before", "after"]].astype(object).isna().to_numpy().tolist() == [[True, False]]
    assert monitor.update(mail(("full.example", "delivered", 2)), at=on(3))["after"].tolist() == ["healthy"]
    assert monitor.changed(on(2))["before"].tolist() == ["full"]
    assert monitor.changed(on(0))["after"].tolist() == ["healthy"]
    monitor.update(mail(("full.example", "system_full", 4)), at=on(5))
    assert monitor.changed(on(2)).empty  # full, well, and full again
    assert check(monitor, server, at=on(6))["status"].tolist() == ["full"]
    assert monitor.changed().empty


def test_without_a_network_all_stays_due(monitor: ba.Monitor) -> None:
    monitor.watch(["well.example", "1.2.3.4"], at=START)
    with NameServer(ZONE) as server:
        resolver = server.address
    with pytest.warns(ba.NoNetworkWarning):
        found = monitor.check(resolvers=[resolver], timeout=0.2, at=on(0))
    assert set(found["status"]) == {"unknown"}
    assert monitor.due(on(0))["domain"].tolist() == ["well.example"]
    assert monitor.states().set_index("domain").loc["1.2.3.4", "explanation"].endswith("it is an IP address.")


def test_it_works_where_a_loop_is_running(monitor: ba.Monitor, server: NameServer) -> None:
    monitor.watch("well.example")

    async def cell() -> pd.DataFrame:
        return check(monitor, server)

    assert apart(cell())["status"].tolist() == ["healthy"]
    assert states(monitor) == {"well.example": "healthy"}


CHECK = """
import sys
import bounceanalytics as ba
with ba.Monitor(sys.argv[2]) as monitor:
    monitor.check(resolvers=[sys.argv[1]], at_once=4, timeout=5)
"""


def test_killed_half_way_it_goes_on_with_the_others(tmp_path: Path) -> None:
    names = [f"d{one}.example" for one in range(400)]
    zone = "".join(f"{name}. 300 IN MX 5 mx.shared.example.\n" for name in names)
    path = tmp_path / "domains.db"
    with ba.Monitor(path) as monitor:
        monitor.watch(names)

    def finished() -> set[str]:
        with closing(sqlite3.connect(path, timeout=30)) as database:
            return {name for (name,) in database.execute("SELECT domain FROM checks")}

    with NameServer(zone + "mx.shared.example. 300 IN A 8.8.8.8", {"*": Manner(seconds=0.03)}) as server:
        process = subprocess.Popen([sys.executable, "-c", CHECK, server.address, str(path)])
        deadline = time.monotonic() + 120
        while not finished() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
        process.wait()
        before = finished()
        assert 0 < len(before) < len(names)
        server.asked.names.clear()
        with ba.Monitor(path) as monitor:
            found = check(monitor, server)
            assert set(found["domain"]) == set(names) - before
            assert not before.intersection(server.asked.names)
            assert set(states(monitor).values()) == {"healthy"}
            assert monitor.due().empty


@pytest.mark.parametrize("ending", [KeyboardInterrupt, RuntimeError])
def test_an_interrupt_loses_nothing(monitor: ba.Monitor, ending: type[BaseException]) -> None:
    names = [f"d{one}.example" for one in range(60)]

    def interrupt(step: str, done: int, total: int) -> None:
        if done == 30:
            raise ending

    monitor.watch(names)
    with NameServer("", {"*": Manner(seconds=0.02)}) as server, pytest.raises(ending):
        check(monitor, server, at_once=5, progress=interrupt)
    assert 0 < len(monitor.due()) <= 30


# frames and files


@pytest.mark.parametrize(
    "rows", [[], [("full.example", "system_full", 0.0), ("full.example", "delivered", 9.0)]]
)
def test_frames_have_the_columns(monitor: ba.Monitor, rows: Sequence[tuple[str, str, float]]) -> None:
    assert_has(monitor.update(mail(*rows)), schema.MONITOR_CHANGE_COLUMNS)
    for frame, table in (
        (monitor.states(), schema.MONITOR_COLUMNS),
        (monitor.due(), schema.MONITOR_COLUMNS),
        (monitor.changed(), schema.MONITOR_CHANGE_COLUMNS),
        (monitor.recovered(), schema.MONITOR_RECOVERY_COLUMNS),
        (monitor.history(), schema.MONITOR_HISTORY_COLUMNS),
        (monitor.hosts(), schema.MONITOR_HOST_COLUMNS),
        (monitor.recovery_curves(), schema.MONITOR_CURVE_COLUMNS),
        (monitor.check(), schema.DOMAIN_COLUMNS),
    ):
        assert_has(frame, table)


def test_curves_count_troubles_that_last_up_to_when_they_were_seen(monitor: ba.Monitor) -> None:
    monitor.update(
        mail(
            ("a.example", "system_full", 0),
            ("a.example", "delivered", 7),
            ("b.example", "system_full", 0),
            ("b.example", "system_full", 3),
        )
    )
    curve = monitor.recovery_curves()
    every = curve[curve["status"] == "all"]
    assert every["day"].tolist() == [0, 3, 7]
    assert every["at_risk"].tolist() == [2, 2, 1]
    assert every["share"].tolist() == [0, 0, 1]
    assert set(curve["status"]) == {"all", "full"}


def test_a_monitor_is_no_ledger(tmp_path: Path) -> None:
    with ba.Ledger(tmp_path / "ledger.db"):
        pass
    with pytest.raises(ba.SourceError, match="another program"):
        ba.Monitor(tmp_path / "ledger.db")
    (tmp_path / "list.csv").write_text("email\n" * 1000)
    with pytest.raises(ba.SourceError, match="no monitor of domains"):
        ba.Monitor(tmp_path / "list.csv")


@pytest.mark.parametrize("name", ["due", "changed", "recovered"])
def test_dates_that_are_none_are_named(monitor: ba.Monitor, name: str) -> None:
    with pytest.raises(ba.FrameError, match="someday"):
        getattr(monitor, name)("someday")
