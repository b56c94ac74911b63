"""Suppression files that an ESP imports, so that addresses to remove are not mailed from there either.

Each ESP has its own lists for its own reasons: a wish not to be mailed is no bounce, and where a format cannot say so
the address is left out and counted rather than imported as something it is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.cleaning.cells import TEXT, cell, joined, plus, text_of
from bounceanalytics.cleaning.files import refuse_existing, whole_files
from bounceanalytics.errors import FormatError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    import pandas as pd

_NEEDED = ("address", "verdict", "reason", "code", "decided_at")

#: Characters that need quotes in a CSV file; importers read these files without a CSV parser.
_UNSAFE = r'[",;\s]'


@dataclass(frozen=True)
class Suppressions:
    """What was written; prints as a few lines.

    Attributes
    ----------
    provider : str
    files : dict of Path to int
        Files and the addresses in each.
    excluded : dict of str to int
        Addresses to remove that are in none of them, by reason.
    """

    provider: str
    files: dict[Path, int]
    excluded: dict[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        total = sum(self.files.values())
        lines = [f"{total:,} addresses for {self.provider}"]
        lines += [f"  {count:,} in {path}" for path, count in self.files.items()]
        lines += [f"  {count:,} left out: {reason}" for reason, count in self.excluded.items()]
        return "\n".join(lines)


_NO_LIMIT = 10**15


@dataclass(frozen=True, slots=True)
class _Target:
    """One file of an import format.

    Attributes
    ----------
    takes : tuple of str
        Kinds of addresses: ``bounced``, ``complained``, ``unsubscribed``.
    line : tuple of str
        Columns of a line, or the text between them.
    header : str
        First line; empty for none.
    suffix : str
        What is added to the name of the file, before its extension.
    most_rows, most_bytes : int
        Limits of the importer; more goes into further files.
    """

    takes: tuple[str, ...]
    line: tuple[str, ...]
    header: str = ""
    suffix: str = ""
    most_rows: int = _NO_LIMIT
    most_bytes: int = _NO_LIMIT


_ALL = ("bounced", "complained", "unsubscribed")
_MAILGUN_BYTES = 25_000_000

_TARGETS: dict[str, tuple[_Target, ...]] = {
    # the upload of an unsubscribe group: the one way to give SendGrid addresses that are not to be mailed
    "sendgrid": (_Target(_ALL, ("address",), header="email"),),
    "ses": (_Target(_ALL[:2], ("address", ",", "ses_reason"), most_rows=100_000),),
    "mailgun": (
        _Target(
            ("bounced",),
            ("address", ",", "reply", ",", "error", ",", "date"),
            header="address,code,error,created_at",
            most_bytes=_MAILGUN_BYTES,
        ),
        _Target(
            ("complained",),
            ("address", ",", "date"),
            header="address,created_at",
            suffix="-complaints",
            most_bytes=_MAILGUN_BYTES,
        ),
        _Target(
            ("unsubscribed",),
            ("address", ",*,", "date"),
            header="address,tags,created_at",
            suffix="-unsubscribes",
            most_bytes=_MAILGUN_BYTES,
        ),
    ),
    "plain": (_Target(_ALL, ("address",)),),
}


def export_suppressions(
    verdicts: pd.DataFrame, provider: str, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Suppressions:
    """Write the addresses to remove as files that an ESP imports.

    Parameters
    ----------
    verdicts : pandas.DataFrame
        As :func:`bounceanalytics.decide` returns them; rows with verdict ``remove`` are written.
    provider : {'sendgrid', 'ses', 'mailgun', 'plain'}
        ``sendgrid``: CSV for an unsubscribe group. ``ses``: CSV for an import job of the account's suppression list.
        ``mailgun``: CSV for the bounces of a domain, with complaints and unsubscribes in files of their own
        beside it. ``plain``: one address a line.
    path : path
        The file; further files get ``-2``, ``-3`` … before its extension where the importer has a limit.
    overwrite : bool, default False
        Whether files may be replaced.

    Returns
    -------
    Suppressions
        Files with their counts, and how many addresses are in none of them, by reason.

    Raises
    ------
    FormatError
        If the provider is unknown; the message lists those there are.
    FrameError
        If ``verdicts`` is no frame of verdicts.
    OutputError
        If a file is there already, or cannot be written.

    Notes
    -----
    SES cannot import unsubscribes, and SendGrid has no import for bounces and complaints: there all are written as a
    group's unsubscribes. Mailgun's ``code`` is left to its default where no SMTP reply is known; times are those of the
    deciding event. Addresses that would need quotes or are not ASCII are left out and counted.

    References
    ----------
    Amazon SES Developer Guide, "Adding email addresses in bulk to your account-level suppression list"; Mailgun API,
    "Import list of bounces"; SendGrid, "Unsubscribe Groups", upload a CSV.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from bounceanalytics import schema
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_suppressions(schema.empty(schema.DECISION_COLUMNS), "plain", Path(folder) / "none.txt").excluded
    {}
    """
    if provider not in _TARGETS:
        raise FormatError(f"there is no import format called {provider!r}; there are {', '.join(_TARGETS)}")
    schema.require(verdicts, _NEEDED, "a frame of verdicts")
    path = Path(path)
    columns = _columns(verdicts.loc[verdicts["verdict"].astype("str") == "remove", list(_NEEDED)])
    writable = pc.and_(
        pc.string_is_ascii(columns["address"]),
        pc.invert(pc.match_substring_regex(columns["address"], _UNSAFE)),
    )
    excluded = {"not ASCII, or would need quotes": len(writable) - (pc.sum(writable).as_py() or 0)}
    columns = {name: values.filter(writable) for name, values in columns.items()}
    taken = {kind for target in _TARGETS[provider] for kind in target.takes}
    for kind in _ALL:
        if kind not in taken:
            excluded[f"{kind}, for which there is no import"] = _count(columns["kind"], kind)

    planned: list[tuple[Path, str, list[pa.Array]]] = []
    for target in _TARGETS[provider]:
        mask = pc.is_in(columns["kind"], pa.array(target.takes, TEXT))
        lines = plus(*(columns[part].filter(mask) if part in columns else part for part in target.line), "\n")
        if target.suffix and not len(lines):
            continue
        header = f"{target.header}\n" if target.header else ""
        for number, part in enumerate(_parts(lines, target, len(header)), start=1):
            extra = f"{target.suffix}-{number}" if number > 1 else target.suffix
            planned.append((path.with_name(f"{path.stem}{extra}{path.suffix}"), header, part))
    refuse_existing((file for file, _, _ in planned), overwrite=overwrite)
    with whole_files(path.parent) as folder:
        for file, header, lines in planned:
            with (folder / file.name).open("wb") as handle:
                handle.write(header.encode())
                handle.write(joined(lines))
    counts = {file: len(lines) for file, _, lines in planned}
    return Suppressions(provider, counts, {reason: count for reason, count in excluded.items() if count})


def _columns(verdicts: pd.DataFrame) -> dict[str, pa.Array]:
    """Return what lines are made of."""
    reason, code = text_of(verdicts["reason"]), text_of(verdicts["code"])
    kind = pc.if_else(pc.is_in(reason, pa.array(_ALL[1:], TEXT)), reason, "bounced")
    is_reply = pc.match_substring_regex(code, r"^[45]\d\d$")
    words = verdicts["reason"].astype("str").map({name: row.title for name, row in schema.REASONS.items()})
    known = pc.not_equal(code, "")
    error = pc.if_else(pc.and_(known, pc.invert(is_reply)), plus(code, " ", text_of(words)), text_of(words))
    times = pa.array(verdicts["decided_at"], pa.timestamp("us", tz="UTC")).cast(pa.timestamp("s"), safe=False)
    date = pc.fill_null(pc.strftime(times, "%a, %d %b %Y %H:%M:%S UTC", locale="C").cast(TEXT), "")
    return {
        "address": text_of(verdicts["address"]),
        "kind": kind.cast(TEXT),
        "ses_reason": pc.if_else(pc.equal(kind, "complained"), "COMPLAINT", "BOUNCE").cast(TEXT),
        "reply": pc.if_else(is_reply, code, ""),
        "error": cell(error),
        "date": cell(date),
    }


def _parts(lines: pa.Array, target: _Target, header: int) -> Iterator[pa.Array]:
    """Cut the lines where the importer's limits are."""
    ends = np.cumsum(pc.binary_length(lines).to_numpy(zero_copy_only=False)) if len(lines) else np.zeros(0)
    start = 0
    while start < len(lines) or start == 0:
        before = ends[start - 1] if start else 0
        fits = int(np.searchsorted(ends, before + target.most_bytes - header, side="right"))
        stop = max(start + 1, min(start + target.most_rows, fits))
        yield lines[start:stop]
        start = stop


def _count(values: pa.Array, wanted: str) -> int:
    return int(pc.sum(pc.equal(values, wanted)).as_py() or 0)
