"""Detect the export format of every source file."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from bounceanalytics.errors import FormatError, MissingExtraError
from bounceanalytics.esps import esp_titles
from bounceanalytics.loading import own_frames
from bounceanalytics.loading.detect import detect
from bounceanalytics.loading.formats import esp_modules, own_exports, reports, unsupported
from bounceanalytics.loading.formats.named_lists import is_address_title, named_list
from bounceanalytics.loading.found import Found
from bounceanalytics.loading.readings import LONGEST, LONGEST_JSON, as_copy, readings
from bounceanalytics.loading.translating.mailboxes import looks_like_mail
from bounceanalytics.loading.translating.printed import is_ruled
from bounceanalytics.loading.translating.yaml_documents import UnfoldedError
from bounceanalytics.opening.archives import read_up_to
from bounceanalytics.opening.encodings import HOLE
from bounceanalytics.opening.sources import HEAD_SIZE, Source, filled
from bounceanalytics.opening.text import BLANKS, BOM, decoded, is_blank
from bounceanalytics.schema import ESPS
from bounceanalytics.wording import in_short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounceanalytics.loading.account import Account
    from bounceanalytics.loading.formats.format import Format

_LONG_HEAD = 16 * 1024**2

Progress = Callable[[str, int, int], None]
OnError = Literal["collect", "raise"]

#: Every format of every ESP in the registry, our own, and those of others that are told apart from them.
FORMATS: tuple[Format, ...] = (
    *own_exports.FORMATS,
    *(fmt for module in esp_modules().values() for fmt in module.FORMATS),
    *unsupported.FORMATS,
    *own_exports.REFUSED,
    reports.ANY_SERVER,
)


def check_options(provider: str | None, on_error: str, timezone: str | None) -> None:
    """Raise ValueError where an option of the loaders is not one of its values."""
    if provider is not None and provider not in ESPS:
        raise FormatError(
            f"provider {in_short(provider)} is not known; it is one of {', '.join(ESPS)}, or None to find out"
        )
    if on_error not in {"collect", "raise"}:
        raise FormatError(f"on_error is {in_short(on_error)}; it must be 'collect' or 'raise'")
    check_timezone(timezone)


def check_timezone(timezone: str | None) -> None:
    """Raise ValueError where a zone is not known, with the one that may be meant.

    >>> check_timezone("berlin")
    Traceback (most recent call last):
        ...
    bounceanalytics.errors.FormatError: timezone 'berlin' is not known; did you mean 'Europe/Berlin'?
    """
    try:
        zoneinfo.ZoneInfo("UTC" if timezone is None else timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = {name.lower(): name for name in sorted(zoneinfo.available_timezones() - {"localtime"})}
        asked = str(timezone).strip().lower().replace(" ", "_")
        close = [name for name in known if name.rpartition("/")[2] == asked.rpartition("/")[2]]
        close = close or difflib.get_close_matches(asked, known, n=1, cutoff=0.8)
        advice = (
            f"did you mean {known[close[-1]]!r}?" if close else "give a name such as 'Europe/Berlin' or 'UTC'"
        )
        raise FormatError(f"timezone {in_short(timezone)} is not known; {advice}") from None


def ticker(progress: Progress, what: str, done: int, size: int, total: int) -> Callable[[float], None]:
    """Return a function that tells the progress within a part of the work; it never goes back."""
    furthest = done

    def tick(share: float) -> None:
        nonlocal furthest
        furthest = max(furthest, done + int(share * size))
        progress(what, furthest, total)

    return tick


def find(
    sources: Sequence[Source], accounts: Sequence[Account], provider: str | None, folder: str
) -> list[tuple[int, Source, Found]]:
    """Detect the format of each file; a file that is no export is an error, or a note where it was met in a folder.

    A source that comes back may be a copy in ``folder``: a table that a program has printed is read as CSV.
    """
    known = []
    for place, (given, account) in enumerate(zip(sources, accounts, strict=True)):
        if given.problem:
            account.notes.append(given.problem)
            continue
        try:
            source, found = _known(given, folder)
        except (FormatError, MissingExtraError) as error:
            if given.alone:
                raise type(error)(f"{given.name} {error}") from None
            account.notes.append(str(error))
            continue
        account.notes += source.notes[len(given.notes) :]
        account.cut = source.cut
        if found.layout == "mail":
            found = _mailbox(source, found, provider)
        problem = _problem(found, provider)
        if problem and source.alone:
            raise FormatError(f"{source.name} {problem}")
        if problem or found.format is None:
            account.notes.append(problem or found.looks)
            continue
        account.provider, account.form = found.format.provider, found.form
        account.zone = found.format.zone
        known.append((place, source, replace(found, only=provider or "")))
    return known


def _mailbox(source: Source, found: Found, provider: str | None) -> Found:
    """Return what a mailbox is if it may hold mails of several senders, or none that gives an event."""
    if found.format is None and not source.alone:  # each mail of a folder counts
        return replace(found, format=reports.ANY_SERVER)
    if provider is None or found.format is None or found.format.provider == provider:
        return found
    only = detect(
        source.head(), source.name, [one for one in FORMATS if one.provider == provider], whole=True
    )
    return only if only.format else found


def _look(source: Source) -> Found:
    """Detect the format of one file; its first record may be longer than the head that is read first."""
    head, blank = source.head(), 0
    if (stored := own_frames.look(source, head)) is not None:
        return stored
    if len(head) >= HEAD_SIZE and is_blank(head):
        head, blank = _head_behind_blanks(source)
    found = detect(head, source.name, FORMATS, whole=len(head) < HEAD_SIZE)
    if found.format is None and len(head) >= HEAD_SIZE and head.lstrip()[:1] in {b"{", b"[", b'"'}:
        with source.open() as stream:
            head = read_up_to(stream, _LONG_HEAD)
        found = detect(head, source.name, FORMATS, whole=len(head) < _LONG_HEAD)
    return replace(found, blank=found.blank + blank) if found.layout == "csv" else found


def _head_behind_blanks(source: Source) -> tuple[bytes, int]:
    """Return the beginning of a text from its first sign on, and how many lines end before that."""
    blank = 0
    with source.open() as stream:
        while block := stream.read(HEAD_SIZE).removeprefix(BOM):
            signs = block.lstrip(BLANKS)
            blank += block.count(b"\n", 0, len(block) - len(signs))
            if signs:
                return signs + read_up_to(stream, HEAD_SIZE), blank
    return b"", blank


def _known(source: Source, folder: str) -> tuple[Source, Found]:
    """Return what a file is, and the file as it is to be read."""
    found = _look(source)
    # of plain lines the engine tells when there are holes further on, which spares looking for them
    trusted = found.plain and not found.wrapped and HOLE not in source.head()
    if not trusted and (whole := filled(source, folder)) is not source:
        source, found = whole, _look(whole)
    if found.format is None and found.layout == "values":
        found = _column_alone(source) or found
    found = _with_name(found, source.name)
    known = found.format is not None and not found.format.refuse
    if found.layout not in _TEXTS or (
        known and not (found.layout == "csv" and is_ruled(decoded(source.head())))
    ):
        return source, found
    most = LONGEST_JSON if source.head().lstrip()[:1] in {b"{", b"["} else LONGEST
    with source.open() as stream:
        raw = read_up_to(stream, most)
    if len(raw) == most or b"\x00" in raw or raw.lstrip()[:1] == b"<" or looks_like_mail(raw):
        return source, found
    try:
        for what, content in readings(decoded(raw.removeprefix(BOM))):
            better = detect(content[:HEAD_SIZE], source.name, FORMATS, whole=len(content) <= HEAD_SIZE)
            better = _with_name(better, source.name)
            if better.format is not None and not better.format.refuse and better.layout in _TEXTS:
                return as_copy(source, content, what, folder), better
            if better.addresses and better.layout != "csv" and found.format is None:
                found = replace(better, looks=better.looks.replace("JSON", what, 1))
    except UnfoldedError:
        found = Found(None, "values", "YAML that unfolds to more than an archive may unpack to")
    return source, found


_TEXTS = {"values", "csv", "log", "lines", "array"}


def _column_alone(source: Source) -> Found | None:
    """Return the table that a text is whose first line may be the title of the addresses below it."""
    lines = [line.strip().strip('"') for line in decoded(source.head().removeprefix(BOM)).splitlines()]
    title, *rest = [line for line in lines if line] or [""]
    if not rest or not is_address_title(title) or not _ADDRESS.fullmatch(rest[0]):
        return None
    return Found(None, "csv", "a list of addresses", header=(title.lower(),), delimiter=",")


_ADDRESS = re.compile(r"[^\s,;@]+@[^\s,;@]+")


def _with_name(found: Found, name: str) -> Found:
    """Return what a table is by the name of its file, where its columns alone do not tell or tell another list."""
    fmt = found.format
    own = fmt is not None and fmt.provider != "generic" and not fmt.refuse
    if found.layout != "csv" or found.wrapped or (found.headless and own):
        return found
    listed = fmt is not None and not fmt.refuse and fmt.name.startswith("suppression list: ")
    listed = listed or (found.headless and fmt is not None)
    if not (fmt is None or fmt.refuse or listed):
        return found
    header = ("@",) if found.headless and fmt else found.header
    told = named_list(name, header, fmt.provider if fmt and listed else "")
    if told is None or (listed and fmt and told.name == fmt.name):
        return found
    return replace(found, format=told, looks=told.title)


def _problem(found: Found, provider: str | None) -> str:
    if found.layout == "empty":
        return ""
    if found.format is None:
        wanted = ESPS[provider] if provider else esp_titles("or")
        advice = ""
        if found.addresses:
            advice = (
                "; if it holds events, name its columns:"
                f' read_table(source, mapping={{"recipient": {found.addresses!r}, …}})'
            )
        elif found.headless:
            advice = "; give it a first line with titles and name the columns in read_table"
        elif found.header:
            advice = "; none of its columns holds addresses, as read_table needs"
        return f"looks like {found.looks}, not like an export of {wanted}{advice}"
    if found.format.refuse:
        return f"looks like {found.format.title}, which cannot be loaded: {found.format.refuse}"
    if provider and found.format.provider != provider:
        return f"looks like {found.format.title}, not like an export of {ESPS[provider]}"
    return ""
