"""Exports of SendGrid, Amazon SES and Mailgun -> one event frame and an account of every record."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from bounceanalytics.datasets import as_dataset
from bounceanalytics.loading.account import account_of_source
from bounceanalytics.loading.converting import account_of, convert
from bounceanalytics.loading.finding import check_options, find, ticker
from bounceanalytics.loading.joining import result_of
from bounceanalytics.loading.reading import Reader, groups, notes, open_engine, warn_of_damage, warn_of_times
from bounceanalytics.loading.result import (
    Load,
    NaiveTimeWarning,
    NoEventsWarning,
    RejectedRecordsWarning,
    UnreadTimesWarning,
    nothing_found,
)
from bounceanalytics.loading.tables import load_table, read_table
from bounceanalytics.opening.sources import open_sources
from bounceanalytics.temporary import temporary_folder

if TYPE_CHECKING:
    import pandas as pd

    from bounceanalytics.loading.account import Batch
    from bounceanalytics.loading.finding import OnError, Progress

__all__ = [
    "Load",
    "NaiveTimeWarning",
    "NoEventsWarning",
    "RejectedRecordsWarning",
    "UnreadTimesWarning",
    "convert",
    "load",
    "load_table",
    "read",
    "read_mailgun",
    "read_sendgrid",
    "read_ses",
    "read_table",
]


def load(
    source: Any,
    *,
    provider: str | None = None,
    deduplicate: bool = True,
    on_error: OnError = "collect",
    timezone: str | None = None,
    dayfirst: bool | None = None,
    progress: Progress | None = None,
) -> Load:
    """Read exports into one event frame and account for every record.

    The ESP and the format of each file are found from its content. A file's name is asked only for what its content
    cannot tell: SendGrid's bounce list and its block list have the same shape.

    Parameters
    ----------
    source : str, path, bytes, binary file, or a list of these
        A file, a folder (with all that is in it), a glob such as ``"exports/*.json"``, the content itself or a file
        opened in binary mode; an archive (ZIP, tar, gzip, bzip2, xz, Zstandard, Snappy; told by its first bytes),
        ``"-"`` for standard input, a URL such as ``s3://bucket/exports/`` where fsspec is installed; a dataset that
        :func:`convert` made; a frame of this package that pandas has saved as CSV, JSON, Parquet, Feather, ORC or Excel
        (times without their zone, ``frame["timestamp"].dt.tz_localize(None)``, since Excel has none), which comes back
        as it was, verdicts included where all that is loaded has them. Events may lie in text, JSON or YAML, in
        Parquet, Feather, ORC or Avro (where fastavro is installed), and on the sheets of workbooks (xlsx, xls, ods).
    provider : {'sendgrid', 'ses', 'mailgun'}, optional
        Take exports of this ESP only.
    deduplicate : bool, default True
        Count an event once that webhook retries or overlapping exports repeat; the first one read stays. Copies are
        told by SendGrid's ``sg_event_id`` with address, event and time (in Email Activity: message, recipient, event,
        time and attempt), by the message, recipient, event and type of SES (and the time where an event can happen
        again, such as an open), so that an identity's feedback and event publishing count as one, and by Mailgun's id
        and day with address and event; entries of suppression lists by list, address and time. An event without these
        is never a copy.
    on_error : {'collect', 'raise'}, default 'collect'
        Keep unreadable records in ``rejects``, or raise at the first one.
    timezone : str, optional
        Zone of times that are written without one, such as ``'Europe/Berlin'``; UTC, with a warning, if not given.
    dayfirst : bool, optional
        Order of dates such as 3/5/2026 where no date of the file (such as 25/3/2026) tells it: the day first, or the
        month. The month, with a note in ``files``, if not given.
    progress : callable, optional
        Called with a description, the bytes done and the bytes in total.

    Returns
    -------
    Load
        ``events`` (one row per recipient and event, columns of ``schema.EVENT_COLUMNS``, times in UTC), ``files``,
        ``rejects``, ``ignored`` and ``duplicates``. In a folder or a glob, files that are no exports are listed in
        ``files`` with an empty ``provider`` and a note.

    Raises
    ------
    SourceError
        If there is nothing to read, or it cannot be opened.
    MissingExtraError
        If a file that was named, or a URL, needs a package that is not installed.
    FormatError
        If a file that was named is no export, or holds no recipients, such as statistics; or with
        ``on_error='raise'`` at the first unreadable record.

    Warns
    -----
    NoEventsWarning
        If there are no events, since nothing is an export or the exports are empty.
    RejectedRecordsWarning
        If a file is damaged, or what is packed ends too early; ``files`` names each such file.

    Examples
    --------
    >>> from bounceanalytics.loading import load
    >>> line = b'{"email": "a@example.com", "event": "bounce", "timestamp": 1718093404, "sg_event_id": "x"}'
    >>> load(line).events[["recipient", "event"]].to_dict("records")
    [{'recipient': 'a@example.com', 'event': 'bounced'}]
    """
    check_options(provider, on_error, timezone)
    if (dataset := as_dataset(source)) is not None:
        return account_of(dataset)
    batches: list[Batch] = []
    with temporary_folder() as folder, open_engine() as engine:
        sources = open_sources(source, folder, later=True)
        accounts = [account_of_source(one) for one in sources]
        known = find(sources, accounts, provider, folder)
        reader = Reader(accounts, timezone or "UTC", on_error, engine, dayfirst)
        total = sum(one.size for one in sources)
        done = total - sum(one.size for _, one, _ in known)
        for group in groups(known):
            size = sum(one.size for _, one, _ in group)
            if progress:
                progress("reading", done, total)
                reader.watch(ticker(progress, "reading", done, size, total))
            batches += reader.read(group, folder)
            done += size
        if progress:
            progress("reading", total, total)
        for place, one, found in known:
            accounts[place].notes += notes(one, found, accounts[place].records)
    warn_of_damage(accounts)
    warn_of_times(accounts, timezone)
    result = result_of(reader, batches, deduplicate=deduplicate)
    if not len(result.events):
        warnings.warn(nothing_found(result), NoEventsWarning, stacklevel=2)
    return result


def read(
    source: Any,
    *,
    provider: str | None = None,
    deduplicate: bool = True,
    on_error: OnError = "collect",
    timezone: str | None = None,
    dayfirst: bool | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Read exports and return their events; the same as ``load(…).events``.

    Parameters
    ----------
    source, provider, deduplicate, on_error, timezone, dayfirst, progress
        As for :func:`load`.

    Returns
    -------
    pandas.DataFrame
        One row per recipient and event, index 0, 1, 2 …

        ================= =========================================================================================
        ``provider``      category (sendgrid, ses, mailgun, generic): ESP that the export came from
        ``event``         category: what happened, in one vocabulary for all ESPs
        ``recipient``     string: address as the ESP wrote it, without display name and brackets, domain lower-case
        ``domain``        string: domain of the recipient, lower-case, IDNA ASCII form
        ``timestamp``     timestamp, UTC: time of the event in UTC; missing where the export has none
        ``message_id``    string: the ESP's or the sender's id of the message
        ``event_id``      string: the ESP's id of the event
        ``reply_code``    Int16: SMTP reply code such as 550; codes made up by an ESP are not replies
        ``enhanced_code`` string: enhanced status code such as 5.1.1
        ``diagnostic``    string: text of the remote server, lines joined
        ``remote_host``   string: receiving host name or address
        ``sending_ip``    string: address that the mail left from
        ``esp_event``     string: the ESP's own word for the event
        ``esp_type``      string: the ESP's own type
        ``esp_reason``    string: the ESP's own reason or classification
        ``tags``          string: tags, categories or campaign of the message, as a JSON list
        ``attempt``       Int16: number of the delivery attempt, from 1
        ``suspect``       bool: a complaint that any of several recipients may have made
        ``source``        string: file that the row came from
        ``record``        int64: number of the record in that file, from 1
        ================= =========================================================================================

    Raises
    ------
    SourceError, FormatError
        As for :func:`load`.

    Warns
    -----
    RejectedRecordsWarning
        If records could not be read; ``load(…).rejects`` shows which and why.

    Examples
    --------
    >>> from bounceanalytics.loading import read
    >>> read(b'[{"email": "a@example.com", "event": "open", "sg_event_id": "x"}]')["event"].tolist()
    ['opened']
    """
    return _events(
        load(
            source,
            provider=provider,
            deduplicate=deduplicate,
            on_error=on_error,
            timezone=timezone,
            dayfirst=dayfirst,
            progress=progress,
        )
    )


def read_sendgrid(
    source: Any,
    *,
    deduplicate: bool = True,
    on_error: OnError = "collect",
    timezone: str | None = None,
    dayfirst: bool | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Read SendGrid exports: Event Webhook, suppression lists, Email Activity.

    Parameters
    ----------
    source, deduplicate, on_error, timezone, dayfirst, progress
        As for :func:`load`.

    Returns
    -------
    pandas.DataFrame
        As of :func:`read`.

    Raises
    ------
    SourceError, FormatError
        As for :func:`load`; also if a file that was named is of another ESP.

    References
    ----------
    .. [1] https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event

    Examples
    --------
    >>> from bounceanalytics.loading import read_sendgrid
    >>> read_sendgrid(b'[{"email": "a@example.com", "event": "open", "sg_event_id": "x"}]')["event"].tolist()
    ['opened']
    """
    return _events(
        load(
            source,
            provider="sendgrid",
            deduplicate=deduplicate,
            on_error=on_error,
            timezone=timezone,
            dayfirst=dayfirst,
            progress=progress,
        )
    )


def read_ses(
    source: Any,
    *,
    deduplicate: bool = True,
    on_error: OnError = "collect",
    timezone: str | None = None,
    dayfirst: bool | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Read Amazon SES exports: event publishing and feedback notifications in any wrapper, suppression list pages.

    Parameters
    ----------
    source, deduplicate, on_error, timezone, dayfirst, progress
        As for :func:`load`.

    Returns
    -------
    pandas.DataFrame
        As of :func:`read`; a bounce of several recipients is several rows of one ``record``.

    Raises
    ------
    SourceError, FormatError
        As for :func:`load`; also if a file that was named is of another ESP.

    References
    ----------
    .. [1] https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html

    Examples
    --------
    >>> from bounceanalytics.loading import read_ses
    >>> read_ses(b'[{"EmailAddress": "a@example.com", "Reason": "BOUNCE"}]')["esp_type"].tolist()
    ['BOUNCE']
    """
    return _events(
        load(
            source,
            provider="ses",
            deduplicate=deduplicate,
            on_error=on_error,
            timezone=timezone,
            dayfirst=dayfirst,
            progress=progress,
        )
    )


def read_mailgun(
    source: Any,
    *,
    deduplicate: bool = True,
    on_error: OnError = "collect",
    timezone: str | None = None,
    dayfirst: bool | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Read Mailgun exports: events, logs, webhooks, suppression lists.

    Parameters
    ----------
    source, deduplicate, on_error, timezone, dayfirst, progress
        As for :func:`load`.

    Returns
    -------
    pandas.DataFrame
        As of :func:`read`.

    Raises
    ------
    SourceError, FormatError
        As for :func:`load`; also if a file that was named is of another ESP.

    References
    ----------
    .. [1] https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/events

    Examples
    --------
    >>> from bounceanalytics.loading import read_mailgun
    >>> read_mailgun(b'[{"address": "a@example.com", "code": "550", "error": "full"}]')["esp_type"].tolist()
    ['bounces']
    """
    return _events(
        load(
            source,
            provider="mailgun",
            deduplicate=deduplicate,
            on_error=on_error,
            timezone=timezone,
            dayfirst=dayfirst,
            progress=progress,
        )
    )


def _events(result: Load) -> pd.DataFrame:
    """Return the events of a load, with a warning at our caller's caller if records were rejected."""
    result.warn(stacklevel=3)
    return result.events
