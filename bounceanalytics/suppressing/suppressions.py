"""Suppression files that an ESP imports, so that addresses to remove are not mailed from there either.

Each ESP has its own lists for its own reasons: a wish not to be mailed is no bounce, and where a format cannot say so
the address is left out and counted rather than imported as something it is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.cleaning.cells import TEXT, cell, joined, plus, text_of
from bounceanalytics.cleaning.files import refuse_existing, whole_files
from bounceanalytics.errors import FormatError
from bounceanalytics.suppressing.formats import ADD, KINDS, REMOVE, Target
from bounceanalytics.suppressing.hashing import hash_addresses, salt_check

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    import pandas as pd

Action = Literal["add", "remove"]

_NEEDED = ("address", "verdict", "reason", "code", "decided_at")
_ACTIONS = {"add": (ADD, "remove"), "remove": (REMOVE, "keep")}

#: Characters that need quotes in CSV or JSON; importers read these files without a parser.
_UNSAFE = r'[",;\\\s]'
_NEVER = r"[\r\n]"


@dataclass(frozen=True)
class Suppressions:
    """What was written; prints as a few lines.

    Attributes
    ----------
    provider : str
    files : dict of Path to int
        Files and the addresses in each.
    excluded : dict of str to int
        Addresses that are in none of them, by reason.
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


def export_suppressions(
    verdicts: pd.DataFrame,
    provider: str,
    path: str | os.PathLike[str],
    *,
    action: Action = "add",
    salt: str = "",
    overwrite: bool = False,
) -> Suppressions:
    """Write the addresses to remove as files that an ESP imports.

    Parameters
    ----------
    verdicts : pandas.DataFrame
        As :func:`bounceanalytics.decide` returns them. Rows with verdict ``remove`` are written, to take addresses off
        a list those with ``keep``; held addresses never.
    provider : str
        ``sendgrid``: CSV for an unsubscribe group. ``ses``, ``ses-json``: CSV or JSON lines for an import job of the
        account's suppression list. ``mailgun``: CSV for the bounces of a domain, with complaints and unsubscribes in
        files of their own beside it. ``postmark``: JSON lines, each the body of one request. ``klaviyo``: CSV of
        profiles to suppress. ``hubspot``: CSV of an opt-out list. ``mailchimp``: CSV of contacts to import as
        unsubscribed. ``plain``: one address a line. ``hashed``: CSV of hashes, see :func:`match_hashes`.
    path : path
        The file; further files get ``-2``, ``-3`` … before its extension where the importer has a limit.
    action : {'add', 'remove'}, default 'add'
        ``remove`` writes what takes addresses off the list again, for ``sendgrid`` (JSON lines, each the body of one
        DELETE request), ``ses`` and ``ses-json``.
    salt : str
        For ``hashed``: what is put before an address when it is hashed. It is not in the file.
    overwrite : bool, default False
        Whether files may be replaced.

    Returns
    -------
    Suppressions
        Files with their counts, and how many addresses are in none of them, by reason.

    Raises
    ------
    FormatError
        If the format is unknown, or cannot take addresses off; the message lists those that can.
    FrameError
        If ``verdicts`` is no frame of verdicts.
    OutputError
        If a file is there already, or cannot be written.

    Notes
    -----
    SES cannot import unsubscribes, and SendGrid has no import for bounces and complaints: there all are written as a
    group's unsubscribes. Mailgun's ``code`` is left to its default where no SMTP reply is known; times are those of the
    deciding event. Addresses that would need quotes or are not ASCII are left out and counted; ``plain`` holds the
    latter, ``hashed`` both.

    Each file is read back by :func:`bounceanalytics.load`; of a ``plain`` one, which looks like any list of addresses,
    the name must say ``suppress``. The columns ``suppressed_for`` and ``suppressed_on`` serve that purpose.

    References
    ----------
    Amazon SES Developer Guide, "Adding email addresses in bulk to your account-level suppression list" (100,000 a file
    to add, 10,000 to delete); Mailgun API, "Import list of bounces" (25 MB); SendGrid, "Unsubscribe Groups", upload a
    CSV; Postmark, "Suppressions API" (50 a request); https://knowledge.hubspot.com/marketing-email/import-an-opt-out-list;
    Klaviyo, "Guide to suppressed profiles", upload a CSV; Mailchimp, "Import unsubscribed contacts".

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from bounceanalytics import schema
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_suppressions(schema.empty(schema.DECISION_COLUMNS), "plain", Path(folder) / "none.txt").excluded
    {}
    """
    targets, verdict = _targets(provider, action)
    schema.require(verdicts, _NEEDED, "a frame of verdicts")
    path = Path(path)
    columns = _columns(verdicts.loc[verdicts["verdict"].astype("str") == verdict, list(_NEEDED)])
    if any("hash" in target.line for target in targets):
        columns["hash"] = hash_addresses(columns["address"], salt)
        columns["salt"] = pa.repeat(pa.scalar(salt_check(salt), TEXT), len(columns["address"]))
    writable = _writable(columns["address"], targets[0])
    unfit = "not ASCII, or would need quotes" if targets[0].ascii_only else "would need quotes"
    excluded = {unfit: len(writable) - (pc.sum(writable).as_py() or 0)}
    columns = {name: values.filter(writable) for name, values in columns.items()}
    taken = {kind for target in targets for kind in target.takes}
    for kind in KINDS:
        if kind not in taken:
            excluded[f"{kind}, for which there is no import"] = _count(columns["kind"], kind)

    planned: list[tuple[Path, str, list[str] | pa.Array, int]] = []
    for target in targets:
        mask = pc.is_in(columns["kind"], pa.array(target.takes, TEXT))
        items = plus(*(columns[part].filter(mask) if part in columns else part for part in target.line))
        if target.suffix and not len(items):
            continue
        header = f"{target.header}\n" if target.header else ""
        for number, part in enumerate(_parts(items, target, len(header)), start=1):
            extra = f"{target.suffix}-{number}" if number > 1 else target.suffix
            file = path.with_name(f"{path.stem}{extra}{path.suffix}")
            planned.append((file, header, _lines(part, target), len(part)))
    refuse_existing((file for file, *_ in planned), overwrite=overwrite)
    with whole_files(path.parent) as folder:
        for file, header, lines, _ in planned:
            with (folder / file.name).open("wb") as handle:
                handle.write(header.encode())
                handle.write(joined(lines))
    counts = {file: count for file, _, _, count in planned}
    return Suppressions(provider, counts, {reason: count for reason, count in excluded.items() if count})


def _targets(provider: str, action: str) -> tuple[tuple[Target, ...], str]:
    """Return the files to write, and the verdict of those who go into them."""
    if action not in _ACTIONS:
        raise FormatError(f"action is {action!r}; it is 'add' or 'remove'")
    if provider not in ADD:
        raise FormatError(f"there is no import format called {provider!r}; there are {', '.join(ADD)}")
    formats, verdict = _ACTIONS[action]
    if provider not in formats:
        raise FormatError(
            f"{provider} has no file that takes addresses off its list; {', '.join(formats)} have"
        )
    return formats[provider], verdict


def _writable(addresses: pa.Array, target: Target) -> pa.Array:
    """Return which addresses the format can hold."""
    can = pc.invert(pc.match_substring_regex(addresses, _NEVER if target.quoted else _UNSAFE))
    return pc.and_(can, pc.string_is_ascii(addresses)) if target.ascii_only else can


def _columns(verdicts: pd.DataFrame) -> dict[str, pa.Array]:
    """Return what lines are made of."""
    address, reason, code = (text_of(verdicts[name]) for name in ("address", "reason", "code"))
    kind = pc.if_else(pc.is_in(reason, pa.array(KINDS[1:], TEXT)), reason, "bounced")
    is_reply = pc.match_substring_regex(code, r"^[45]\d\d$")
    words = verdicts["reason"].astype("str").map({name: row.title for name, row in schema.REASONS.items()})
    known = pc.not_equal(code, "")
    error = pc.if_else(pc.and_(known, pc.invert(is_reply)), plus(code, " ", text_of(words)), text_of(words))
    times = pa.array(verdicts["decided_at"], pa.timestamp("us", tz="UTC")).cast(pa.timestamp("s"), safe=False)
    date = pc.fill_null(pc.strftime(times, "%a, %d %b %Y %H:%M:%S UTC", locale="C").cast(TEXT), "")
    day = pc.fill_null(pc.strftime(times, "%Y-%m-%dT%H:%M:%SZ", locale="C").cast(TEXT), "")
    return {
        "address": address,
        "kind": kind.cast(TEXT),
        "why": reason,
        "ses_reason": pc.if_else(pc.equal(kind, "complained"), "COMPLAINT", "BOUNCE").cast(TEXT),
        "reply": pc.if_else(is_reply, code, ""),
        "error": cell(error),
        "date": cell(date),
        "day": day,
    }


def _parts(items: pa.Array, target: Target, header: int) -> Iterator[pa.Array]:
    """Cut what is to be written where the importer's limits are."""
    ends = (
        np.cumsum(pc.binary_length(items).to_numpy(zero_copy_only=False) + 1) if len(items) else np.zeros(0)
    )
    start = 0
    while start < len(items) or start == 0:
        before = ends[start - 1] if start else 0
        fits = int(np.searchsorted(ends, before + target.most_bytes - header, side="right"))
        stop = max(start + 1, min(start + target.most_rows, fits))
        yield items[start:stop]
        start = stop


def _lines(items: pa.Array, target: Target) -> pa.Array:
    """Return the lines of a file; several addresses go into one where it is the body of a request."""
    if not target.body:
        return plus(items, "\n")
    starts = pa.array([*range(0, len(items), target.body_rows), len(items)], pa.int64())
    bodies = pc.binary_join(pa.LargeListArray.from_arrays(starts, items), pa.scalar(",", TEXT))
    return plus(target.body[0], bodies, f"{target.body[1]}\n")


def _count(values: pa.Array, wanted: str) -> int:
    return int(pc.sum(pc.equal(values, wanted)).as_py() or 0)
