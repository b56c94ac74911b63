"""Suppression files that an ESP imports, so that addresses to remove are not mailed from there either.

Each ESP has its own lists for its own reasons: a wish not to be mailed is no bounce, and where a format cannot say so
the address is left out and counted rather than imported as something it is not.
"""

from __future__ import annotations

import contextlib
import glob
import itertools
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bounceanalytics import schema
from bounceanalytics.cleaning.cells import joined, plus
from bounceanalytics.errors import FormatError, OutputError
from bounceanalytics.esps import ESPS
from bounceanalytics.files import complete_files, path_of, refuse_existing, whole_files
from bounceanalytics.knowledge.suppression_files import ADD, KINDS, NO_LIMIT, REMOVE, Target
from bounceanalytics.privacy import discreet
from bounceanalytics.schema import ARROW_STRING
from bounceanalytics.suppressing.parts import NEEDED, PARTS, UNFIT, Entries
from bounceanalytics.wording import in_short

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd

Action = Literal["add", "remove"]

_LONG_LINE = 10_000  # bytes; an address has 320 at most
_ACTIONS = {"add": (ADD, "remove"), "remove": (REMOVE, "keep")}


@dataclass(frozen=True)
class Suppressions:
    """Files that were written; prints as a few lines.

    Attributes
    ----------
    provider : str
    files : dict of Path to int
        Files and the addresses in each.
    excluded : dict of str to int
        Addresses left out of all of them, by reason.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> verdicts = ba.decide(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = ba.export_suppressions(verdicts, "mailgun", f"{folder}/suppressed.csv")
    >>> isinstance(written, ba.Suppressions), sum(written.files.values()) > 0
    (True, True)
    """

    provider: str
    files: dict[Path, int]
    excluded: dict[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        total = sum(self.files.values())
        lines = [f"{total:,} addresses for {self.provider}"]
        lines += [f"  {count:,} in {path}" for path, count in self.files.items()]
        lines += [f"  {count:,} left out: {reason}" for reason, count in self.excluded.items()]
        return discreet("\n".join(lines))


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
        As :func:`bounceanalytics.decide` returns them. Rows with verdict ``remove`` are written; those that come off a
        list, see ``action``.
    provider : str
        ``sendgrid``: CSV for an unsubscribe group. ``ses``, ``ses-json``: CSV or JSON lines for an import job of the
        account's suppression list. ``mailgun``: CSV for the bounces of a domain, with complaints and unsubscribes in
        files of their own beside it. ``postmark``: JSON lines, each the body of one request. ``klaviyo``: CSV of
        profiles to suppress. ``hubspot``: CSV of an opt-out list. ``mailchimp``: CSV of contacts to import as
        unsubscribed. ``plain``: one address a line. ``hashed``: CSV of hashes, see :func:`match_hashes`.
    path : path
        The file; further files get ``-2``, ``-3`` … before its extension where the importer has a limit.
    action : {'add', 'remove'}, default 'add'
        ``remove`` writes what takes addresses off the list again. ``ses``, ``ses-json``: for an import job with the
        action DELETE. ``sendgrid``: JSON lines, each the body of a request that deletes from the bounces, the blocks,
        the invalid emails or the spam reports. ``postmark``: JSON lines, each the body of a request that deletes
        suppressions; those for spam complaints stay. Written are the kept and held addresses of which ``suppressed_by``
        says that this ESP's list keeps mail from them; where the verdicts tell of no list, all kept ones, whether or
        not the ESP has them on its list: give only the rows of those that are to come off.
    salt : str
        For ``hashed``: what is put before an address when it is hashed. It is not in the file.
    overwrite : bool, default False
        Whether files may be replaced. Those of an earlier export to the same ``path`` go as a whole, also where this
        one has less of them: no complaints, or fewer parts.

    Returns
    -------
    Suppressions
        Files with their counts, and how many addresses were left out of all of them, by reason.

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
    SES cannot import unsubscribes. SendGrid has no import for bounces and complaints, and Postmark, Klaviyo, HubSpot
    and Mailchimp know one kind of entry only: there all are written alike. Mailgun's ``code`` is left to its default
    where no SMTP reply is known; times are those of the deciding event.

    Addresses whose local part is not ASCII are left out and counted, except in ``plain`` and ``hashed``. So are those
    that would need quotes in ``sendgrid``, ``ses`` and ``plain``, whose readers take an address as it stands.

    Each file is read back by :func:`bounceanalytics.load` to the same addresses, except ``hashed``. The columns
    ``suppressed_for`` and ``suppressed_on`` tell our files from a mailing list. Where the importer leaves no room for
    them (``plain``, ``klaviyo``, ``postmark``) the file's name must say ``suppress``. Of files that take addresses off
    a list, those for ``ses`` and ``postmark`` must say ``delete`` or ``take off``.

    References
    ----------
    Amazon SES Developer Guide, "Adding email addresses in bulk to your account-level suppression list" (100,000 a file
    to add, 10,000 to delete). Mailgun API, "Import list of bounces" (25 MB). SendGrid, "Unsubscribe Groups", upload a
    CSV (first column, without quotes, more columns are ignored). Postmark,
    https://postmarkapp.com/developer/api/suppressions-api (50 a request). Klaviyo,
    https://help.klaviyo.com/hc/en-us/articles/115005073867 (no column but ``Email``). HubSpot,
    https://knowledge.hubspot.com/marketing-email/import-an-opt-out-list (the column is chosen when importing).
    Mailchimp, https://mailchimp.com/help/format-guidelines-for-your-import-file/ (columns are matched when importing;
    not ASCII only after the ``@``).

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from bounceanalytics import schema
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_suppressions(schema.DECISION_COLUMNS.empty(), "plain", Path(folder) / "none.txt").excluded
    {}
    """
    targets, verdict = _targets(provider, action)
    verdicts = schema.DECISION_COLUMNS.require(verdicts, NEEDED)
    path = path_of(path, OutputError)
    chosen = verdicts.loc[_chosen(verdicts, provider, verdict), list(NEEDED)]
    entries, excluded = _writable(Entries.of(chosen, salt), targets)

    planned: list[tuple[Path, str, pa.Array, int]] = []
    counts = dict.fromkeys(targets, 0)
    for target in targets:
        mine = entries.where(pc.is_in(entries.kind, pa.array(target.takes, ARROW_STRING)))
        if target.suffix and not len(mine.address):
            continue
        items = plus(*map(mine.part, target.line))
        header = f"{target.header}\n" if target.header else ""
        for number, part in enumerate(_parts(items, target, len(header)), start=1):
            planned.append((_file(path, target, number), header, _lines(part, target), len(part)))
            counts[target] = number
    earlier = partial(_further, path, counts)
    complete_files(path.parent)
    refuse_existing([*(file for file, *_ in planned), *earlier()], overwrite=overwrite)
    with whole_files(path.parent, overwrite=overwrite, earlier=earlier) as folder:
        for file, header, lines, _ in planned:
            with (folder / file.name).open("wb") as handle:
                handle.write(header.encode())
                handle.write(joined(lines))
    return Suppressions(provider, {file: count for file, _, _, count in planned}, excluded)


def _chosen(verdicts: pd.DataFrame, provider: str, verdict: str) -> pd.Series[bool]:
    """Return which rows a file is about."""
    spoken = verdicts["verdict"].astype(schema.STRING)
    esp = provider.partition("-")[0]
    if (
        verdict == "keep"
        and esp in ESPS
        and "suppressed_by" in verdicts
        and verdicts["suppressed_by"].notna().any()
    ):
        return (spoken != "remove") & verdicts["suppressed_by"].eq(esp).fillna(False).astype(bool)
    return spoken == verdict


def file_in(folder: Path, provider: str, action: Action) -> Path:
    """Return a name for the file in a folder, such as our loader would know it by."""
    targets, _ = _targets(provider, action)
    lines = "".join((*targets[0].body, *targets[0].line))
    does = "suppress" if action == "add" else "take-off"
    return folder / f"{does}-{provider}.{'jsonl' if lines.startswith('{') else 'csv'}"


def files_of(path: Path, provider: str, action: Action) -> Iterator[Path]:
    """Yield the files that an export to a path may write, and those that are there and may go."""
    for target in _targets(provider, action)[0]:
        file = _file(path, target, 1)
        yield file
        if _is_cut(target):
            yield from path.parent.glob(f"{glob.escape(file.stem)}-[0-9]*{glob.escape(file.suffix)}")


def _is_cut(target: Target) -> bool:
    """Return whether the importer has a limit, so that there may be several files."""
    return min(target.most_rows, target.most_bytes) < NO_LIMIT


def _targets(provider: str, action: str) -> tuple[tuple[Target, ...], str]:
    """Return the files to write, and the verdict of those who go into them."""
    if action not in _ACTIONS:
        raise FormatError(f"action is {action!r}; it is 'add' or 'remove'")
    if provider not in ADD:
        raise FormatError(
            f"there is no import format called {in_short(provider)}; there are {', '.join(ADD)}"
        )
    formats, verdict = _ACTIONS[action]
    if provider not in formats:
        raise FormatError(
            f"{provider} has no file that takes addresses off its list; {', '.join(formats)} have"
        )
    return formats[provider], verdict


def _writable(entries: Entries, targets: tuple[Target, ...]) -> tuple[Entries, dict[str, int]]:
    """Return the entries that the format can hold, and how many it cannot, by reason."""
    excluded: dict[str, int] = {}

    def leave_out(unfit: pa.Array, why: str) -> None:
        nonlocal entries
        count = pc.sum(unfit).as_py() or 0
        if count:
            excluded[why] = int(count)
            entries = entries.where(pc.invert(unfit))

    if targets[0].ascii_only:
        leave_out(pc.invert(pc.string_is_ascii(entries.address)), "not ASCII")
    for name in set(targets[0].line) & UNFIT.keys():
        leave_out(pc.match_substring_regex(entries.address, UNFIT[name].pattern), UNFIT[name].why)
    taken = {kind for target in targets for kind in target.takes}
    for kind in (kind for kind in KINDS if kind not in taken):
        leave_out(pc.equal(entries.kind, kind), f"{kind}, for which there is no import")
    return entries, excluded


def _parts(items: pa.Array, target: Target, header: int) -> Iterator[pa.Array]:
    """Cut the lines into files at the importer's limits."""
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


def _file(path: Path, target: Target, number: int) -> Path:
    extra = f"{target.suffix}-{number}" if number > 1 else target.suffix
    return path.with_name(f"{path.stem}{extra}{path.suffix}")


def _further(path: Path, counts: Mapping[Target, int]) -> Iterator[Path]:
    """Yield the files behind those of an export that another one to the same path has left there.

    Parameters
    ----------
    path : Path
    counts : mapping of Target to int
        How many files of each the export has.
    """
    for target, count in counts.items():
        for number in itertools.count(count + 1):
            file = _file(path, target, number)
            if (number > 1 and not _is_cut(target)) or not _is_of(file, target):
                break
            # what has no header may be anybody's list: ours goes on only behind a file that is full
            if number > 1 and not target.header and not _is_full(_file(path, target, number - 1), target):
                break
            yield file


def _is_of(file: Path, target: Target) -> bool:
    """Return whether a file begins as those of a format do; others of such a name are somebody else's."""
    line = "".join(".+" if name in PARTS else re.escape(name) for name in target.line)
    begins = (
        f"{re.escape(target.header)}\n" if target.header else f"{re.escape(''.join(target.body[:1]))}{line}"
    )
    with contextlib.suppress(OSError), file.open("rb") as stream:
        return re.match(begins.encode(), stream.readline(_LONG_LINE)) is not None
    return False


def _is_full(file: Path, target: Target) -> bool:
    """Return whether a file has as many lines as the importer takes."""
    with contextlib.suppress(OSError), file.open("rb") as stream:
        return next(itertools.islice(stream, target.most_rows - 1, None), None) is not None
    return False


def _lines(items: pa.Array, target: Target) -> pa.Array:
    """Return the lines of a file; several addresses go into one where it is the body of a request."""
    if not target.body:
        return plus(items, "\n")
    starts = pa.array([*range(0, len(items), target.body_rows), len(items)], pa.int64())
    bodies = pc.binary_join(pa.LargeListArray.from_arrays(starts, items), pa.scalar(",", ARROW_STRING))
    return plus(target.body[0], bodies, f"{target.body[1]}\n")
