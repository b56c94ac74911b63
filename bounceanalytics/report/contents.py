"""Contents of a report: all that is computed before anything is drawn or written."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, fields, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, cast

import pandas as pd

from bounceanalytics.classifying.reviewing import REVIEWED, conflicts, is_unclassified, unclassified
from bounceanalytics.database import open_database
from bounceanalytics.datasets import as_dataset, pinned
from bounceanalytics.deciding.decide import decide
from bounceanalytics.errors import FrameError
from bounceanalytics.finding.recovery import recovery_totals
from bounceanalytics.finding.refusals import find_refusals
from bounceanalytics.finding.storms import storms
from bounceanalytics.history import History
from bounceanalytics.incidents.collecting import collect
from bounceanalytics.privacy import discreet, to_share, without_ips
from bounceanalytics.report.spans import halves, span, times_of
from bounceanalytics.schema import BOUNCE_COLUMNS, DOMAIN_COLUMNS, NO_NAME, STRING, TIME
from bounceanalytics.summaries import Summaries, summarize
from bounceanalytics.wording import STATES, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounceanalytics.datasets import Frame
    from bounceanalytics.deciding import Policy
    from bounceanalytics.report.spans import Period, Span

#: Answers of servers shown per reason where addresses may be shown.
MOST_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Contents:
    """Contents of a report: everything that is computed, before anything is drawn.

    Attributes
    ----------
    span : Span or None
        The time it is about; None where nothing has a time.
    summaries : Summaries
    storms, incidents, conflicts, unknown : pandas.DataFrame
    recovery : dict of str to int
        How often an address began to bounce, was seen to recover, and was no longer tried.
    rows : int
    events : dict of str to int
        Rows by event, most first.
    sources : list of (str, int)
        Rows by file.
    examples : dict or None
        What servers said by reason, with whom it was about; None for a report that names domains only.
    before, span_before : Summaries and Span, or None
        What it is held against.
    verdicts : pandas.DataFrame or None
        From :func:`bounceanalytics.decide`.
    policy : Policy or None
    checks : pandas.DataFrame or None
        What became of domains, those first that need a look.
    """

    span: Span | None
    summaries: Summaries
    storms: pd.DataFrame
    incidents: pd.DataFrame
    conflicts: pd.DataFrame
    unknown: pd.DataFrame
    recovery: dict[str, int]
    rows: int
    events: dict[str, int]
    sources: list[tuple[str, int]]
    examples: dict[str, list[tuple[str, str]]] | None = None
    before: Summaries | None = None
    span_before: Span | None = None
    verdicts: pd.DataFrame | None = None
    policy: Policy | None = None
    checks: pd.DataFrame | None = None

    @property
    def fingerprint(self) -> str:
        """A hash of the numbers: the same events, in any order and however often told, have the same."""
        tables = [self.summaries.esps, self.summaries.days, self.summaries.codes, self.summaries.actions]
        text = "\n".join(table.to_csv(index=False) for table in tables)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def compute(
    bounces: Frame,
    *,
    period: Period | None = None,
    compare: Frame | Period | None = None,
    policy: Policy | None = None,
    redact: bool = True,
    checks: pd.DataFrame | None = None,
) -> Contents:
    """Return what a report tells; the parameters are those of :func:`bounceanalytics.report`."""
    frame = _whole(bounces, "source", "diagnostic")
    if as_dataset(compare) is not None or BOUNCE_COLUMNS.bring(compare) is not None:
        other, compare = _whole(cast("Frame", compare)), None
        about, against = period and span(period, times_of(frame)), times_of(other)
    else:
        other = frame
        about, against = spans_of(period, cast("Period | None", compare), frame)
    before = None
    if against is not None or other is not frame:
        inside = against if other is frame else None
        with open_history(other, inside) as history:
            before = earlier(history, redact=redact)
    with open_history(frame, about or None) as history:
        return tell(
            history,
            span=about or None,
            policy=policy,
            redact=redact,
            checks=checks,
            before=before,
            span_before=against,
        )


@contextlib.contextmanager
def open_history(bounces: Frame, when: Span | None) -> Iterator[History]:
    """Yield the history of a frame in a period; of all of it, if None.

    Raises
    ------
    FrameError
        If nothing happened in that time.
    """
    with open_database() as database:
        history = History(database, bounces, None if when is None else when.edges)
        if when is not None and not len(history):
            raise nothing_in(when, times_of(bounces))
        yield history


def nothing_in(when: Span, every: Span | None) -> FrameError:
    """Return the error that says so."""
    return FrameError(f"nothing happened in the period {when}; the frame holds {every or 'no times'}")


def spans_of(
    period: Period | None, compare: Period | None, bounces: Frame | History
) -> tuple[Span | None, Span | None]:
    """Return the time that a report is about, and the one that it is compared with; None for all, and for none."""
    every = times_of(bounces)
    about = None if period is None else span(period, every)
    if compare is None:
        return about, None
    if not (isinstance(compare, str) and compare == "previous"):
        return about, span(compare, every)
    if about is None and every is not None:
        about = halves(every)
    if about is None:
        raise FrameError(
            "no event has a time, so there is no earlier time to compare with; leave out compare="
        )
    return about, about.before()


def earlier(history: History, *, redact: bool) -> Summaries:
    """Return the summaries that a report is held against."""
    return _named_by_domain(summarize(history), redact=redact)


def tell(
    history: History,
    *,
    span: Span | None = None,
    policy: Policy | None = None,
    redact: bool = True,
    checks: pd.DataFrame | None = None,
    before: Summaries | None = None,
    span_before: Span | None = None,
) -> Contents:
    """Return what a report tells of a history.

    Parameters
    ----------
    history : History
        Of the time that it is about.
    span : Span, optional
        That time; from the first event to the last, if not given.
    before, span_before : optional
        From :func:`earlier`, and the time of these.
    policy, redact, checks
        As for :func:`bounceanalytics.report`.
    """
    checked = None if checks is None else _checked(checks)
    summaries = _named_by_domain(summarize(history), redact=redact)
    found = storms(history)
    told = collect(found, summaries, find_refusals(history))
    reviewed = pd.concat(history.collect(_to_review))
    return Contents(
        span=span or times_of(history),
        summaries=summaries,
        storms=_to_show(found, redact=redact),
        incidents=_to_show(told, redact=redact),
        conflicts=_to_show(_bare(conflicts(reviewed), "worst_domain"), redact=redact),
        unknown=_to_show(_bare(unclassified(reviewed), "worst_domain"), redact=redact),
        recovery=recovery_totals(history),
        rows=len(history),
        events=_rows_by(history, "event"),
        sources=_sources(_rows_by(history, "source"), redact=redact),
        examples=None if redact else _examples(pd.concat(history.collect(_told))),
        before=before,
        span_before=span_before,
        verdicts=None if policy is None else decide(history, policy),
        policy=policy and replace(policy, name=discreet(policy.name)) if redact else policy,
        checks=None if checked is None else _to_show(checked, redact=redact),
    )


def _to_review(history: History) -> pd.DataFrame:
    """Return the rows of a history that :func:`conflicts` and :func:`unclassified` list."""
    frame = history.frame(REVIEWED)
    return frame[frame["conflict"].astype(bool) | is_unclassified(frame)]


def _rows_by(history: History, column: str) -> dict[str, int]:
    """Return how many rows have each word, most first."""
    history.gather([column])
    history.count_of(
        "row_counts", f"SELECT {column}::VARCHAR AS word, count(*) AS n FROM events GROUP BY ALL"
    )
    found = history.table(
        """SELECT word, sum(n)::BIGINT AS n FROM row_counts
           WHERE word IS NOT NULL GROUP BY word ORDER BY n DESC, word"""
    )
    return dict(zip(found["word"].to_pylist(), found["n"].to_pylist(), strict=True))


def _checked(checks: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of domains with the columns of one, those first that need a look."""
    needed = ["domain", "status", "advice"]
    found = DOMAIN_COLUMNS.require(checks, needed)
    wanted = {column.name: column for column in DOMAIN_COLUMNS if column.name not in found}
    whole = found.assign(
        **{name: pd.Series(pd.NA, found.index, column.dtype) for name, column in wanted.items()}
    )
    if "since" not in whole:
        whole["since"] = pd.Series(pd.NaT, whole.index, TIME)
    place = whole["status"].astype(STRING).map({name: number for number, name in enumerate(STATES)})
    return _bare(whole, "domain").assign(place=place).sort_values(["place", "domain"]).drop(columns="place")


def _whole(bounces: Frame, *columns: str) -> Frame:
    """Return a frame that has these columns; a dataset as it is now."""
    needed = ("event", "timestamp", *columns)
    dataset = as_dataset(bounces)
    return BOUNCE_COLUMNS.require(bounces, needed) if dataset is None else pinned(dataset)


def _bare(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the same with nothing but the domain in that column, whatever the frame held there."""
    if not frame[column].str.contains("@", regex=False).any():
        return frame
    return frame.assign(**{column: frame[column].str.rpartition("@")[2]})


def _named_by_domain(summaries: Summaries, *, redact: bool) -> Summaries:
    """Return the same with nothing but domains where domains are named, and no address in a tag."""
    clean = {}
    for field in fields(summaries):
        frame = getattr(summaries, field.name)
        for column in ("domain", "registrable_domain", "remote_host", "name"):
            if column in frame.columns:
                frame = _bare(frame, column)
        if redact and "sending_ip" in frame.columns:
            frame = frame.assign(sending_ip=_numbered(frame["sending_ip"]))
        clean[field.name] = _to_show(frame, redact=redact)
    return Summaries(**clean)


def _to_show(frame: pd.DataFrame, *, redact: bool) -> pd.DataFrame:
    """Return a frame as a report shows it: of addresses the domain, and of no machine the address."""
    return to_share(frame, without_ips) if redact else frame


def _numbered(addresses: pd.Series[str]) -> pd.Series[str]:
    """Return sending addresses as numbers, so that each can still be told from the others."""
    known = [name for name in addresses.unique() if name != NO_NAME]
    numbers = {name: f"IP {number}" for number, name in enumerate(known, start=1)}
    return addresses.map(lambda name: numbers.get(name, name), na_action="ignore").astype(addresses.dtype)


def _sources(sources: dict[str, int], *, redact: bool) -> list[tuple[str, int]]:
    """Return the names of the files and their rows, without folders, which tell who made the report."""
    counted: dict[str, int] = {}
    for source, n in sources.items():
        name = PurePath(source.replace("\\", "/")).name
        name = discreet(name) if redact else name
        counted[name] = counted.get(name, 0) + n
    return sorted(counted.items())


def _told(history: History) -> pd.DataFrame:
    """Return a few answers per reason."""
    frame = history.frame(["reason", "recipient", "diagnostic"])
    return _few(frame[frame["diagnostic"].notna() & frame["reason"].notna()])


def _few(told: pd.DataFrame) -> pd.DataFrame:
    different = told.drop_duplicates(["reason", "diagnostic"])
    return different.groupby("reason", observed=True).head(MOST_EXAMPLES)


def _examples(told: pd.DataFrame) -> dict[str, list[tuple[str, str]]]:
    """Return a few answers per reason, with the address that each was about."""
    examples: dict[str, list[tuple[str, str]]] = {}
    for row in rows(_few(told)):
        who = "" if pd.isna(row.recipient) else str(row.recipient)
        examples.setdefault(str(row.reason), []).append((who, str(row.diagnostic)[:500]))
    return examples
