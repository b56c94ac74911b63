"""One root error and its few children.

Each class is also the built-in error that a caller would expect, so ``except ValueError`` keeps working.
A message is one sentence or two: what was found, where, and what to do. It never holds a whole address, nor a sign that
a terminal would obey, whatever of others is quoted in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounceanalytics.privacy import discreet

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMED = 20  # things that a message names one after another
_LONGEST = 400  # characters of one of them


class Discreet(Exception):  # noqa: N818 - not raised itself; errors and warnings are made of it
    """What shows no address, whoever writes its message."""

    def __init__(self, *args: object) -> None:
        super().__init__(*(discreet(one) if isinstance(one, str) else one for one in args))


class BounceAnalyticsError(Discreet):
    """Root of every error that this package raises on purpose.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> try:
    ...     ba.load("nowhere.json")
    ... except ba.BounceAnalyticsError as error:
    ...     print(error)
    there is no file or folder nowhere.json
    """


class SourceError(BounceAnalyticsError, OSError):
    """A source cannot be opened: not there, not readable, or a broken archive.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> ba.load("nowhere.json")
    Traceback (most recent call last):
        ...
    bounceanalytics.errors.SourceError: there is no file or folder nowhere.json
    """


class FormatError(BounceAnalyticsError, ValueError):
    """A source is readable and is not what was asked for; the message says what it looks like.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> ba.load(b"<!doctype html><html><body>Log in again</body></html>")
    Traceback (most recent call last):
        ...
    bounceanalytics.errors.FormatError: <bytes> looks like an HTML page, not like an export of ...
    """


class FrameError(BounceAnalyticsError, ValueError):
    """A frame lacks columns or holds values that the schema does not allow; all problems are named at once.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> import pandas as pd
    >>> ba.classify(pd.DataFrame({"email": ["ann@example.com"]}))
    Traceback (most recent call last):
        ...
    bounceanalytics.errors.FrameError: an event frame needs the columns provider, event, ...; found: email
    """


class PolicyError(BounceAnalyticsError, ValueError):
    """A cleaning policy contradicts itself or names unknown reasons; all problems are named at once.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> ba.Policy(system_full="drop")
    Traceback (most recent call last):
        ...
    bounceanalytics.errors.PolicyError: system_full is 'drop', and must be one of remove, hold, retry
    """


class OutputError(BounceAnalyticsError, FileExistsError):
    """An output would overwrite an existing file, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import bounceanalytics as ba
    >>> with tempfile.NamedTemporaryFile(suffix=".toml") as file:
    ...     ba.Policy().save(file.name)
    Traceback (most recent call last):
        ...
    bounceanalytics.errors.OutputError: ...toml exists; pass overwrite=True ...
    """


class MissingExtraError(BounceAnalyticsError, ImportError):
    """An optional package is not installed; the message names it and the extra that brings it.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> issubclass(ba.MissingExtraError, ImportError)
    True
    """


class UnknownCodeError(BounceAnalyticsError, KeyError):
    """A status code is not of a known form.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> ba.explain("9.9.9")
    Traceback (most recent call last):
        ...
    bounceanalytics.errors.UnknownCodeError: '9.9.9' is no status code: ...
    """

    def __str__(self) -> str:  # KeyError would show the repr of the message
        return str(self.args[0]) if self.args else ""


class WrongClockWarning(Discreet, UserWarning):
    """Some events lie in the future: a clock was wrong, and they are taken for events without a time.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> issubclass(ba.WrongClockWarning, UserWarning)
    True
    """


class NoNetworkWarning(Discreet, UserWarning):
    """No name server can be reached: domains that had to be asked for are unknown.

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> issubclass(ba.NoNetworkWarning, UserWarning)
    True
    """


def listed(things: Sequence[str], between: str = ", ") -> str:
    """Return what a message names one after another: not all of very many, and none at great length.

    >>> listed(["a", "b"]), listed(["a"] * 1000, "; ")[-14:]
    ('a, b', 'a and 980 more')
    """
    half = _LONGEST // 2
    # before they are cut: of half an address, nobody knows that it is one
    told = map(discreet, things[:_NAMED])
    named = [one if len(one) <= _LONGEST else f"{one[:half]}…{one[-half:]}" for one in told]
    more = len(things) - len(named)
    return between.join(named) + (f" and {more:,} more" if more else "")
