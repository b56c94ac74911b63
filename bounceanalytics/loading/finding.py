"""Detect the export format of every source file."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from bounceanalytics.errors import FormatError
from bounceanalytics.esps import esp_titles
from bounceanalytics.loading import own_frames
from bounceanalytics.loading.detect import detect, with_cells
from bounceanalytics.loading.formats import esp_modules, own_exports, unsupported
from bounceanalytics.opening.archives import read_up_to
from bounceanalytics.opening.sources import HEAD_SIZE, Source
from bounceanalytics.schema import ESPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounceanalytics.loading.formats.format import Format
    from bounceanalytics.loading.found import Found
    from bounceanalytics.loading.reading import Account

_LONG_HEAD = 16 * 1024**2

Progress = Callable[[str, int, int], None]
OnError = Literal["collect", "raise"]

#: Every format of every ESP in the registry, our own, and those of others that are told apart from them.
FORMATS: tuple[Format, ...] = (
    *own_exports.FORMATS,
    *(fmt for module in esp_modules().values() for fmt in module.FORMATS),
    *unsupported.FORMATS,
    *own_exports.REFUSED,
)


def check_options(provider: str | None, on_error: str, timezone: str | None) -> None:
    """Raise ValueError where an option of the loaders is not one of its values."""
    if provider is not None and provider not in ESPS:
        raise ValueError(
            f"provider {provider!r} is not known; it is one of {', '.join(ESPS)}, or None to find out"
        )
    if on_error not in {"collect", "raise"}:
        raise ValueError(f"on_error is {on_error!r}; it must be 'collect' or 'raise'")
    try:
        zoneinfo.ZoneInfo("UTC" if timezone is None else timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"timezone {timezone!r} is not known; give a name such as 'Europe/Berlin' or 'UTC'"
        ) from error


def ticker(progress: Progress, what: str, done: int, size: int, total: int) -> Callable[[float], None]:
    """Return a function that tells the progress within a part of the work; it never goes back."""
    furthest = done

    def tick(share: float) -> None:
        nonlocal furthest
        furthest = max(furthest, done + int(share * size))
        progress(what, furthest, total)

    return tick


def find(
    sources: Sequence[Source], accounts: Sequence[Account], provider: str | None
) -> list[tuple[int, Source, Found]]:
    """Detect the format of each file; a file that is no export is an error, or a note where it was met in a folder."""
    known = []
    for place, (source, account) in enumerate(zip(sources, accounts, strict=True)):
        if source.problem:
            account.notes.append(source.problem)
            continue
        found = _look(source)
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


def _look(source: Source) -> Found:
    """Detect the format of one file; its first record may be longer than the head that is read first."""
    head = source.head()
    if (stored := own_frames.look(source, head)) is not None:
        return stored if stored.format else with_cells(stored, own_frames.rows_of(source.path, stored.layout))
    found = detect(head, source.name, FORMATS, whole=len(head) < HEAD_SIZE)
    if found.format is None and len(head) >= HEAD_SIZE and head.lstrip()[:1] in {b"{", b"[", b'"'}:
        with source.open() as stream:
            head = read_up_to(stream, _LONG_HEAD)
        found = detect(head, source.name, FORMATS, whole=len(head) < _LONG_HEAD)
    return found


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
        elif found.header:
            advice = "; none of its columns holds addresses, as read_table needs"
        return f"looks like {found.looks}, not like an export of {wanted}{advice}"
    if found.format.refuse:
        return f"looks like {found.format.title}, which cannot be loaded: {found.format.refuse}"
    if provider and found.format.provider != provider:
        return f"looks like {found.format.title}, not like an export of {ESPS[provider]}"
    return ""
