"""Exports of SendGrid, Amazon SES and Mailgun -> one event frame and an account of every record."""

from __future__ import annotations

import tempfile
import warnings
import zoneinfo
from typing import TYPE_CHECKING, Any, Literal

from bounceanalytics.errors import FormatError
from bounceanalytics.loading import mailgun, sendgrid, ses
from bounceanalytics.loading.detect import Found, detect
from bounceanalytics.loading.forms import TITLES
from bounceanalytics.loading.joining import result_of
from bounceanalytics.loading.reading import Account, Reader, groups, notes
from bounceanalytics.loading.result import Load, RejectedRecordsWarning
from bounceanalytics.loading.sources import HEAD_SIZE, Source, open_sources

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    Progress = Callable[[str, int, int], None]
    OnError = Literal["collect", "raise"]

__all__ = ["Load", "RejectedRecordsWarning", "load", "read", "read_mailgun", "read_sendgrid", "read_ses"]

#: Every form of every ESP. A new ESP is a module with ``FORMS`` and a name here.
FORMS = (*sendgrid.FORMS, *ses.FORMS, *mailgun.FORMS)


def load(
    source: Any,
    *,
    provider: str | None = None,
    deduplicate: bool = True,
    on_error: OnError = "collect",
    timezone: str = "UTC",
    progress: Progress | None = None,
) -> Load:
    """Read exports into one event frame and account for every record.

    The ESP and the form of each file are found from its content. A file's name is asked only for what its content
    cannot tell: SendGrid's bounce list and its block list have the same shape.

    Parameters
    ----------
    source : str, path, bytes, binary file, or a list of these
        A file, a folder (with all that is in it), a glob such as ``"exports/*.json"``, the content itself or a file
        opened in binary mode. Each may be gzipped; its first bytes tell, not its name.
    provider : {'sendgrid', 'ses', 'mailgun'}, optional
        Take exports of this ESP only.
    deduplicate : bool, default True
        Count an event once that webhook retries or overlapping exports repeat: by SendGrid's event id, by the SES
        message, recipient, event and time, by Mailgun's id and day. The first one read stays.
    on_error : {'collect', 'raise'}, default 'collect'
        Keep unreadable records in ``rejects``, or raise at the first one.
    timezone : str, default 'UTC'
        Zone of times that are written without one.
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
    FormatError
        If a file that was named is no export, or holds no recipients, such as statistics; or with
        ``on_error='raise'`` at the first unreadable record.

    Examples
    --------
    >>> from bounceanalytics.loading import load
    >>> line = b'{"email": "a@example.com", "event": "bounce", "timestamp": 1718093404, "sg_event_id": "x"}'
    >>> load(line).events[["recipient", "event"]].to_dict("records")
    [{'recipient': 'a@example.com', 'event': 'bounced'}]
    """
    _check_arguments(provider, on_error, timezone)
    with tempfile.TemporaryDirectory(prefix="bounceanalytics-") as folder:
        sources = open_sources(source, folder)
        accounts = [Account(one.name) for one in sources]
        known = _detect_all(sources, accounts, provider)
        reader = Reader(accounts, timezone, on_error)
        try:
            total = sum(one.size for one in sources)
            done = total - sum(one.size for _, one, _ in known)
            for group in groups(known):
                size = sum(one.size for _, one, _ in group)
                if progress:
                    progress("reading", done, total)
                    reader.tick = _ticker(progress, done, size, total)
                reader.read(group)
                done += size
            if progress:
                progress("reading", total, total)
        finally:
            reader.close()
        for place, one, found in known:
            accounts[place].notes += notes(one, found, accounts[place].records)
    return result_of(reader, deduplicate=deduplicate)


def read(
    source: Any,
    *,
    provider: str | None = None,
    deduplicate: bool = True,
    on_error: OnError = "collect",
    timezone: str = "UTC",
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Read exports and return their events; the same as ``load(…).events``.

    Parameters
    ----------
    source, provider, deduplicate, on_error, timezone, progress
        As for :func:`load`.

    Returns
    -------
    pandas.DataFrame
        One row per recipient and event, columns of ``schema.EVENT_COLUMNS``, times in UTC, index 0, 1, 2 …

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
    >>> len(read(b"[]"))
    0
    """
    return _events(
        load(
            source,
            provider=provider,
            deduplicate=deduplicate,
            on_error=on_error,
            timezone=timezone,
            progress=progress,
        )
    )


def read_sendgrid(
    source: Any,
    *,
    deduplicate: bool = True,
    on_error: OnError = "collect",
    timezone: str = "UTC",
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Read SendGrid exports: Event Webhook, suppression lists, Email Activity.

    Parameters
    ----------
    source, deduplicate, on_error, timezone, progress
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
            progress=progress,
        )
    )


def read_ses(
    source: Any,
    *,
    deduplicate: bool = True,
    on_error: OnError = "collect",
    timezone: str = "UTC",
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Read Amazon SES exports: event publishing and feedback notifications in any wrapper, suppression list pages.

    Parameters
    ----------
    source, deduplicate, on_error, timezone, progress
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
            progress=progress,
        )
    )


def read_mailgun(
    source: Any,
    *,
    deduplicate: bool = True,
    on_error: OnError = "collect",
    timezone: str = "UTC",
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Read Mailgun exports: events, logs, webhooks, suppression lists.

    Parameters
    ----------
    source, deduplicate, on_error, timezone, progress
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
            progress=progress,
        )
    )


def _events(result: Load) -> pd.DataFrame:
    """Return the events of a load, with a warning at our caller's caller if records were rejected."""
    rejected = len(result.rejects)
    if rejected:
        warnings.warn(
            f"{rejected:,} of {result.files['records'].sum():,} records could not be read;"
            " load(…).rejects shows which and why",
            RejectedRecordsWarning,
            stacklevel=3,
        )
    return result.events


def _ticker(progress: Progress, done: int, size: int, total: int) -> Callable[[float], None]:
    """Return a function that tells the progress within a group of files; it never goes back."""
    furthest = done

    def tick(share: float) -> None:
        nonlocal furthest
        furthest = max(furthest, done + int(share * size))
        progress("reading", furthest, total)

    return tick


def _check_arguments(provider: str | None, on_error: str, timezone: str) -> None:
    if provider is not None and provider not in TITLES:
        raise ValueError(
            f"provider {provider!r} is not known; it is one of {', '.join(TITLES)}, or None to find out"
        )
    if on_error not in {"collect", "raise"}:
        raise ValueError(f"on_error is {on_error!r}; it must be 'collect' or 'raise'")
    try:
        zoneinfo.ZoneInfo(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"timezone {timezone!r} is not known; give a name such as 'Europe/Berlin' or 'UTC'"
        ) from error


def _detect_all(
    sources: list[Source], accounts: list[Account], provider: str | None
) -> list[tuple[int, Source, Found]]:
    """Find out what each file is; what is no export is an error, or a note where it was met in a folder."""
    known = []
    for place, (source, account) in enumerate(zip(sources, accounts, strict=True)):
        head = source.head()
        found = detect(head, source.name, FORMS, whole=len(head) < HEAD_SIZE)
        problem = _problem(found, provider)
        if problem and source.alone:
            raise FormatError(f"{source.name} {problem}")
        if problem or found.form is None:
            account.notes.append(problem or found.looks)
            continue
        account.provider, account.form = found.form.provider, found.form.name
        known.append((place, source, found))
    return known


def _problem(found: Found, provider: str | None) -> str:
    if found.layout == "empty":
        return ""
    if found.form is None:
        wanted = TITLES[provider] if provider else "SendGrid, Amazon SES or Mailgun"
        return f"looks like {found.looks}, not like an export of {wanted}"
    if found.form.refuse:
        return f"looks like {found.form.title}, which cannot be loaded: {found.form.refuse}"
    if provider and found.form.provider != provider:
        return f"looks like {found.form.title}, not like an export of {TITLES[provider]}"
    return ""
