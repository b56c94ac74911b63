"""Opening sources: paths, globs, archives, URLs, streams -> files that the engine reads. Opening is not parsing."""

from __future__ import annotations

import glob
import importlib
import io
import os
import re
import shutil
import stat
import sys
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from bounceanalytics.errors import MissingExtraError, SourceError
from bounceanalytics.opening import archives, encodings
from bounceanalytics.opening.archives import DAMAGED, Budget, RefusedError, read_up_to, shown

if TYPE_CHECKING:
    from bounceanalytics.opening.archives import Kind, Member

__all__ = ["DAMAGED", "HEAD_SIZE", "Source", "open_sources", "read_up_to", "recoded"]

#: How much of a file is looked at to tell what it is.
HEAD_SIZE = 256 * 1024

# an archive may lie in another one, and no deeper
_DEEPEST = 2
_SNIFF = 4096
_DOWNLOADS = 8  # at a time

# a drive of Windows has one letter; fsspec puts what it does with a file before it, as in simplecache::s3://
_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]+::)*[A-Za-z][A-Za-z0-9+.-]+://")


# what begins like an export, or has lines, is no path
_CONTENT = re.compile(r'\s*(?:[{<]|\[\s*["{\[\]])|[^\n]*\n')


@dataclass(frozen=True, slots=True)
class Source:
    """One file on disk.

    Attributes
    ----------
    name : str
        What the ``source`` column says; of a member of an archive, with the archive's name before it.
    path : str
        Where it is; a temporary file where what the caller gave is not one that the engine can read.
    size : int
        Bytes on disk.
    packing : {'none', 'gzip', 'zstd'}
        Found from the first bytes, never from the name; the engine unpacks both itself.
    alone : bool
        The caller named this very file, so that it must be an export; False if it was met in a folder, a glob or
        an archive of several files.
    notes : tuple of str
        What to tell about how it was opened.
    problem : str
        Why it cannot be read, in words that go on after its name; only where it is not ``alone``.
    """

    name: str
    path: str
    size: int
    packing: Literal["none", "gzip", "zstd"]
    alone: bool
    notes: tuple[str, ...] = ()
    problem: str = ""

    def open(self) -> IO[bytes]:
        """Open it for reading unpacked bytes; a damaged one raises one of ``DAMAGED`` where the damage is."""
        return archives.open_packed(self.path, self.packing)

    def head(self) -> bytes:
        """Return the first unpacked bytes; of a damaged file, as many as there are."""
        with self.open() as stream:
            return read_up_to(stream, HEAD_SIZE)


def open_sources(source: Any, folder: str) -> list[Source]:
    """Return the files that ``source`` stands for.

    Parameters
    ----------
    source : str, path, bytes, binary file, or a list of these
        A file, a folder (with all that is in it), a glob, an archive, a URL, ``"-"`` for standard input, the content
        itself or an open file.
    folder : str
        A temporary folder for what is not on disk as the engine reads it.

    Raises
    ------
    SourceError
        If there is nothing there, or a file that was named cannot be read.
    MissingExtraError
        If it is a URL, and what reads that is not installed.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _from_spool(_spooled(io.BytesIO(source), "<bytes>", folder), "<bytes>", folder, alone=True)
    if hasattr(source, "read"):
        return _from_stream(source, folder)
    if isinstance(source, (str, os.PathLike)):
        return _from_text(os.fspath(source), folder)
    if isinstance(source, (list, tuple, set, frozenset, Iterator)):
        # a set has no order of its own; the result shall have one
        items = sorted(source, key=str) if isinstance(source, (set, frozenset)) else source
        found = [one for item in items for one in open_sources(item, folder)]
        if not found:
            raise SourceError("the list of sources is empty; name at least one file")
        return found
    raise SourceError(
        f"cannot read from {type(source).__name__}; give a path, a folder, bytes or an open file"
    )


def recoded(source: Source, folder: str) -> Source | None:
    """Return a copy of a file in UTF-8, or None if it is in UTF-8 itself.

    Lines that are UTF-8 stay as they are; each other one comes from a program that wrote Windows' Western code page.

    Parameters
    ----------
    source : Source
    folder : str
        A temporary folder for the copy.
    """
    with source.open() as stream:
        if encodings.is_utf8(stream):
            return None
    with source.open() as stream, archives.temporary(folder) as out:
        count, complete = encodings.mend(stream, out)
    lines = "1 line was" if count == 1 else f"{count:,} lines were"
    note = f"not UTF-8; {lines} read as Windows-1252 (Western European)"
    notes = (*source.notes, note) if complete else (*source.notes, note, _cut_note(source.packing))
    return replace(source, path=out.name, size=Path(out.name).stat().st_size, packing="none", notes=notes)


def _cut_note(kind: str) -> str:
    return f"{archives.TITLES.get(kind, 'a file')} that is damaged or ends too early: what is left of it was read"


# content that is handed in


def _from_stream(stream: Any, folder: str) -> list[Source]:
    if stream is sys.stdin:
        stream, name = getattr(stream, "buffer", stream), "<stdin>"
    else:
        given = getattr(stream, "name", None)
        name = given if isinstance(given, str) else "<stream>"
    return _from_spool(_spooled(stream, name, folder), name, folder, alone=True)


def _from_stdin(folder: str) -> list[Source]:
    if sys.stdin is None or sys.stdin.closed:
        raise SourceError("there is no standard input here; give a path instead of '-'")
    if sys.stdin.isatty():
        raise SourceError("standard input is a terminal; send an export to it, as in: command < export.json")
    return _from_stream(sys.stdin, folder)


def _spooled(stream: Any, name: str, folder: str) -> Path:
    """Copy a stream to disk, where the engine reads it with all its threads."""
    wrong = SourceError(f"{shown(name)} is open as text; open it in binary mode, open(path, 'rb')")
    if isinstance(stream, io.TextIOBase):
        raise wrong
    try:
        return _whole_copy(_Checked(stream, wrong), folder)
    except SourceError:
        raise
    except (OSError, EOFError, ValueError) as error:  # the last of a file that is closed
        raise SourceError(f"cannot read {shown(name)}: {_reason(error)}") from None


def _from_spool(path: Path, name: str, folder: str, *, alone: bool) -> list[Source]:
    found = _examined(path, name, folder, alone=alone)
    if all(source.path != str(path) for source in found):
        archives.delete([path])  # what was packed in it is there now
    return found


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


def _from_text(text: str | bytes, folder: str) -> list[Source]:
    name = os.fsdecode(text)
    if name == "-":
        return _from_stdin(folder)
    if name.lower().startswith("file://"):
        from urllib.request import url2pathname  # noqa: PLC0415 - brings the whole of http with it

        name = url2pathname(urllib.parse.urlsplit(name).path)
    elif _URL.match(name):
        return _from_url(name, folder)
    if not name:
        raise SourceError("the path is empty; name a file or a folder")
    return _on_disk(name, folder)


def _on_disk(name: str, folder: str) -> list[Source]:
    path = Path(name)
    mode = _mode(path)
    if mode is None and name.startswith("~"):
        path = Path(os.path.expanduser(name))  # noqa: PTH111 - Path's own raises where there is no such user
        mode = _mode(path)
    if mode is None:
        if glob.has_magic(name) and not _CONTENT.match(name):
            return _from_glob(name, str(path), folder)
        raise SourceError(f"there is no file or folder {_shortened(name)}")
    if stat.S_ISDIR(mode):
        return _from_folder(path, name, folder)
    if stat.S_ISREG(mode):
        return _examined(path, name, folder, alone=True)
    if not stat.S_ISFIFO(mode) and name != os.devnull:
        raise SourceError(f"{shown(name)} is neither a file nor a folder; name one of these")
    # a pipe, as of a shell's <(command)
    try:
        with path.open("rb") as stream:
            spooled = _spooled(stream, name, folder)
    except OSError as error:
        raise _no_access(name, error) from None
    return _from_spool(spooled, name, folder, alone=True)


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
    return SourceError(f"cannot open {shown(name)}: {_reason(error)}")


def _shortened(name: str) -> str:
    # someone may have passed the content of an export where its path belongs
    if len(name) <= 200 and not _CONTENT.match(name):
        return shown(name)
    return f"of that name ({len(name):,} characters long); the content of an export is given as bytes"


def _from_glob(name: str, pattern: str, folder: str) -> list[Source]:
    matches = sorted(Path(one) for one in glob.glob(pattern, recursive=True))  # noqa: PTH207 - also absolute ones
    modes = [(one, _mode(one)) for one in matches]
    files = [one for one, mode in modes if mode is not None and stat.S_ISREG(mode)]
    files = [one for one in files if not archives.is_bookkeeping(one.as_posix())]
    if files:
        return [source for one in files for source in _examined(one, str(one), folder, alone=False)]
    folders = [one for one, mode in modes if mode is not None and stat.S_ISDIR(mode)]
    if not folders:
        raise SourceError(f"no file matches {shown(name)}")
    found = [source for one in folders for source in _files_in(one, f"{one}/", folder)]
    if not found:
        raise SourceError(f"the folders that match {shown(name)} hold no files")
    return found


def _from_folder(path: Path, name: str, folder: str) -> list[Source]:
    found = _files_in(path, "", folder)
    if not found:
        raise SourceError(f"the folder {shown(name)} holds no files")
    return found


def _files_in(path: Path, prefix: str, folder: str) -> list[Source]:
    """Return what is in a folder, in the order of names; folders in it that cannot be read are told, too."""
    found: dict[str, Path] = {}
    errors: list[OSError] = []
    for base, _, names in os.walk(path, onerror=errors.append):
        inner = Path(base).relative_to(path)
        found |= {(inner / name).as_posix(): Path(base, name) for name in names}
    closed: dict[str, Source] = {}
    for error in errors:
        place = Path(error.filename)
        if place == path:
            raise SourceError(f"cannot open the folder {shown(str(path))}: {_reason(error)}")
        name = place.relative_to(path).as_posix()
        problem = f"cannot be opened: {_reason(error)}"
        closed[name] = Source(_as_text(prefix + name), str(place), 0, "none", False, problem=problem)
    sources: list[Source] = []
    for name in sorted({*found, *closed}, key=lambda name: name.split("/")):
        if name in closed:
            sources.append(closed[name])
        elif not archives.is_bookkeeping(name) and _is_file(found[name]):
            sources += _examined(found[name], prefix + name, folder, alone=False)
    return sources


def _is_file(path: Path) -> bool:
    # not a pipe, which would wait for ever, nor a link to what is gone
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except PermissionError:
        return True  # told when it is opened
    except OSError:
        return False


# what is in a file


def _examined(
    path: Path,
    name: str,
    folder: str,
    *,
    alone: bool,
    depth: int = 0,
    budget: Budget | None = None,
) -> list[Source]:
    """Return the sources that one file stands for: itself, or what is packed in it.

    Parameters
    ----------
    path : Path
    name : str
    folder : str
    alone : bool
        A problem is an error; else it is told with the file.
    depth : int
        How many archives it lies in.
    budget : Budget, optional
        Of the outermost of these.
    """
    name = _as_text(name)
    size = 0
    try:
        try:
            size = path.stat().st_size
            return _contents(path, name, folder, alone, depth, budget or Budget(size))
        except SourceError:
            raise
        except OSError as error:
            raise RefusedError(f"cannot be opened: {_reason(error)}") from None
    except RefusedError as error:
        if error.whole and depth:
            raise
        if alone:
            raise SourceError(f"{shown(name)} {error}") from None
        return [Source(name, str(path), size, "none", alone, problem=str(error))]


def _as_text(name: str) -> str:
    # a name on disk may be no text, and the frame holds nothing else
    return name.encode("utf-8", "replace").decode("utf-8")


def _contents(path: Path, name: str, folder: str, alone: bool, depth: int, budget: Budget) -> list[Source]:
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = read_up_to(stream, _SNIFF)
    kind = archives.kind_of(head, size)
    packing: Kind = ""
    if kind not in {"", "zip", "tar"}:
        packing = kind
        with archives.open_packed(path, packing) as stream:
            head, sound = archives.read_start(stream, _SNIFF)
        if not head and not sound:
            raise RefusedError(
                f"is {archives.TITLES[packing]} that is damaged: nothing in it can be unpacked; fetch it again"
            )
        kind = archives.kind_of(head, archives.MAGIC_SIZE)
    if not kind or (kind == "zip" and not packing and archives.is_document(path)):
        return [_leaf(path, name, folder, alone, packing, head, budget)]
    if depth >= _DEEPEST:
        raise RefusedError(
            "lies too deep, as an archive within an archive within an archive; unpack it yourself and give the folder"
        )
    if kind in {"zip", "tar"} and not (packing and kind == "zip"):
        members = archives.unpack(path, kind, packing, folder, budget)
        if depth:
            archives.delete([path])
        return _members(members, name, folder, alone, depth + 1, budget)
    with archives.open_packed(path, packing) as stream:
        inner = archives.copy(stream, folder, budget)
    # packed twice, or an archive packed as a whole: the outer packing is no folder that its name would show
    return _examined(inner.path, name, folder, alone=alone, depth=depth + 1, budget=budget)


def _members(
    members: list[Member], name: str, folder: str, alone: bool, depth: int, budget: Budget
) -> list[Source]:
    alone = alone and len(members) == 1
    found: list[Source] = []
    try:
        for member in members:
            called = f"{name}/{member.name}"
            found += _examined(member.path, called, folder, alone=alone, depth=depth, budget=budget)
    except BaseException:
        archives.delete([*(member.path for member in members), *(Path(source.path) for source in found)])
        raise
    return found


def _leaf(
    path: Path, name: str, folder: str, alone: bool, packing: Kind, head: bytes, budget: Budget
) -> Source:
    """Return the source of a file that is no archive, as the engine can read it."""
    notes: tuple[str, ...] = ()
    if packing in {"bzip2", "xz"}:
        with archives.open_packed(path, packing) as stream:
            done = archives.copy(stream, folder, budget)
        notes = () if done.complete else (_cut_note(packing),)
        path, packing = done.path, ""
    elif packing:
        archives.check_ratio(path, packing, path.stat().st_size)
    source = _source(path, name, alone, packing, notes)
    if encodings.is_settled(head):
        return _aliased(source, folder)
    head = source.head()
    script = encodings.script_of(head, whole=len(head) < HEAD_SIZE)
    if script == encodings.PLAIN:
        return _aliased(source, folder)
    with source.open() as stream, archives.temporary(folder) as out:
        complete = encodings.to_utf8(stream, out, script)
    notes += script.notes
    if not complete:
        notes += (_cut_note(packing),)
    return _source(Path(out.name), name, alone, "", notes)


def _source(path: Path, name: str, alone: bool, packing: Kind, notes: tuple[str, ...]) -> Source:
    native = packing if packing in {"gzip", "zstd"} else "none"
    return Source(name, str(path), path.stat().st_size, native, alone, notes)


def _aliased(source: Source, folder: str) -> Source:
    """Give a file another name where the engine would take its own for a glob, or for no text."""
    path = Path(source.path)
    if path.parent == Path(folder) or (source.path.isprintable() and not glob.has_magic(source.path)):
        return source
    with archives.new_file(folder) as taken:
        alias = Path(taken.name)
    alias.unlink()
    target = path.absolute()
    try:
        alias.symlink_to(target)
    except OSError:  # Windows lets only some users do that
        shutil.copyfile(target, alias)
    return replace(source, path=str(alias))


# what is elsewhere


def _from_url(url: str, folder: str) -> list[Source]:
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
    except SourceError:
        raise
    except ImportError as error:
        raise MissingExtraError(
            f"{shown(called)} needs a package that is not installed ({_reason(error)});"
            " pip install 'bounceanalytics[remote]', or that package"
        ) from None
    except Exception as error:
        raise _unreachable(called, error) from None

    def fetch(file: tuple[str, str]) -> Path | Source:
        try:
            with system.open(file[0], "rb") as stream:
                return _whole_copy(stream, folder)
        except SourceError:
            raise
        except Exception as error:
            if alone:
                raise _unreachable(called, error) from None
            return Source(file[1], "", 0, "none", alone, problem=f"cannot be fetched: {_reason(error)}")

    # small objects by the thousand take as long as their round trips; only these systems are safe in threads
    if getattr(system, "async_impl", False) and len(files) > 1:
        with ThreadPoolExecutor(_DOWNLOADS) as workers:
            fetched = list(workers.map(fetch, files))
    else:
        fetched = [fetch(file) for file in files]
    found: list[Source] = []
    for (_, name), one in zip(files, fetched, strict=True):
        found += [one] if isinstance(one, Source) else _from_spool(one, name, folder, alone=alone)
    return found


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
    return SourceError(f"cannot read {shown(called)}: {_reason(error)}")


def _reason(error: Exception) -> str:
    """Return why the system, or a library, says no: a few words without what is secret."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, FileNotFoundError):
        return "there is nothing of that name"
    if isinstance(error, PermissionError):
        return "access is denied"
    lines = str(error).strip().splitlines()
    text = re.sub(r"\S+://\S+", lambda match: _public(match[0]), lines[0]) if lines else type(error).__name__
    return shown(text).rstrip(". ")
