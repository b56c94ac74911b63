"""Opening sources: files as they were handed in -> unpacked, and as the engine reads them. Opening is not parsing."""

from __future__ import annotations

import glob
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, cast

from bounceanalytics.errors import SourceError
from bounceanalytics.opening import archives, encodings, workbooks
from bounceanalytics.opening.archives import Budget, RefusedError, read_up_to
from bounceanalytics.opening.places import given_files, reason
from bounceanalytics.privacy import shown

if TYPE_CHECKING:
    from bounceanalytics.opening.archives import Kind, Member
    from bounceanalytics.opening.places import Given

#: How much of a file is looked at to tell what it is.
HEAD_SIZE = 256 * 1024

# an archive may lie in another one, and no deeper
_DEEPEST = 2
_SNIFF = 4096

# packed so, the engine reads a file itself
_TAIL = 1024  # bytes that tell whether the last line has an end
_NATIVE = {"gzip", "zstd"}
_NO_TEXT = re.compile(rb"[\x00-\x08]")
_LINES_OR_JSON = re.compile(rb"\n|\A\s*[\[{]")


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
        Found from the first bytes, never from the name; the engine unpacks both itself. One that is damaged is
        unpacked, as far as that goes.
    alone : bool
        The caller named this very file, so that it must be an export; False if it was met in a folder, a glob or
        an archive of several files.
    notes : tuple of str
        What to tell about how it was opened.
    problem : str
        Why it cannot be read, in words that go on after its name; only where it is not ``alone``.
    cut : bool
        It is what is left of a packed file that is damaged or ends too early, or an archive that is not whole.
    breaks_off : bool
        It is cut, and its last line has no end: that may be a piece of a line.
    origin : str
        Path of the file that the caller gave, or that was met in a folder; empty for what was not on disk.
    """

    name: str
    path: str
    size: int
    packing: Literal["none", "gzip", "zstd"]
    alone: bool
    notes: tuple[str, ...] = ()
    problem: str = ""
    cut: bool = False
    breaks_off: bool = False
    origin: str = ""

    def open(self) -> IO[bytes]:
        """Open it for reading unpacked bytes."""
        return archives.open_packed(self.path, self.packing)

    def head(self) -> bytes:
        """Return the first unpacked bytes."""
        with self.open() as stream:
            return read_up_to(stream, HEAD_SIZE)


def open_sources(source: Any, folder: str, *, later: bool = False) -> list[Source]:
    """Return the files that ``source`` stands for.

    Parameters
    ----------
    source : str, path, bytes, binary file, or a list of these
        A file, a folder (with all that is in it), a glob, an archive, a URL, ``"-"`` for standard input, the content
        itself or an open file.
    folder : str
        A temporary folder for what is not on disk as the engine reads it.
    later : bool
        Holes in a text are left to :func:`filled`.

    Raises
    ------
    SourceError
        If there is nothing there, or a file that was named cannot be read.
    MissingExtraError
        If it is a URL, and what reads that is not installed.
    """
    return [one for given in given_files(source, folder) for one in open_given(given, folder, later=later)]


def open_given(given: Given, folder: str, *, later: bool = False) -> list[Source]:
    """Return the files that one stands for, as the engine reads them; see :func:`open_sources`."""
    sheets = [sheet for one in unpacked(given, folder) for sheet in _sheets(one, folder)]
    found = [_readable(sheet, folder) for sheet in sheets]
    return found if later else [filled(one, folder) for one in found]


def _sheets(source: Source, folder: str) -> list[Source]:
    """Return the tables of a workbook; any other file as it is."""
    if source.problem or source.packing != "none":
        return [source]
    try:
        with source.open() as stream:
            head = read_up_to(stream, archives.MAGIC_SIZE)
    except OSError:
        return [source]  # what reads it next says why
    if not head.startswith(workbooks.MAGIC):
        return [source]
    try:
        found = workbooks.sheets_of(source.path)
    except (workbooks.LockedError, RefusedError) as error:
        problem = str(error) or "is a workbook with a password; save it without one, or as CSV"
        if source.alone:
            raise SourceError(f"{shown(source.name)} {problem}") from None
        return [replace(source, problem=problem)]
    if found is None:
        return [source]
    single = len(found) < 2
    return [
        replace(
            source,
            name=source.name if single else f"{source.name}/{name}",
            path=_written(content, folder),
            size=len(content),
            alone=source.alone and single,
            notes=(*source.notes, f"sheet {name!r} of a workbook" if name else "a workbook without content"),
        )
        for name, content in found or [("", b"")]
    ]


def _written(content: bytes, folder: str) -> str:
    with archives.temporary(folder) as out:
        archives.write(out, content)
    return out.name


def unpacked(given: Given, folder: str) -> list[Source]:
    """Return the files that one stands for: itself, or what is packed in it; their bytes are as they were written.

    Parameters
    ----------
    given : Given
    folder : str
        A temporary folder for what is packed.

    Raises
    ------
    SourceError
        If it cannot be read, and was named alone.
    """
    if given.problem:
        return [Source(_as_text(given.name), str(given.path), 0, "none", given.alone, problem=given.problem)]
    found = _examined(given.path, given.name, folder, alone=given.alone)
    if given.copied and all(source.path != str(given.path) for source in found):
        archives.delete([given.path])  # what was packed in it is there now
    origin = "" if given.copied else str(given.path.absolute())
    return [replace(source, origin=origin) for source in found]


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
        count = encodings.mend(stream, out)
    lines = "1 line was" if count == 1 else f"{count:,} lines were"
    note = f"not UTF-8; {lines} read as Windows-1252 (Western European)"
    size = Path(out.name).stat().st_size
    return replace(source, path=out.name, size=size, packing="none", notes=(*source.notes, note))


def cut_note(kind: str) -> str:
    """Return what is said of a packed file that does not unpack to its end."""
    return f"{archives.TITLES.get(kind, 'a file')} that is damaged or ends too early: what is left of it was read"


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
            raise RefusedError(f"cannot be opened: {reason(error)}") from None
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
    kind = archives.kind_of(head, size, name)
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
        return [_leaf(path, name, folder, alone, packing, budget)]
    if depth >= _DEEPEST:
        raise RefusedError(
            "lies too deep, as an archive within an archive within an archive;"
            " unpack it yourself and give what is in it"
        )
    if kind in {"zip", "tar"} and not (packing and kind == "zip"):
        members, problems = archives.unpack(path, kind, packing, folder, budget)
        found = _members(members, name, folder, alone, depth + 1, budget)
        if depth and not problems:
            archives.delete([path])
        # what was said of the archive stands beside what is in it
        return found + [
            Source(name, str(path), size, "none", alone=False, problem=one, cut=True) for one in problems
        ]
    with archives.open_packed(path, packing) as stream:
        inner = archives.copy(stream, folder, budget)
    # packed twice, or an archive packed as a whole: the outer packing is no folder that its name would show
    found = _examined(inner.path, name, folder, alone=alone, depth=depth + 1, budget=budget)
    if inner.complete or any(one.cut or one.problem for one in found):
        return found
    return _all_cut(found, packing)


def _members(
    members: list[Member], name: str, folder: str, alone: bool, depth: int, budget: Budget
) -> list[Source]:
    alone = alone and len(members) == 1
    found: list[Source] = []
    try:
        for member in members:
            called = f"{name}/{member.name}"
            inside = _examined(member.path, called, folder, alone=alone, depth=depth, budget=budget)
            told = member.complete or any(one.cut or one.problem for one in inside)
            found += inside if told else _all_cut(inside, "")
    except BaseException:
        archives.delete([*(member.path for member in members), *(Path(source.path) for source in found)])
        raise
    return found


def _leaf(path: Path, name: str, folder: str, alone: bool, packing: Kind, budget: Budget) -> Source:
    """Return the source of a file that is no archive."""
    if not packing or (packing in _NATIVE and archives.is_sound(path, packing)):
        return _source(path, name, alone, packing)
    with archives.open_packed(path, packing) as stream:
        done = archives.copy(stream, folder, budget)
    source = _source(done.path, name, alone, "")
    return source if done.complete else _all_cut([source], packing)[0]


def _all_cut(sources: list[Source], packing: str) -> list[Source]:
    """Return sources with the note that they are not whole; which of several ends too early is not known."""
    note = cut_note(packing)
    breaks_off = len(sources) == 1 and _ends_within_a_line(sources[0])
    return [replace(one, cut=True, breaks_off=breaks_off, notes=(*one.notes, note)) for one in sources]


def _ends_within_a_line(source: Source) -> bool:
    with Path(source.path).open("rb") as stream:
        stream.seek(max(0, source.size - _TAIL))
        # UTF-16 has a zero beside each sign
        last = stream.read().replace(b"\0", b"").replace(b"\r", b"\n").rpartition(b"\n")[2]
    return source.packing == "none" and bool(last.strip())


def _source(path: Path, name: str, alone: bool, packing: Kind) -> Source:
    native = packing if packing in _NATIVE else "none"
    return Source(name, str(path), path.stat().st_size, cast("Any", native), alone)


# what the engine can read


def _readable(source: Source, folder: str) -> Source:
    """Return a source in UTF-8, with line ends that the engine knows, under a name that it takes for one."""
    if source.problem:
        return source
    try:
        with source.open() as stream:
            head = read_up_to(stream, _SNIFF)
        if not encodings.is_settled(head):
            head = source.head()
            script = encodings.script_of(head, whole=len(head) < HEAD_SIZE)
            if script != encodings.PLAIN:
                return _rewritten(source, script, folder)
        return _aliased(source, folder)
    except SourceError:
        raise
    except OSError as error:
        return _unopened(source, error)


def _unopened(source: Source, error: OSError) -> Source:
    problem = f"cannot be opened: {reason(error)}"
    if source.alone:
        raise SourceError(f"{shown(source.name)} {problem}") from None
    return replace(source, packing="none", problem=problem)


def filled(source: Source, folder: str) -> Source:
    """Return a text with line ends in place of its long runs of zeros, so that no record goes on behind one.

    Parameters
    ----------
    source : Source
    folder : str
        A temporary folder for the copy that is returned if there are any.

    Raises
    ------
    SourceError
        If it cannot be read, and was named alone.
    """
    if source.problem or source.packing != "none":
        return source
    try:
        with source.open() as stream:
            head = read_up_to(stream, _SNIFF)
            if not head.strip(b"\0"):  # what was to be fetched first may be missing
                head += _first_signs(stream)
        text = encodings.between_holes(head)
        if _NO_TEXT.search(text) or (text != head and not _LINES_OR_JSON.search(text)):
            return source
        if not encodings.holes(source.path):
            return source
    except OSError as error:
        return _unopened(source, error)
    with source.open() as stream, archives.temporary(folder) as out:
        count = encodings.fill_holes(stream, out)
    note = f"has {count:,} zero bytes in the place of text, as a copy that broke off has: what belongs there is missing"
    return replace(source, path=out.name, notes=(*source.notes, note), cut=True)


def _first_signs(stream: IO[bytes]) -> bytes:
    """Return what stands behind zeros."""
    while block := stream.read(HEAD_SIZE):
        if signs := block.lstrip(b"\0"):
            return signs[:_SNIFF]
    return b""


def _rewritten(source: Source, script: encodings.Script, folder: str) -> Source:
    with source.open() as stream, archives.temporary(folder) as out:
        encodings.to_utf8(stream, out, script)
    if Path(source.path).parent == Path(folder):
        archives.delete([Path(source.path)])
    notes, size = (*source.notes, *script.notes), Path(out.name).stat().st_size
    return replace(source, path=out.name, size=size, packing="none", notes=notes)


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
