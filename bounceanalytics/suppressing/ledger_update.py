"""The account of an update: verdicts, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field

#: What became of the rows of an update.
OUTCOMES = {
    "added": "new in the ledger",
    "changed": "another verdict or reason than before",
    "confirmed": "as they were",
    "lifted": "suppressed before, and may be mailed again",
    "older": "say less than the ledger knows already",
    "passed": "to keep, and not in the ledger",
}


@dataclass(frozen=True)
class LedgerUpdate:
    """Result of an update; prints as a table.

    Attributes
    ----------
    rows : dict of str to int
        Verdicts ``given``, and how many were ``added``, ``changed``, ``confirmed``, ``lifted``, ``older`` (they say
        less than the ledger knows already) and ``passed`` (to keep, and not in the ledger); these add up to ``given``.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> verdicts = ba.decide(ba.classify(ba.load(ba.samples() / "exports" / "ses").events))
    >>> with ba.Ledger(":memory:") as ledger:
    ...     update = ledger.update(verdicts)
    >>> isinstance(update, ba.LedgerUpdate), update.rows["given"] == len(verdicts)
    (True, True)
    """

    rows: dict[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        width = max(len(f"{count:,}") for count in self.rows.values())
        lines = [f"{name:<10}{self.rows[name]:>{width},}  {what}" for name, what in OUTCOMES.items()]
        return "\n".join([*lines, f"{'= given':<10}{self.rows['given']:>{width},}"])
