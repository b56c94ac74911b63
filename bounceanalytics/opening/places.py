"""Places that sources come from: content, paths, globs, folders, URLs -> files on disk, packed as they were."""

from __future__ import annotations

import glob
import importlib
import io
import os
import re
import stat
import sys
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bounceanalytics.errors import MissingExtraError, SourceError, listed
from bounceanalytics.opening import archives
from bounceanalytics.privacy import is_content, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

_DOWNLOADS = 8  # at a time

# a drive of Windows has one letter; fsspec puts what it does with a file before it, as in simplecache::s3://
_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]+::)*[A-Za-z][A-Za-z0-9+.-]+://")


@dataclass(frozen=True, slots=True)
class Given:
    """One file that a caller handed in.

    Attributes
    ----------
    name : str
        How it was called: a path as it was written, the name in its folder, or a URL without what is secret in it.
    path : Path
        Where it is.
    alone : bool
        The caller named this very file; False if it was met in a folder or a glob.
    copied : bool
        It is a temporary copy of what is not on disk.
    problem : str
        Why it cannot be read, in words that go on after its name; only where it is not ``alone``.
    """

    name: str
    path: Path
    alone: bool = True
    copied: bool = False
    problem: str = ""


def given_files(source: Any, folder: str, *, one: bool = False) -> Iterator[Given]:
    """Yield the files that ``source`` stands for.

    Parameters
    ----------
    source : str, path, bytes, binary file, Given, or a list of these
        A file, a folder (with all that is in it), a glob, a URL, ``"-"`` for standard input, the content itself or an
        open file; what was given before is there already.
    folder : str
        A temporary folder for copies of what is not on disk.
    one : bool, default False
        Refuse what stands for several files, before any of them is fetched.

    Raises
    ------
    SourceError
        If there is nothing there, or it cannot be read.
    MissingExtraError
        If it is a URL, and what reads that is not installed.
    """
    if isinstance(source, Given):
        yield source
    elif isinstance(source, (bytes, bytearray, memoryview)):
        yield _copied(io.BytesIO(source), "<bytes>", folder)
    elif hasattr(source, "read"):
        yield _from_stream(source, folder)
    elif isinstance(source, (str, os.PathLike)):
        yield from _from_text(os.fspath(source), folder, one=one)
    elif isinstance(source, (list, tuple, set, frozenset, Iterator)):
        # a set has no order of its own; the result shall have one
        items = sorted(source, key=str) if isinstance(source, (set, frozenset)) else source
        count = 0
        for count, item in enumerate(items, start=1):
            if one and count > 1:
                raise SourceError("several files were given; give one of them")
            yield from given_files(item, folder, one=one)
        if not count:
            raise SourceError("the list of sources is empty; name at least one file")
    else:
        raise SourceError(
            f"cannot read from {type(source).__name__}; give a path, a folder, bytes or an open file"
        )


def reason(error: Exception) -> str:
    """Return why the system, or a library, says no: a few words without what is secret."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, FileNotFoundError):
        return "there is nothing of that name"
    if isinstance(error, PermissionError):
        return "access is denied"
    lines = str(error).strip().splitlines()
    text = re.sub(r"\S+://\S+", lambda match: _public(match[0]), lines[0]) if lines else type(error).__name__
    return listed([text]).rstrip(". ")


# content that is handed in


def _from_stream(stream: Any, folder: str) -> Given:
    if stream is sys.stdin:
        stream, name = getattr(stream, "buffer", stream), "<stdin>"
    else:
        given = getattr(stream, "name", None)
        name = given if isinstance(given, str) else "<stream>"
    return _copied(stream, name, folder)


def _from_stdin(folder: str) -> Given:
    if sys.stdin is None or sys.stdin.closed:
        raise SourceError("there is no standard input here; give a path instead of '-'")
    if sys.stdin.isatty():
        raise SourceError("standard input is a terminal; send a file to it, as in: command < export.json")
    return _from_stream(sys.stdin, folder)


def _copied(stream: Any, name: str, folder: str) -> Given:
    """Copy a stream to disk, where the engine reads it with all its threads."""
    wrong = SourceError(f"{shown(name)} is open as text; open it in binary mode, open(path, 'rb')")
    if isinstance(stream, io.TextIOBase):
        raise wrong
    try:
        return Given(name, _whole_copy(_Checked(stream, wrong), folder), copied=True)
    except SourceError:
        raise
    except (OSError, EOFError, ValueError) as error:  # the last of a file that is closed
        raise SourceError(f"cannot read {shown(name)}: {reason(error)}") from None


def _whole_copy(stream: Any, folder: str) -> Path:
    done = archives.copy(stream, folder)
    if not done.complete:
        archives.delete([done.path])
        raise EOFError("it is damaged or ends too early")
    return done.path


class _Checked:
    """A stream of the caller, which may give anything."""

    def __init__(self, stream: Any, wrong: SourceError) -> None:
        self._stream, self._wrong = stream, wrong

    def read(self, size: int) -> Any:
        piece = self._stream.read(size)
        if isinstance(piece, str):
            raise self._wrong
        return piece


# what is on disk


def _from_text(text: str | bytes, folder: str, *, one: bool) -> Iterable[Given]:
    name = os.fsdecode(text)
    if name == "-":
        return [_from_stdin(folder)]
    if name.lower().startswith("file://"):
        from urllib.request import url2pathname  # noqa: PLC0415 - brings the whole of http with it

        name = url2pathname(urllib.parse.urlsplit(name).path)
    elif _URL.match(name):
        return _from_url(name, folder, one=one)
    if not name:
        raise SourceError("the path is empty; name a file or a folder")
    return _on_disk(name, folder, one=one)


def _on_disk(name: str, folder: str, *, one: bool) -> Iterable[Given]:
    path = Path(name)
    mode = _mode(path)
    if mode is None and name.startswith("~"):
        path = Path(os.path.expanduser(name))  # noqa: PTH111 - Path's own raises where there is no such user
        mode = _mode(path)
    if mode is None:
        if glob.has_magic(name) and not is_content(name):
            return _from_glob(name, str(path), one=one)
        raise SourceError(f"there is no file or folder {_shortened(name)}")
    if stat.S_ISDIR(mode):
        if one:
            raise SourceError(f"{shown(name)} is a folder; name a file in it")
        return _from_folder(path, name)
    if stat.S_ISREG(mode):
        return [Given(name, path)]
    if not stat.S_ISFIFO(mode) and name != os.devnull:
        raise SourceError(f"{shown(name)} is neither a file nor a folder; name one of these")
    # a pipe, as of a shell's <(command)
    try:
        with path.open("rb") as stream:
            return [_copied(stream, name, folder)]
    except OSError as error:
        raise _no_access(name, error) from None


def _mode(path: Path) -> int | None:
    """Return what a path is, or None if it is nothing, or no path at all."""
    try:
        return path.stat().st_mode
    except PermissionError as error:
        raise _no_access(str(path), error) from None
    except (OSError, ValueError):
        return None


def _no_access(name: str, error: OSError) -> SourceError:
    if isinstance(error, SourceError):
        return error
    return SourceError(f"cannot open {shown(name)}: {reason(error)}")


def _shortened(name: str) -> str:
    # someone may have passed the content of an export where its path belongs
    if len(name) <= 200 and not is_content(name):
        return shown(name)
    return f"of that name ({len(name):,} characters long); the content of an export is given as bytes"


def _from_glob(name: str, pattern: str, *, one: bool) -> list[Given]:
    matches = sorted(Path(match) for match in glob.glob(pattern, recursive=True))  # noqa: PTH207 - also absolute ones
    modes = [(match, _mode(match)) for match in matches]
    files = [match for match, mode in modes if mode is not None and stat.S_ISREG(mode)]
    files = [file for file in files if not archives.is_bookkeeping(file.as_posix())]
    if one and len(files) > 1:
        raise SourceError(f"{len(files):,} files match {shown(name)}; name one of them")
    if files:
        return [Given(str(file), file, alone=False) for file in files]
    folders = [match for match, mode in modes if mode is not None and stat.S_ISDIR(mode)]
    if not folders:
        raise SourceError(f"no file matches {shown(name)}")
    if one:
        raise SourceError(f"{shown(str(folders[0]))} is a folder; name a file in it")
    found = [file for folder in folders for file in _files_in(folder, f"{folder}/")]
    if not found:
        raise SourceError(f"the folders that match {shown(name)} hold no files")
    return found


def _from_folder(path: Path, name: str) -> list[Given]:
    found = _files_in(path, "")
    if not found:
        raise SourceError(f"the folder {shown(name)} holds no files")
    return found


def _files_in(path: Path, prefix: str) -> list[Given]:
    """Return what is in a folder, in the order of names; folders in it that cannot be read are told, too."""
    found: dict[str, Path] = {}
    errors: list[OSError] = []
    for base, _, names in os.walk(path, onerror=errors.append):
        inner = Path(base).relative_to(path)
        found |= {(inner / name).as_posix(): Path(base, name) for name in names}
    closed: dict[str, Given] = {}
    for error in errors:
        place = Path(error.filename)
        if place == path:
            raise SourceError(f"cannot open the folder {shown(str(path))}: {reason(error)}")
        name = place.relative_to(path).as_posix()
        problem = f"cannot be opened: {reason(error)}"
        closed[name] = Given(prefix + name, place, alone=False, problem=problem)
    files: list[Given] = []
    for name in sorted({*found, *closed}, key=lambda name: name.split("/")):
        if name in closed:
            files.append(closed[name])
        elif not archives.is_bookkeeping(name) and _is_file(found[name]):
            files.append(Given(prefix + name, found[name], alone=False))
    return files


def _is_file(path: Path) -> bool:
    # not a pipe, which would wait for ever, nor a link to what is gone
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except PermissionError:
        return True  # told when it is opened
    except OSError:
        return False


# what is elsewhere


def _from_url(url: str, folder: str, *, one: bool) -> list[Given]:
    system, files, alone = listed_url(url, one=one)
    called = _public(url)

    def fetch(file: tuple[str, str]) -> Given:
        try:
            with system.open(file[0], "rb") as stream:
                return Given(file[1], _whole_copy(stream, folder), alone, copied=True)
        except SourceError:
            raise
        except Exception as error:
            if alone:
                raise _unreachable(called, error) from None
            return Given(file[1], Path(), alone, problem=f"cannot be fetched: {reason(error)}")

    # small objects by the thousand take as long as their round trips; only these systems are safe in threads
    if getattr(system, "async_impl", False) and len(files) > 1:
        with ThreadPoolExecutor(_DOWNLOADS) as workers:
            return list(workers.map(fetch, files))
    return [fetch(file) for file in files]


def is_url(text: str) -> bool:
    """Return whether a text names something that is fetched from elsewhere."""
    return bool(_URL.match(text)) and not text.lower().startswith("file://")


def listed_url(url: str, *, one: bool = False) -> tuple[Any, list[tuple[str, str]], bool]:
    """Return the file system of a URL, the files that it stands for with their names, and whether it is one itself.

    Raises
    ------
    SourceError
        If there is nothing there, or it cannot be reached.
    MissingExtraError
        If what reads it is not installed.
    """
    called = _public(url)
    try:
        url_to_fs = importlib.import_module("fsspec.core").url_to_fs
    except ImportError:
        raise MissingExtraError(
            f"{shown(called)} is a URL, and reading it needs fsspec; pip install 'bounceanalytics[remote]'"
        ) from None
    # each file system of fsspec raises what its own libraries do
    try:
        system, path = url_to_fs(url)
        files, alone = _listed(system, path, called)
        if one and len(files) > 1:
            raise SourceError(f"{shown(called)} stands for {len(files):,} files; name one of them")  # noqa: TRY301
    except SourceError:
        raise
    except ImportError as error:
        raise MissingExtraError(
            f"{shown(called)} needs a package that is not installed ({reason(error)});"
            " pip install 'bounceanalytics[remote]', or that package"
        ) from None
    except Exception as error:
        raise _unreachable(called, error) from None
    return system, files, alone


def _listed(system: Any, path: str, called: str) -> tuple[list[tuple[str, str]], bool]:
    """Return the files that a path stands for, each with its name for us, and whether it is one file itself."""
    web = called.lower().startswith(("http:", "https:"))
    if web and "*" not in called:
        return [(path, called)], True  # a page has no folders, and a question mark in its address is no glob
    try:
        folder = system.info(path)["type"] == "directory"
    except FileNotFoundError:
        if not glob.has_magic(path):
            raise
    else:
        if not folder:
            return [(path, called)], True
        top = path.rstrip("/") + "/"
        found = [(one, one.removeprefix(top)) for one in _remote_files(system.find(path, detail=True))]
        if not found:
            raise SourceError(f"the folder {shown(called)} holds no files")
        return found, False
    found = [(one, system.unstrip_protocol(one)) for one in _remote_files(system.glob(path, detail=True))]
    if not found:
        raise SourceError(f"no file matches {shown(called)}")
    return found, False


def _remote_files(listing: dict[str, Any]) -> list[str]:
    # object stores mark a folder by an empty object whose name ends in a slash
    files = [name for name, about in listing.items() if about["type"] == "file" and not name.endswith("/")]
    return sorted(name for name in files if not archives.is_bookkeeping(name))


def _public(url: str) -> str:
    """Return a URL without what lets its holder in: a password, or the signature of a link that was shared."""
    url = re.sub(r"(?<=://)[^/?#]*@", "", url)
    return re.split(r"[?#]", url, maxsplit=1)[0] if url.lower().startswith(("http:", "https:")) else url


def _unreachable(called: str, error: Exception) -> SourceError:
    return SourceError(f"cannot read {shown(called)}: {reason(error)}")
