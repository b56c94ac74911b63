"""Everything public that takes a frame, with how it is called: for tests of what holds for each of them."""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

import bounceanalytics as ba
from bounceanalytics import charts, schema
from tests.classified import classified

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Taker:
    """A public function, what frame it takes, and what it tells of one.

    Attributes
    ----------
    name : str
        As users write it after ``ba.``.
    takes : str
        Key of :func:`frames_of`.
    ask : callable
        Takes the frame and all frames; returns what can be compared, the frames among it as they came.
    same_rows : bool
        Whether it returns the same rows with the same index.
    """

    name: str
    takes: str
    ask: Callable[[Any, dict[str, Any]], Any]
    same_rows: bool = False

    def __str__(self) -> str:
        return f"{self.name}-{self.takes}"


def _file(ask: Callable[[Path], object], name: str) -> str | bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        ask(path)
        return path.read_bytes() if path.is_file() else b"".join(map(Path.read_bytes, sorted(path.iterdir())))


def _cleaned(given: Any, frames: dict[str, Any]) -> Any:
    mailing_list = ("email\n" + "".join(f"{name}\n" for name in frames["verdicts"]["address"])).encode()
    with tempfile.TemporaryDirectory() as folder:
        done = ba.clean(mailing_list, given, Path(folder, "cleaned"))
        return done.rows, done.reasons


def _entered(given: Any, _: dict[str, Any]) -> Any:
    with tempfile.TemporaryDirectory() as folder, ba.Ledger(Path(folder, "ours.ledger")) as ledger:
        ledger.update(given, run="first")
        return ledger.entries()


def _reported(given: Any, _: dict[str, Any]) -> Any:
    return _file(lambda path: ba.report(given, path), "report.html")


def _offline(check: Callable[..., Any]) -> Callable[[Any, dict[str, Any]], Any]:
    """Return a call that reaches no name server, so that own mail and the names of domains are all there is."""

    def ask(given: Any, _: dict[str, Any]) -> Any:
        more = {"bounces": given, "at": "2026-11-09"} if check is ba.check_domains else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ba.NoNetworkWarning)
            return check(given, resolvers="127.0.0.1:9", timeout=0.02, **more)

    return ask


def _summaries(given: Any, _: dict[str, Any]) -> Any:
    found = ba.summarize(given)
    return [getattr(found, field.name) for field in fields(found)]


SUMMARIZE = sorted(name for name in ba.__all__ if name.startswith("summarize_"))

#: Chart -> the frame that it draws.
DRAWN = {
    **{f"charts.{name.removeprefix('summarize_')}": name for name in SUMMARIZE},
    "charts.bounce_types": "summarize_days",
    "charts.domain_trends": "summarize_domain_days",
    "charts.policies": "compare_policies",
    "charts.recovery": "recovery_curves",
    "charts.recovery_curves": "recovery_curves",
    "charts.storms": "storms",
    "charts.unclassified": "unclassified",
    "charts.domain_states": "monitor_history",
    "charts.domain_recovery": "monitor_curves",
}
FOUND = (
    "storms",
    "recovery",
    "recovery_curves",
    "retry_days",
    "incidents",
    "compare_policies",
    "conflicts",
    "unclassified",
    "contacts",
    "domain_typos",
)


def _call(name: str) -> Callable[[Any, dict[str, Any]], Any]:
    return lambda given, _: getattr(ba, name)(given)


def _others(given: Any, _: dict[str, Any]) -> Any:
    people = pd.DataFrame({"customer": [1, 1], "email": ["ann@saltworks.example", "ann@example.com"]})
    return ba.other_addresses(people, given, key="customer")


def _draw(name: str) -> Callable[[Any, dict[str, Any]], Any]:
    return lambda given, _: getattr(charts, name)(given).to_json()


TAKERS = [
    Taker("classify", "events", _call("classify"), same_rows=True),
    Taker("classify", "bounces", _call("classify"), same_rows=True),
    *(Taker(name, "bounces", _call(name)) for name in (*SUMMARIZE, *FOUND, "decide")),
    Taker("summarize", "bounces", _summaries),
    Taker("in_storm", "bounces", lambda given, frames: ba.in_storm(given, frames["storms"]).tolist()),
    Taker("in_storm", "storms", lambda given, frames: ba.in_storm(frames["bounces"], given).tolist()),
    Taker("check_domains", "bounces", _offline(ba.check_domains)),
    Taker("check_hosts", "bounces", _offline(ba.check_hosts)),
    Taker(
        "label_domains",
        "summarize_domains",
        lambda given, _: ba.label_domains(given["domain"]),
        same_rows=True,
    ),
    Taker("other_addresses", "bounces", _others),
    Taker("report", "bounces", _reported),
    Taker("clean", "bounces", _cleaned),
    Taker("clean", "verdicts", _cleaned),
    Taker("explain", "row", lambda given, _: str(ba.explain(given))),
    Taker("Ledger.update", "verdicts", _entered),
    Taker(
        "export_suppressions",
        "verdicts",
        lambda given, _: _file(lambda path: ba.export_suppressions(given, "plain", path), "plain.csv"),
    ),
    Taker("table", "summarize_domains", lambda given, _: ba.table(given).set_uuid("one").to_html()),
    Taker(
        "read_table",
        "table",
        lambda given, _: ba.read_table(given, mapping={"recipient": "to", "diagnostic": "said"}),
    ),
    Taker(
        "load_table",
        "table",
        lambda given, _: ba.load_table(given, mapping={"recipient": "to", "diagnostic": "said"}).events,
    ),
    *(Taker(name, takes, _draw(name.removeprefix("charts."))) for name, takes in DRAWN.items()),
]

#: What is public and takes no frame.
NO_TAKERS = {
    *(
        "candidates",
        "codes",
        "convert",
        "diff",
        "lint_rules",
        "load",
        "read",
        "read_mailgun",
        "read_sendgrid",
    ),
    *("read_ses", "restore", "samples", "charts.save", "charts.template"),
    # columns or lists of addresses and texts
    *("classify_text", "hash_addresses", "match_hashes", "split_tags"),
    # draws in a browser what a report shows
    "save_charts",
}


def told_of(taker: Taker, frames: dict[str, Any]) -> Any:
    """Return what is told of a frame as it is; many of these answers are frames that others take."""
    made = {"decide": "verdicts"}.get(taker.name, taker.name)
    if taker.takes == "bounces" and made in frames:
        return frames[made]
    return taker.ask(frames[taker.takes], frames)


def some_of(bounces: pd.DataFrame) -> pd.DataFrame:
    """Return few events among which every ESP, event and reason of the samples is, and a storm, which these lack."""
    kinds = bounces.groupby(["provider", "event", "reason"], observed=True, dropna=False)
    events = list(schema.EVENT_COLUMNS.names)
    return pd.concat([kinds.head(5)[events], _storm()[events]], ignore_index=True)


def _storm() -> pd.DataFrame:
    rows = []
    for number in range(60):
        who = {"recipient": f"zq-storm-{number}@gmail.com", "mailbox_provider": "google"}
        for day in (2, 9, 16, 23):
            sent = f"2026-03-{day:02d}T09:{number:02d}:00Z"
            rows.append(who | {"event": "delivered", "timestamp": sent, "message_id": f"{day}-{number}"})
        said = f"550 5.1.1 <{who['recipient']}>: user unknown"
        rows[-2] |= {"event": "bounced", "reply_code": 550, "diagnostic": said}
    return classified(rows)


def frames_of(events: Any) -> dict[str, Any]:
    """Return one frame of every kind that is taken, by name."""
    bounces = ba.classify(events)
    frames = {
        "events": events,
        "bounces": bounces,
        "verdicts": ba.decide(bounces),
        "row": bounces[bounces["reason"].notna()].iloc[[0]],
        "table": bounces[["recipient", "diagnostic"]].set_axis(["to", "said"], axis="columns"),
    }
    with ba.Monitor(":memory:") as monitor:
        monitor.update(bounces)
        frames |= {"monitor_history": monitor.history(), "monitor_curves": monitor.recovery_curves()}
    return frames | {name: getattr(ba, name)(bounces) for name in (*SUMMARIZE, *FOUND)}
