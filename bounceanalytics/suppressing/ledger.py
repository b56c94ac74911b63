"""The suppression ledger: who is suppressed since when, why, and when to review, over many runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bounceanalytics.errors import FormatError, OutputError
from bounceanalytics.files import is_same, path_of
from bounceanalytics.suppressing.ledger_reading import LedgerReading
from bounceanalytics.suppressing.ledger_writing import LedgerWriting
from bounceanalytics.suppressing.suppressions import Suppressions, export_suppressions, file_in

if TYPE_CHECKING:
    import os
    from datetime import datetime

    from bounceanalytics.suppressing.suppressions import Action


class Ledger(LedgerReading, LedgerWriting):
    """A suppression list that remembers, in one SQLite file.

    Parameters
    ----------
    path : path
        The file; made if it is not there.
    hashed : bool, default False
        Hold hashes instead of addresses. Said when a ledger is made; afterwards the file knows.
    salt : str, optional
        What is put before an address when it is hashed. It is not in the file, so keep it well: without it a hashed
        ledger recognises nobody.

    Raises
    ------
    SourceError
        If the file is no ledger, cannot be opened, or was made with another salt.

    See Also
    --------
    bounceanalytics.decide : Where the verdicts come from.

    Notes
    -----
    Every change is one transaction: it is there as a whole or not at all, also after a crash or a loss of power, and
    two processes that write take turns. The file is written with a rollback journal, which works on network drives and
    leaves no second file behind. Domains are kept in the clear in a hashed ledger too, since :meth:`domains` needs
    them; a domain with one mailbox tells who it is.

    References
    ----------
    https://www.sqlite.org/atomiccommit.html

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> verdicts = ba.decide(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
    >>> with Ledger(":memory:") as ledger:
    ...     first = ledger.update(verdicts).rows["added"]
    ...     again = ledger.update(verdicts).rows["added"]
    >>> first > 0, again
    (True, 0)
    """

    def export(
        self,
        provider: str,
        path: str | os.PathLike[str],
        *,
        action: Action = "add",
        at: datetime | str | None = None,
        overwrite: bool = False,
    ) -> Suppressions:
        """Write the addresses to remove as files that an ESP imports.

        Parameters
        ----------
        provider, action, overwrite
            As :func:`bounceanalytics.export_suppressions` takes them; to take off are those that were lifted, or whose
            hold is over.
        path : path
            The file, or a folder that is there, for a file named after the ESP.
        at : datetime or str, optional
            The moment that counts for holds; now if not given.

        Returns
        -------
        Suppressions
            Files with their counts, and how many addresses were left out, by reason.

        Raises
        ------
        FormatError
            If the ledger holds hashes only, or the format is unknown.
        FrameError
            If ``at`` is not a date.
        OutputError
            If a file is there already, is the ledger itself, or cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> import bounceanalytics as ba
        >>> ledger = ba.Ledger(":memory:")
        >>> added = ledger.add(["ann@example.com", "bo@example.com"], reason="complained", why="wrote to us")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     list(ledger.export("ses", folder).files.values())
        [2]
        """
        if self.hashed:
            raise FormatError(
                f"{self.path} holds hashes only, and an ESP needs addresses; clean lists with it"
            )
        file = path_of(path, OutputError)
        if file.is_dir():
            file = file_in(file, provider, action)
        if is_same(self.path, file):
            raise OutputError(f"{file} is the ledger itself; write to another file")
        found = self.entries(at=at)
        named = found["address"].notna()
        written = export_suppressions(found[named], provider, file, action=action, overwrite=overwrite)
        wanted = "remove" if action == "add" else "keep"
        erased = int((found.loc[~named, "verdict"] == wanted).sum())
        excluded = {"erased, known by their hash only": erased} if erased else {}
        return replace(written, excluded=written.excluded | excluded)
