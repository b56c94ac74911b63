"""Contents of a report: all that is computed before anything is drawn or written."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, fields
from pathlib import PurePath
from typing import TYPE_CHECKING, cast

import pandas as pd

from bounceanalytics.classifying.reviewing import conflicts, unclassified
from bounceanalytics.datasets import as_dataset
from bounceanalytics.deciding.decide import decide
from bounceanalytics.errors import FrameError
from bounceanalytics.finding.recovery import recovery_totals
from bounceanalytics.finding.refusals import find_refusals
from bounceanalytics.finding.storms import storms
from bounceanalytics.history import History
from bounceanalytics.incidents.collecting import collect
from bounceanalytics.report.spans import halves, span, times_of
from bounceanalytics.schema import BOUNCE_COLUMNS, DOMAIN_COLUMNS, TIME
from bounceanalytics.summaries import Summaries, summarize
from bounceanalytics.wording import STATES, rows

if TYPE_CHECKING:
    from bounceanalytics.datasets import Frame
    from bounceanalytics.deciding import Policy
    from bounceanalytics.report.spans import Period, Span

#: Answers of servers shown per reason where addresses may be shown.
MOST_EXAMPLES = 3

#: An address up to and including its @.
_LOCAL_PART = re.compile(r"[^\s/\\<>@]*@")


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
        told = [self.summaries.esps, self.summaries.days, self.summaries.codes, self.summaries.actions]
        text = "\n".join(table.to_csv(index=False) for table in told)
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
    frame = BOUNCE_COLUMNS.require(_whole(bounces), ("source", "diagnostic"))
    every = times_of(frame)
    checked = None if checks is None else _checked(checks)
    about = None if period is None else span(period, every)
    before, against = None, None
    if as_dataset(compare) is not None or BOUNCE_COLUMNS.bring(compare) is not None:
        before = _whole(cast("Frame", compare))
        against = times_of(before)
    elif compare is not None:
        if isinstance(compare, str) and compare == "previous":
            if about is None and every is not None:
                about = halves(every)
            if about is None:
                raise FrameError(
                    "no event has a time, so there is no earlier time to compare with; leave out compare="
                )
            against = about.before()
        else:
            against = span(cast("Period", compare), every)
        before = _part(frame, against, every)
    if about is not None:
        frame = _part(frame, about, every)
    with History.open(frame) as history:
        summaries = _named_by_domain(summarize(history), redact=redact)
        found = storms(history)
        told = collect(found, summaries, find_refusals(history))
        recovered = recovery_totals(history)
        verdicts = None if policy is None else decide(history, policy)
    counted = frame["event"].value_counts()
    return Contents(
        span=about or times_of(frame),
        summaries=summaries,
        storms=found,
        incidents=told,
        conflicts=_bare(conflicts(frame), "worst_domain"),
        unknown=_bare(unclassified(frame), "worst_domain"),
        recovery=recovered,
        rows=len(frame),
        events={str(name): int(n) for name, n in counted[counted > 0].items()},
        sources=_sources(frame["source"].value_counts().sort_index(), redact=redact),
        examples=None if redact else _examples(frame),
        before=None if before is None else _named_by_domain(summarize(before), redact=redact),
        span_before=against,
        verdicts=verdicts,
        policy=policy,
        checks=checked,
    )


def _checked(checks: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of domains with the columns of one, those first that need a look."""
    needed = ["domain", "status", "advice"]
    found = DOMAIN_COLUMNS.require(checks, needed)
    wanted = {column.name: column for column in DOMAIN_COLUMNS if column.name not in found}
    told = found.assign(
        **{name: pd.Series(pd.NA, found.index, column.dtype) for name, column in wanted.items()}
    )
    if "since" not in told:
        told["since"] = pd.Series(pd.NaT, told.index, TIME)
    place = told["status"].astype("str").map({name: number for number, name in enumerate(STATES)})
    return _bare(told, "domain").assign(place=place).sort_values(["place", "domain"]).drop(columns="place")


def _part(frame: pd.DataFrame, when: Span, every: Span | None) -> pd.DataFrame:
    part = when.of(frame)
    if part.empty:
        raise FrameError(f"nothing happened in the period {when}; the frame holds {every or 'no times'}")
    return part


def _whole(bounces: Frame) -> pd.DataFrame:
    dataset = as_dataset(bounces)
    frame = bounces if dataset is None else dataset.to_pandas()
    return BOUNCE_COLUMNS.require(frame, ("event", "timestamp"))


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
        if redact and "tag" in frame.columns:
            frame = frame.assign(tag=frame["tag"].str.replace(_LOCAL_PART, "…@", regex=True))
        clean[field.name] = frame
    return Summaries(**clean)


def _sources(sources: pd.Series[int], *, redact: bool) -> list[tuple[str, int]]:
    """Return the names of the files and their rows, without folders, which tell who made the report."""
    counted: dict[str, int] = {}
    for source, n in sources.items():
        name = PurePath(str(source).replace("\\", "/")).name
        name = _LOCAL_PART.sub("…@", name) if redact else name
        counted[name] = counted.get(name, 0) + int(n)
    return sorted(counted.items())


def _examples(bounces: pd.DataFrame) -> dict[str, list[tuple[str, str]]]:
    """Return a few answers per reason, with the address that each was about."""
    told = bounces.loc[
        bounces["diagnostic"].notna() & bounces["reason"].notna(), ["reason", "recipient", "diagnostic"]
    ]
    few = told.drop_duplicates(["reason", "diagnostic"]).groupby("reason", observed=True).head(MOST_EXAMPLES)
    examples: dict[str, list[tuple[str, str]]] = {}
    for row in rows(few):
        who = "" if pd.isna(row.recipient) else str(row.recipient)
        examples.setdefault(str(row.reason), []).append((who, str(row.diagnostic)[:500]))
    return examples
