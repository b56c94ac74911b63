"""The manifest of a cleaning run: what went in, by which rules, what came out. It holds no address.

Files of a run are checked against it before anything is made from them.
"""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

from bounceanalytics.cleaning.dialect import Dialect
from bounceanalytics.cleaning.result import FILES, PARTS, Cleaning
from bounceanalytics.errors import FormatError, SourceError
from bounceanalytics.files import complete_files, path_of, settings_text
from bounceanalytics.privacy import discreet, shown
from bounceanalytics.schema import STRING

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pandas as pd

    from bounceanalytics.cleaning.lists import MailingList
    from bounceanalytics.cleaning.matching import Fold

#: Number of the form of the manifest; another one cannot be read.
FORMAT = 1

_PACKAGES = ("bounceanalytics", "duckdb", "numpy", "pandas", "pyarrow")


def manifest_text(
    result: Cleaning,
    mailing_list: MailingList,
    evidence: Mapping[str, object],
    folding: Fold,
    files: Mapping[str, Mapping[str, object]],
    seconds: float,
) -> str:
    """Return the manifest of a run as JSON."""
    content = {
        "format": FORMAT,
        "version": _version("bounceanalytics"),
        "input": _input(mailing_list),
        "read_as": result.read_as,
        "evidence": evidence,
        "matching": {
            "fold_subaddresses": folding.subaddresses,
            "fold_gmail_dots": folding.gmail_dots,
            "rows_by_fold": result.folded,
        },
        "rows": result.rows,
        "reasons": result.reasons.to_dict("records"),
        "duplicates": result.duplicates,
        "without_events": result.without_events,
        "policy": result.policy,
        "files": files,
        "versions": {name: _version(name) for name in _PACKAGES} | {"python": platform.python_version()},
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def account_of(sources: pd.Series, addresses: int, kind: str) -> dict[str, object]:
    """Return what the manifest says of the events or verdicts: their sources, with the rows of each.

    Parameters
    ----------
    sources : pandas.Series
        The column ``source``.
    addresses : int
        How many addresses there are verdicts on.
    kind : {'events', 'verdicts'}
        What the rows are.
    """
    counts = sources.astype(STRING).fillna("").value_counts().sort_index()
    return {
        "kind": kind,
        "rows": len(sources),
        "addresses": addresses,
        "sources": [
            {"name": discreet(str(name)), "rows": int(rows)} for name, rows in counts.items() if name
        ],
    }


def checksum(path: Path) -> dict[str, object]:
    """Return name, size and SHA-256 of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"name": path.name, "bytes": file.tell(), "sha256": digest}


@dataclass(frozen=True, slots=True)
class Run:
    """A run that lies in a folder, whole and unchanged.

    Attributes
    ----------
    folder : Path
    manifest : dict
    dialect : Dialect
        How the list was written; without the names of its columns.
    head_length : int
        Bytes of the list's mark and header.
    """

    folder: Path
    manifest: dict[str, Any]
    dialect: Dialect
    head_length: int

    def file(self, name: str) -> Path:
        """Return where a file of the run lies."""
        return self.folder / FILES[name]


def open_run(run: Cleaning | str | os.PathLike[str]) -> Run:
    """Return a run after looking whether everything that gives back rows is there and as it was written.

    Parameters
    ----------
    run : Cleaning or path
        A result of ``clean``, or its folder.

    Raises
    ------
    SourceError
        If there is no run, or a file of it is missing.
    FormatError
        If a file of it was changed, or another version of this package wrote it.
    """
    folder = run.folder if isinstance(run, Cleaning) else path_of(run)
    manifest = _read(folder)
    _check(folder, manifest, (*PARTS, "rows"))
    about = manifest["input"]
    dialect = Dialect(
        about["encoding"],
        b"",
        about["delimiter"],
        about["line_end"],
        () if about["header"] else None,
        about["columns"],
        about["address_position"],
    )
    return Run(folder, manifest, dialect, about["head_bytes"])


def _read(folder: Path) -> dict[str, Any]:
    path = folder / FILES["manifest"]
    if not folder.is_dir():
        raise SourceError(f"{folder} is no folder of a run")
    if not path.exists():
        complete_files(folder)
    try:
        manifest: dict[str, Any] = json.loads(settings_text(path))
    except FileNotFoundError:
        raise SourceError(
            f"{folder} holds no complete run, as {path.name} is missing; clean the list again"
        ) from None
    except (OSError, ValueError, RecursionError):
        raise FormatError(f"{path} cannot be read as a manifest; clean the list again") from None
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise FormatError(
            f"{path} is a manifest of form {found!r} and this version reads form {FORMAT}; "
            "use the version that wrote it"
        )
    return manifest


def _check(folder: Path, manifest: Mapping[str, Any], names: Iterable[str]) -> None:
    for name in names:
        told = manifest["files"][name]
        path = folder / FILES[name]
        try:
            if not path.is_file():
                raise SourceError(f"{path} is missing; without it the run cannot be undone or compared")
            same = path.stat().st_size == told["bytes"] and checksum(path)["sha256"] == told["sha256"]
        except OSError as error:
            if isinstance(error, SourceError):
                raise
            raise SourceError(f"{path} cannot be read: {error.strerror}") from None
        if not same:
            raise FormatError(
                f"{path} was changed after the run; put back the file as it was, or clean again"
            )


def _input(mailing_list: MailingList) -> dict[str, object]:
    dialect, identity = mailing_list.dialect, mailing_list.identity()
    return {
        "name": mailing_list.name,
        "member": mailing_list.member,
        "bytes": identity.bytes,
        "sha256": identity.sha256,
        "content_bytes": identity.content_bytes,
        "content_sha256": identity.content_sha256,
        "sheet": mailing_list.sheet,
        "encoding": dialect.encoding,
        "delimiter": dialect.delimiter,
        "line_end": dialect.line_end,
        "header": dialect.header is not None,
        "head_bytes": len(dialect.mark) + mailing_list.header_length,
        "columns": dialect.columns,
        "address_column": shown(dialect.header[dialect.address]) if dialect.header else dialect.address,
        "address_position": dialect.address,
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
