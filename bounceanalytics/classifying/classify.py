"""Classification of bounces: the same rows with the verdict columns and the rule that decided.

The work is done per distinct text and in whole columns; no step looks at rows one by one.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from bounceanalytics.classifying.candidates import Candidate, candidates
from bounceanalytics.classifying.distinct import distinct_rows
from bounceanalytics.classifying.evidence import gather, mailbox_numbers
from bounceanalytics.classifying.rulebook import rulebook
from bounceanalytics.classifying.verdicts import VOTERS, mailbox_values, votes, weigh
from bounceanalytics.datasets import Dataset, Part, as_dataset, identity_of, pinned, write_dataset
from bounceanalytics.errors import FrameError, OutputError
from bounceanalytics.files import is_same, place, publish
from bounceanalytics.knowledge.rules import WORD_COLUMNS, read_rules, rules
from bounceanalytics.schema import (
    ACTIONS,
    ARROW_STRING,
    BOUNCE_COLUMNS,
    BOUNCE_TYPES,
    CATEGORIES,
    CODE_CLASSES,
    EVENT_COLUMNS,
    EVENTS,
    EVIDENCE,
    FAILURE_EVENTS,
    FAULTS,
    PROVIDERS,
    REASONS,
    VERDICT_COLUMNS,
    VERDICT_INPUTS,
)
from bounceanalytics.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from bounceanalytics.classifying.rulebook import Rulebook
    from bounceanalytics.datasets import Frame

    Rules: TypeAlias = str | Path | Iterable[str | Path] | None

    Numbers = np.ndarray[Any, Any]

__all__ = ["Candidate", "candidates", "classify", "classify_text", "votes_on"]

_NEEDED = VERDICT_INPUTS.names
#: What a verdict depends on, beside who runs the mailbox.
_WEIGHED = tuple(name for name in _NEEDED if name not in {"domain", "remote_host"})
_MOST_CODE = np.iinfo(np.int16).max
_PART = 1_000_000  # ids that one thread writes at a time
_NO_FAILURE = BOUNCE_TYPES.index("none")


@overload
def classify(
    events: Frame,
    *,
    rules: Rules = None,
    second_reader: bool = True,
    out: None = None,
    overwrite: bool = False,
) -> pd.DataFrame: ...


@overload
def classify(
    events: Frame,
    *,
    rules: Rules = None,
    second_reader: bool = True,
    out: str | os.PathLike[str],
    overwrite: bool = False,
) -> Dataset: ...


def classify(
    events: Frame,
    *,
    rules: Rules = None,
    second_reader: bool = True,
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> pd.DataFrame | Dataset:
    """Classify each bounce: type, reason, fault and recommended action.

    Parameters
    ----------
    events : pandas.DataFrame, frame of polars, Arrow or DuckDB, Dataset or path of one
        An event frame, as the loaders return it, or on disk; it is not changed. Of its columns those of
        ``schema.VERDICT_INPUTS`` are needed, of which a verdict depends, and no others.
    rules : path or list of paths, optional
        TOML files with rules of your own; the first of them that fits a text wins over the package's rules.
    second_reader : bool, default True
        Have a statistical model read each text beside the rules; what both make of it is weighed together. Without it
        the rules alone decide, in their order.
    out : path, optional
        Folder for the classified rows of a dataset, which then never are in memory as a whole. Run it again when the
        dataset has grown: what was classified by the same rules is not classified again.
    overwrite : bool, default False
        Begin anew where ``out`` is a dataset already, which stays as it is until the new one is whole.

    Returns
    -------
    pandas.DataFrame, or Dataset if ``out`` is given
        The same rows with the same index, and the verdict columns; those that were there before are made anew.

        ==================== ======================================================================================
        ``code_class``       category (success, transient, permanent): from the enhanced code, else the reply code
        ``bounce_type``      category (hard, soft, block, suppressed, none, unknown): kind of failure; 'none' is no
                             failure
        ``category``         category: group of reasons
        ``reason``           category: why the mail did not arrive; missing where it is no failure
        ``fault``            category (recipient, receiver, sender, content, esp, unknown): who must act
        ``action``           category (remove, retry, fix, review): what to do with the address
        ``rule``             string: id of the rule that decided
        ``conflict``         bool: code, text and the ESP's word disagree on keeping the address
        ``evidence``         category (text, enhanced code, reply code, ESP word, code class, second reader): kind
                             of evidence that decided; missing where nothing spoke
        ``mailbox_provider`` category: who runs the mailbox: google, microsoft … else other
        ``confidence``       float64: how probable the reason is, 0 to 1; missing where it is no failure
        ==================== ======================================================================================

        An event that is no failure has the type ``none``, no conflict, and nothing in the other columns but
        ``mailbox_provider``.

    Raises
    ------
    FrameError
        If a column is missing.
    FormatError, SourceError
        If a file of rules is not right or cannot be read.
    OutputError
        If ``out`` is there already, and no dataset of the same events by the same rules.

    References
    ----------
    RFC 3463 and RFC 5321, section 4.2, for the codes; ``knowledge/README.md`` for the tables and their precedence.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> bool((bounces["bounce_type"] == "hard").any())
    True
    """
    book = _book(rules)
    dataset = as_dataset(events)
    if out is not None:
        if dataset is None and isinstance(events, (str, os.PathLike)):
            dataset = Dataset(place(events))  # which says what it is instead
        if dataset is None:
            raise FrameError("out is for the rows of a dataset; a frame is classified in memory, without it")
        if is_same(place(out).expanduser(), dataset.path.expanduser()):
            raise OutputError(f"{out} is the dataset itself; name another folder")
        now = pinned(dataset)
        parts = (
            Part(Path(part.parent.name, part.name), part, _classified(now, part, book, second_reader))
            for part in now.parts
        )
        made = {
            "events": identity_of(now) and f"{identity_of(now)}/{now.only}",
            "rules": _mark(book, second_reader),
        }
        return write_dataset(out, "bounces", parts, made=made, overwrite=overwrite)
    frame = EVENT_COLUMNS.require(events, _NEEDED) if dataset is None else dataset.to_pandas()
    return _classify(frame, book, second_reader)


def _classified(dataset: Dataset, part: Path, book: Rulebook, second_reader: bool) -> Iterator[pa.Table]:
    for table in dataset.tables(part=part):
        frame = _classify(EVENT_COLUMNS.frame(table), book, second_reader)
        classified = pa.Table.from_pandas(frame, preserve_index=False)
        yield classified.select(BOUNCE_COLUMNS.names).cast(BOUNCE_COLUMNS.arrow)


def classify_part(
    part: str, *, dataset: str, out: str, rules: Rules = None, second_reader: bool = True
) -> None:
    """Classify one part of a dataset, and write it to its place in another one, which is not made into one by that."""
    given = Dataset(place(dataset))
    path = place(part)
    book = _book(rules)
    with temporary_folder() as folder:
        written = Path(folder, "part.parquet")
        with pa.parquet.ParquetWriter(
            written, BOUNCE_COLUMNS.arrow, compression="zstd", write_page_checksum=True
        ) as writer:
            for table in _classified(given, path, book, second_reader):
                writer.write_table(table)
        publish(written, place(out) / path.parent.name / path.name)


def _classify(events: pd.DataFrame, book: Rulebook, second_reader: bool) -> pd.DataFrame:
    """Return the events with their verdicts; row by row, since an index may say the same of several rows."""
    verdicts = _verdicts(_columns(events), book, events.index, second_reader)
    others = events.drop(columns=[name for name in verdicts if name in events.columns])
    return others.assign(**{name: verdicts[name].array for name in VERDICT_COLUMNS.names})


def _mark(book: Rulebook, second_reader: bool) -> str:
    """Return what tells those who judge from any others: tables, model and code of the package, and own rules."""
    # when they were read, and what they are for, judges nobody
    own = book.rules[: len(book.rules) - len(rules())]
    judging = [replace(rule, added=date.min, example="", source="") for rule in own]
    told = repr((_package_mark(), second_reader, judging))
    return hashlib.sha256(told.encode()).hexdigest()[:32]


@cache
def _package_mark() -> str:
    digest = hashlib.sha256()
    for package in ("bounceanalytics.knowledge", "bounceanalytics.classifying"):
        with resources.as_file(resources.files(package)) as folder:
            for file in sorted(path for path in folder.rglob("*") if path.suffix in {".toml", ".npz", ".py"}):
                digest.update(file.read_bytes())
    return digest.hexdigest()


def _book(rules: Rules) -> Rulebook:
    return rulebook(read_rules(rules) if rules is not None else ())


def _columns(events: pd.DataFrame) -> dict[str, Any]:
    columns: dict[str, Any] = {name: _strings(events[name]) for name in _NEEDED if name not in _CODED}
    return columns | {name: _numbers(events[name], values) for name, values in _CODED.items()}


def votes_on(failures: pd.DataFrame, *, rules: Rules = None) -> pd.DataFrame:
    """Return what text, code and ESP each say about the address of failed events.

    Parameters
    ----------
    failures : pandas.DataFrame
        Rows of an event frame whose event is a failure.
    rules : path or list of paths, optional
        As of :func:`classify`.

    Returns
    -------
    pandas.DataFrame
        The columns ``text``, ``code`` and ``esp`` (-1 remove, 1 keep, 0 nothing), same index.
    """
    book = _book(rules)
    columns = _columns(failures)
    mailbox = mailbox_numbers(columns["domain"], columns["remote_host"])
    voted = votes(gather(columns | {"mailbox": mailbox}, book, second_reader=False), book)
    return pd.DataFrame(dict(zip(VOTERS, voted, strict=True)), index=failures.index)


def classify_text(
    texts: Sequence[str | None] | pd.Series[Any],
    reply_code: Any = None,
    enhanced_code: Any = None,
    domain: Any = None,
    *,
    rules: Rules = None,
    second_reader: bool = True,
) -> pd.DataFrame:
    """Classify bounce texts that stand by themselves.

    Parameters
    ----------
    texts : sequence of str, or pandas.Series
        Diagnostics; None and NaN are allowed.
    reply_code, enhanced_code, domain : scalar or list-like of the same length, optional
        What is known beside the text: 550 or "550", "5.1.1", "example.com". Codes that are not given are
        read in the text.
    rules : path or list of paths, optional
        TOML files with rules of your own, as for :func:`classify`.
    second_reader : bool, default True
        As for :func:`classify`.

    Returns
    -------
    pandas.DataFrame
        One row per text in the same order; the index of ``texts`` if it is a Series.

        ``code_class``, ``bounce_type``, ``category``, ``reason``, ``fault``, ``action`` (category), ``rule``
        (string), ``conflict`` (bool), ``evidence``, ``mailbox_provider`` (category), ``confidence`` (float64).

    Raises
    ------
    FrameError
        If the lengths differ.
    FormatError, SourceError
        If a file of rules is not right or cannot be read.

    Examples
    --------
    >>> classify_text(["550 5.3.1 Mail system full"])["reason"].tolist()
    ['system_full']
    """
    if isinstance(texts, str):
        raise FrameError("texts must be a list or a Series of texts, found a single text: put it in a list")
    column = texts if isinstance(texts, pd.Series) else pd.Series(list(texts), dtype=object)
    columns = text_columns(column, reply_code, enhanced_code, domain)
    return _verdicts(columns, _book(rules), column.index, second_reader)


def text_columns(texts: pd.Series[Any], reply_code: Any, enhanced_code: Any, domain: Any) -> dict[str, Any]:
    """Return texts, and what is known beside them, as columns to be read; see :func:`classify_text`."""
    count = len(texts)
    nothing = pa.nulls(count, ARROW_STRING)
    return {
        "event": np.full(count, EVENTS.index("bounced"), dtype=np.int8),
        "provider": np.full(count, PROVIDERS.index("generic"), dtype=np.int8),
        "diagnostic": _strings(texts),
        "reply_code": _replies(_spread("reply_code", reply_code, count)),
        "enhanced_code": _strings(_spread("enhanced_code", enhanced_code, count)),
        "domain": _strings(_spread("domain", domain, count)),
        "remote_host": nothing,
        **dict.fromkeys(WORD_COLUMNS, nothing),
    }


def _verdicts(
    columns: Mapping[str, Any], book: Rulebook, index: pd.Index[Any], second_reader: bool
) -> pd.DataFrame:
    """Return the verdict columns of rows given as arrays."""
    mailbox = mailbox_numbers(columns["domain"], columns["remote_host"])
    failed = np.isin(columns["event"], [EVENTS.index(name) for name in FAILURE_EVENTS])
    weighed = {**{name: columns[name] for name in _WEIGHED}, "mailbox": mailbox}
    kinds, kind = distinct_rows(weighed if failed.all() else _filtered(weighed, failed))
    evidence = gather(kinds, book, second_reader=second_reader)
    found = weigh(evidence, book)

    def spread(values: Numbers, nothing: Any) -> Numbers:
        """Return the values of the kinds for all rows; those that are no failure have ``nothing``, one or one a row."""
        if len(kind) == len(index):
            return values[kind]
        whole = np.array(np.broadcast_to(nothing, len(index)), dtype=values.dtype)
        whole[failed] = values[kind]
        return whole

    def choice(values: Numbers, names: Iterable[str], nothing: int = -1) -> Any:
        return _category(spread(values.astype(np.int8), nothing), names)

    numbers, providers = mailbox_values(spread(evidence.mailbox, mailbox))
    made = {
        "code_class": choice(found.code_class, CODE_CLASSES),
        "bounce_type": choice(found.bounce_type, BOUNCE_TYPES, _NO_FAILURE),
        "category": choice(found.category, CATEGORIES),
        "reason": choice(found.reason, REASONS),
        "fault": choice(found.fault, FAULTS),
        "action": choice(found.action, ACTIONS),
        "rule": _ids(spread(found.rule.astype(np.int32), -1), found.ids),
        "conflict": spread(found.conflict, 0).astype(bool),
        "evidence": choice(found.evidence, EVIDENCE),
        "mailbox_provider": _category(numbers, providers),
        "confidence": spread(found.confidence.astype(np.float64), np.nan),
    }
    return pd.DataFrame({column.name: made[column.name] for column in VERDICT_COLUMNS}, index=index)


def _filtered(columns: Mapping[str, Any], mask: Numbers) -> dict[str, Any]:
    kept = pa.array(mask)
    return {
        name: values[mask] if isinstance(values, np.ndarray) else values.filter(kept)
        for name, values in columns.items()
    }


def _category(numbers: Numbers, names: Iterable[str]) -> Any:
    return pd.Categorical.from_codes(
        numbers.astype(np.int8, copy=False), dtype=pd.CategoricalDtype(list(names))
    )


def _ids(numbers: Numbers, ids: pa.Array) -> Any:
    """Return ids by number as a string column; -1 is missing."""

    def some(start: int) -> pa.Array:
        part = numbers[start : start + _PART]
        return ids.take(pa.array(part, mask=part < 0))

    with ThreadPoolExecutor(pa.cpu_count()) as pool:
        values = pa.chunked_array(list(pool.map(some, range(0, len(numbers), _PART))), ids.type)
    column = next(item for item in VERDICT_COLUMNS if item.name == "rule")
    return column.dtype.__from_arrow__(values)


def _strings(column: pd.Series[Any]) -> pa.Array | pa.ChunkedArray:
    """Return a column as Arrow text; whatever is no text is missing."""
    if column.dtype == object:
        texts = [value if isinstance(value, str) else None for value in column]
        try:
            return pa.array(texts, ARROW_STRING)
        except UnicodeEncodeError:  # half a sign, which no encoding has
            return pa.array([text and text.encode(errors="replace").decode() for text in texts], ARROW_STRING)
    values = pa.array(column.array, from_pandas=True)
    return values if values.type == ARROW_STRING else values.cast(ARROW_STRING)


def _choices(values: Sequence[str]) -> Any:
    def numbers(column: pd.Series[Any]) -> Numbers:
        return np.asarray(pd.Categorical(column, categories=list(values)).codes)

    return numbers


def _replies(column: pd.Series[Any]) -> Numbers:
    """Return reply codes as numbers; 0 means missing, and so does what no column of them can hold."""
    numbers = pd.to_numeric(column, errors="coerce")
    if numbers.dtype == VERDICT_INPUTS["reply_code"].dtype:
        return numbers.fillna(0).to_numpy(dtype=np.int32)
    return numbers.where(numbers.abs() <= _MOST_CODE).fillna(0).to_numpy(dtype=np.int32)


_CODED = {"event": _choices(EVENTS), "provider": _choices(PROVIDERS), "reply_code": _replies}


def _numbers(column: pd.Series[Any], make: Any) -> Numbers:
    return np.asarray(make(column))


def _spread(name: str, value: Any, count: int) -> pd.Series[Any]:
    """Return a scalar as often as there are texts, or a list-like of that length."""
    if value is None or isinstance(value, str) or pd.api.types.is_scalar(value):
        return pd.Series([value] * count, dtype=object)
    column = pd.Series(list(value), dtype=object)
    if len(column) != count:
        raise FrameError(
            f"{name} has {len(column)} values for {count} texts; give one value or as many as texts"
        )
    return column
