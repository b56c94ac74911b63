"""Result of a load: the events, and an account of every record that was read."""

from __future__ import annotations

import html
import warnings
from dataclasses import dataclass

import pandas as pd

from bounceanalytics.errors import Discreet
from bounceanalytics.privacy import discreet, printable, to_share

_WIDTH = 100
_SHOWN = 30


class RejectedRecordsWarning(Discreet, UserWarning):
    r"""Some records of an export could not be read: those in the ``rejects`` of the load, or the end of a damaged file.

    Examples
    --------
    >>> import warnings
    >>> import bounceanalytics as ba
    >>> with warnings.catch_warnings(record=True, action="always") as told:
    ...     events = ba.read(b'{"email": "ann@example.com", "event": "bounce", "sg_event_id": "1"}\n{broken')
    >>> print(told[0].message)
    1 of 2 records could not be read; load(…).rejects shows which and why
    """


class NaiveTimeWarning(Discreet, UserWarning):
    r"""An export has times without a zone, and nobody said which it is; they were taken as UTC.

    Examples
    --------
    >>> import warnings
    >>> import bounceanalytics as ba
    >>> with warnings.catch_warnings(record=True, action="always") as told:
    ...     events = ba.read(b"created,email,reason,status\n2014-01-01 10:00:00,ann@example.com,full,5.2.2\n")
    >>> told[0].category.__name__
    'NaiveTimeWarning'
    """


class NoEventsWarning(Discreet, UserWarning):
    r"""What was loaded holds no events: nothing in it is an export, or the exports are empty.

    Examples
    --------
    >>> import warnings
    >>> import bounceanalytics as ba
    >>> with warnings.catch_warnings(record=True, action="always") as told:
    ...     events = ba.read(b"[]")
    >>> print(told[0].message)
    there are no events in it: 1 file was read, an empty list
    """


class UnreadTimesWarning(Discreet, UserWarning):
    r"""Some times of an export are not understood; their rows have none, and the note on the file says which.

    Examples
    --------
    >>> import warnings
    >>> import bounceanalytics as ba
    >>> with warnings.catch_warnings(record=True, action="always") as told:
    ...     events = ba.read(b"created,email,reason,status\n2014-01-01 25:00,ann@example.com,full,5.2.2\n")
    >>> print(told[0].message)
    <bytes> has 1 times that could not be read and are missing, the first of them '2014-01-01 25:00'
    """


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Rows that said again what an earlier row had said.

    Attributes
    ----------
    rows : int
        How many were left out.
    before : int
        How many rows there were with them.
    """

    rows: int
    before: int

    @property
    def share(self) -> float:
        """The part, 0 to 1, of all rows that said nothing new."""
        return self.rows / self.before if self.before else 0.0

    @property
    def inflation(self) -> float:
        """How often each event was told on average: rows with the repeated ones for each row without, 1 or more."""
        return self.before / (self.before - self.rows) if self.before > self.rows else 1.0


@dataclass(frozen=True, repr=False)
class Load:
    """Events read from exports, with an account of what was read.

    Attributes
    ----------
    events : pandas.DataFrame
        The event frame, columns of ``schema.EVENT_COLUMNS``; one row per recipient and event.
    files : pandas.DataFrame
        One row per file: ``source``, ``provider`` and ``form`` (empty if it is no export), ``records`` read,
        ``loaded`` (records that became rows), ``ignored`` (left out on purpose), ``rejected`` (unreadable), ``rows``,
        how its ``times`` were written and a ``note``. Always ``records = loaded + ignored + rejected``.
    rejects : pandas.DataFrame
        One row per rejected record: ``source``, ``record`` (its number in the file), byte ``offset``, ``error`` (what
        is wrong with it) and ``text`` (its first 500 characters).
    ignored : pandas.DataFrame
        ``source``, ``reason`` and number of ``records`` left out for it.
    duplicates : Duplicates
        Rows left out since they repeat another, and their share.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> load = ba.load(ba.samples() / "exports")
    >>> sums = load.files[["records", "loaded", "ignored", "rejected"]].sum()
    >>> bool(sums["records"] == sums["loaded"] + sums["ignored"] + sums["rejected"])
    True
    """

    events: pd.DataFrame
    files: pd.DataFrame
    rejects: pd.DataFrame
    ignored: pd.DataFrame
    duplicates: Duplicates

    def __post_init__(self) -> None:
        self.check()

    def check(self) -> None:
        """Raise AssertionError unless every record is accounted for.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> ba.load(ba.samples() / "exports").check()
        """
        files = self.files
        sums = {
            "records": int(files["records"].sum()),
            "loaded + ignored + rejected": int(files[["loaded", "ignored", "rejected"]].sum().sum()),
        }
        if (
            len(set(sums.values())) > 1
            or (files["records"] != files["loaded"] + files["ignored"] + files["rejected"]).any()
        ):
            raise AssertionError(f"records are not all accounted for: {sums}")
        for name, counted, there in (
            ("rows", files["rows"].sum(), len(self.events)),
            ("rejected records", files["rejected"].sum(), len(self.rejects)),
            ("ignored records", files["ignored"].sum(), self.ignored["records"].sum()),
        ):
            if int(counted) != int(there):
                raise AssertionError(f"{name} are not all accounted for: {counted} counted, {there} there")

    def warn(self, stacklevel: int) -> None:
        r"""Warn of rejected records; ``stacklevel`` as seen from our caller.

        Examples
        --------
        >>> import warnings
        >>> import bounceanalytics as ba
        >>> load = ba.load(b'{"email": "ann@example.com", "event": "bounce", "sg_event_id": "1"}\n{broken')
        >>> with warnings.catch_warnings(record=True, action="always") as told:
        ...     load.warn(stacklevel=1)
        >>> told[0].category.__name__
        'RejectedRecordsWarning'
        """
        if len(self.rejects):
            warnings.warn(
                f"{len(self.rejects):,} of {self.files['records'].sum():,} records could not be read;"
                " load(…).rejects shows which and why",
                RejectedRecordsWarning,
                stacklevel=stacklevel + 1,
            )

    def __repr__(self) -> str:
        return self.to_text()

    def to_text(self, limit: int | None = _SHOWN) -> str:
        """Return the account as plain text.

        Parameters
        ----------
        limit : int, optional
            Most files that have a line each; where there are more, each folder has a line for each form in it. With
            None every file has its line, and every note.

        Returns
        -------
        str
            The sums, the files, the notes on them, and why records were ignored.

        Examples
        --------
        >>> import bounceanalytics as ba
        >>> load = ba.load(b'{"email": "ann@example.com", "event": "bounce", "sg_event_id": "1"}')
        >>> print(load.to_text().splitlines()[0])
        1 events from 1 of 1 files; 1 records = 1 loaded + 0 ignored + 0 rejected
        """
        total = self.files[["records", "loaded", "ignored", "rejected", "rows"]].sum()
        known = self.files["form"].ne("").sum()
        lines = [
            (
                f"{len(self.events):,} events from {known:,} of {len(self.files):,} files;"
                f" {total['records']:,} records = {total['loaded']:,} loaded + {total['ignored']:,} ignored"
                f" + {total['rejected']:,} rejected"
            ),
        ]
        if self.duplicates.rows:
            lines.append(
                f"{self.duplicates.rows:,} repeated rows left out ({self.duplicates.share:.1%}):"
                f" each event was told {self.duplicates.inflation:.2f} times on average"
            )
        files, what = self._shown(), "files"
        if limit is not None and len(files) > limit:
            files, what = _by_folder(files), "folders and forms"
        shown = files if limit is None else files.head(limit)
        lines += ["", *_text_table(shown.drop(columns=["times", "note"], errors="ignore"))]
        if len(files) > len(shown):
            lines.append(f"… and {len(files) - len(shown):,} more {what}")
        notes = self._notes()
        lines += notes[:limit]
        if limit is not None and len(notes) > limit:
            lines.append(f"… and {len(notes) - limit:,} more notes")
        lines += [f"ignored {count:,}: {reason}" for reason, count in self._reasons()]
        return discreet("\n".join(lines))

    def _shown(self) -> pd.DataFrame:
        """Return the files as others may see them: their names, and what is said of them, without addresses."""
        return to_share(self.files, printable)

    def _notes(self) -> list[str]:
        """Return what is said of the files; what is said of several stands once, with the first of them."""
        files = self._shown()
        noted = files.loc[files["note"].ne(""), ["note", "source"]]
        said = noted.groupby("note", sort=False)["source"].agg(["first", "size"])
        return [
            f"{_short(first, 40)}{f' and {count - 1:,} more' if count > 1 else ''}: {note}"
            for note, first, count in zip(said.index, said["first"], said["size"], strict=True)
        ]

    def _reasons(self) -> list[tuple[str, int]]:
        counts = self.ignored.groupby("reason", sort=False)["records"].sum()
        return list(zip((discreet(str(name)) for name in counts.index), map(int, counts), strict=True))

    def _repr_html_(self) -> str:
        """Return the same as a table for notebooks; all texts are escaped."""
        first, *rest = repr(self).split("\n\n", 1)[0].splitlines()
        files = self._shown() if len(self.files) <= _SHOWN else _by_folder(self._shown())
        head = "".join(f"<th>{html.escape(name)}</th>" for name in files.columns)
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_cell(value))}</td>" for value in row) + "</tr>"
            for row in files.head(_SHOWN).itertuples(index=False)
        )
        more = f"<p>… and {len(files) - _SHOWN:,} more folders and forms</p>" if len(files) > _SHOWN else ""
        ignored = "".join(
            f"<li>{count:,} ignored: {html.escape(reason)}</li>" for reason, count in self._reasons()
        )
        return (
            f"<p><b>{html.escape(first)}</b>{''.join(f'<br>{html.escape(line)}' for line in rest)}</p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}"
            f"<ul>{ignored}</ul>"
        )


def nothing_found(load: Load) -> str:
    """Return a sentence about a load without events: how many files there were, and what they are."""
    files = load.files
    count = "1 file was" if len(files) == 1 else f"{len(files):,} files were"
    if files["form"].eq("").all():
        what = "none of them an export" if len(files) > 1 else "no export"
        notes = files["note"].loc[files["note"].ne("")]
        if len(files) == 1 and len(notes):
            what = notes.iloc[0]
        elif len(notes):
            what += f" (the first {notes.iloc[0]})"
        return f"there are no events in it: {count} read, {what}"
    ignored, rejected = int(files["ignored"].sum()), int(files["rejected"].sum())
    lost = f"{int(files['records'].sum()):,} records, {ignored:,} of them ignored and {rejected:,} rejected"
    return f"there are no events in it: {count} read, with {lost}"


def _by_folder(files: pd.DataFrame) -> pd.DataFrame:
    """Return the files' counts, added up for each form in each folder or archive."""
    folders = files["source"].str.extract(r"^(.*[/\\])?", expand=False).fillna("./")
    grouped = files.assign(folder=folders).groupby(["folder", "provider", "form"], sort=False)
    sums = grouped[["records", "loaded", "ignored", "rejected", "rows"]].sum()
    sums.insert(0, "files", grouped.size())
    return sums.reset_index()


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else "…" + text[1 - width :]


def _text_table(frame: pd.DataFrame) -> list[str]:
    """Return the lines of a table; its first column gives way so that a line fits the terminal."""
    first, *others = map(str, frame.columns)
    columns = [[name, *map(_cell, frame[name].tolist())] for name in others]
    widths = [max(map(len, column)) for column in columns]
    room = max(_WIDTH - sum(widths) - 2 * len(widths), 16)
    sources = [first, *(_short(source, room) for source in frame[first].tolist())]
    columns.insert(0, sources)
    widths.insert(0, max(map(len, sources)))
    right = [pd.api.types.is_numeric_dtype(frame[name]) for name in frame.columns]
    lines = []
    for cells in zip(*columns, strict=True):
        padded = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        )
        lines.append("  ".join(padded).rstrip())
    return lines
