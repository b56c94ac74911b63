"""One root error and its few children.

Each class is also the built-in error that a caller would expect, so ``except ValueError`` keeps working.
A message is one sentence or two: what was found, where, and what to do. It never holds a whole address.
"""

from __future__ import annotations


class BounceAnalyticsError(Exception):
    """Root of every error that this package raises on purpose."""


class SourceError(BounceAnalyticsError, OSError):
    """A source cannot be opened: not there, not readable, or a broken archive."""


class FormatError(BounceAnalyticsError, ValueError):
    """A source is readable and is not what was asked for; the message says what it looks like."""


class FrameError(BounceAnalyticsError, ValueError):
    """A frame lacks columns or holds values that the schema does not allow; all problems are named at once."""


class PolicyError(BounceAnalyticsError, ValueError):
    """A cleaning policy contradicts itself or names unknown reasons; all problems are named at once."""


class OutputError(BounceAnalyticsError, FileExistsError):
    """An output would overwrite an existing file, or cannot be written."""


class MissingExtraError(BounceAnalyticsError, ImportError):
    """An optional package is not installed; the message names it and the extra that brings it."""


class UnknownCodeError(BounceAnalyticsError, KeyError):
    """A status code is not of a known form."""

    def __str__(self) -> str:  # KeyError would show the repr of the message
        return str(self.args[0]) if self.args else ""
