"""Unpacking archives; the format is detected from content, and from the name only where that has no mark (Snappy).

Nothing in an archive is believed: a member is written under a name of our own, its size is what comes out of it,
and unpacking stops where an archive grows beyond reason.
"""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple, Self, cast

import isal.igzip
import isal.isal_zlib
import pyarrow as pa

from bounceanalytics.errors import SourceError
from bounceanalytics.opening import snappy
from bounceanalytics.privacy import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Kind = Literal["zip", "tar", "gzip", "zstd", "bzip2", "xz", "snappy", ""]

#: What reading a packed stream raises where it is damaged or ends too early; never what a failing disk raises.
DAMAGED: tuple[type[Exception], ...] = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError)

#: An archive may unpack to this many times its size, and to ``FLOOR`` in any case. Exports reach 10 to 30.
MAX_RATIO = 250
FLOOR = 64 * 1024**2

#: How a message calls what was found.
TITLES = {
    "zip": "a ZIP archive",
    "tar": "a tar archive",
    "gzip": "a gzip file",
    "zstd": "a Zstandard file",
    "bzip2": "a bzip2 file",
    "xz": "an xz file",
    "snappy": "a Snappy file",
}

_MAGIC: dict[Kind, bytes] = {
    "gzip": rb"\x1f\x8b\x08",
    "zstd": rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18",  # or something to skip, before what is packed
    "bzip2": rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)",  # a line of text may begin with the first four
    "xz": rb"\xfd7zXZ\x00",
}

#: Enough of a file to tell what :func:`kind_of` tells.
MAGIC_SIZE = 512


_COPY_SIZE = 1024**2
# unpacked in small steps, since nothing is given of a step that meets the damage
_STEP = 16 * 1024

_SIP = 1024  # bytes of a packed file that is read once more, towards its damage


class RefusedError(Exception):
    """A file cannot be read; the message goes on after its name. Always caught within ``loading``.

    Parameters
    ----------
    problem : str
    whole : bool, default False
        It is the fault of the outermost archive, not of the one in it where it was seen.
    """

    def __init__(self, problem: str, *, whole: bool = False) -> None:
        super().__init__(problem)
        self.whole = whole


class Budget:
    """Limit of bytes that an archive of ``packed`` bytes may still unpack to, with all that is nested in it."""

    def __init__(self, packed: int) -> None:
        self.left = max(FLOOR, MAX_RATIO * packed)

    def spend(self, size: int) -> None:
        """Take ``size`` bytes off; refuse where they are not there."""
        self.left -= size
        if self.left < 0:
            raise RefusedError(
                f"unpacks to more than {MAX_RATIO} times its size, as an archive does that is made to fill a disk;"
                " if you trust it, unpack it yourself and give what is in it",
                whole=True,
            )


class Copy(NamedTuple):
    """A temporary file; not ``complete`` where what it was read from is damaged."""

    path: Path
    complete: bool


class Member(NamedTuple):
    """A file of an archive, unpacked to a temporary file; not ``complete`` where that is only a part of it."""

    name: str
    path: Path
    complete: bool


def kind_of(head: bytes, size: int, name: str = "") -> Kind:
    """Return how a file of ``size`` bytes is packed, from its first ``MAGIC_SIZE`` bytes; ``""`` if it is not."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")) and size >= 22:
        return "zip"  # the smallest one takes 22 bytes
    for kind, magic in _MAGIC.items():
        if re.match(magic, head):
            return kind
    if snappy.is_snappy(head, size, name):
        return "snappy"
    return "tar" if _is_tar(head) else ""


def _is_tar(head: bytes) -> bool:
    # the old form has no magic, only a check sum, in octal digits
    if not re.fullmatch(rb"[ 0-7]*[0-7][ \0]*", head[148:156]):
        return False
    try:
        tarfile.TarInfo.frombuf(head[:512], "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


# packed streams


class _Packed(io.RawIOBase):
    """Unpacked bytes of a library's stream, with one error for everything that it calls damage."""

    def __init__(self, inner: Any, raw: IO[bytes]) -> None:
        self._inner, self._raw = inner, raw
        self._read = getattr(inner, "read1", inner.read)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._read(min(len(buffer), _STEP))
        except (EOFError, OSError, ValueError, lzma.LZMAError, pa.ArrowException) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's own
            raise EOFError("the packed data is damaged or ends too early") from error
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
            self._raw.close()
        super().close()


class _Streams:
    """What is packed in streams one behind the other, with zeros between and behind them or without.

    To the libraries' own files the end is where they know nothing of what follows.
    """

    def __init__(self, raw: IO[bytes], new: Callable[[], Any]) -> None:
        self._raw, self._new = raw, new
        self._one = new()

    def read(self, size: int) -> bytes:
        """Return some of the unpacked bytes, ``size`` of them at most; none at the end."""
        while True:
            more = b""
            if self._one.eof:
                more = self._one.unused_data.lstrip(b"\0")
                while not more and (block := self._raw.read(_STEP)):
                    more = block.lstrip(b"\0")
                if not more:
                    return b""
                self._one = self._new()
            elif self._one.needs_input and not (more := self._raw.read(_STEP)):
                raise EOFError
            data: bytes = self._one.decompress(more, size)
            if data:
                return data

    def close(self) -> None:
        """Give up what is not read."""


class _Zstandard:
    """Unpacked bytes of a Zstandard file, up to the damage.

    Arrow gives nothing of a read that meets damage, nor of a small frame that holds some. So the file is unpacked once
    more up to where that read began, and from there on in the smallest steps.
    """

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._streams = [pa.CompressedInputStream(raw, "zstd")]
        self._given = 0

    def read(self, size: int) -> bytes:
        """Return some of the unpacked bytes, ``size`` of them at most; none at the end."""
        again = len(self._streams) > 1
        try:
            data: bytes = self._streams[-1].read(1 if again else size)
        except (OSError, pa.ArrowException) as error:
            if again or (isinstance(error, OSError) and error.errno is not None):
                raise
            self._raw.seek(0)
            sips = _Sips(self._raw)
            self._streams.append(pa.CompressedInputStream(sips, "zstd"))
            left = self._given
            while left and (data := self._streams[-1].read(min(left, _COPY_SIZE))):
                left -= len(data)
            sips.size = 1
            return self.read(size)
        self._given += len(data)
        return data

    def close(self) -> None:
        """Give up what is not read."""
        for stream in self._streams:
            stream.close()


class _Sips(io.RawIOBase):
    """A file of which no more than ``size`` bytes are given at a time."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self.size = _SIP

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._raw.read(min(size, self.size) if size >= 0 else self.size)


def open_packed(path: str | Path, kind: str) -> IO[bytes]:
    """Open a file for reading its unpacked bytes; ``kind`` is of :func:`kind_of`, or ``"none"``."""
    if kind == "gzip":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return unpacking(Path(path).open("rb"), kind)


def unpacking(raw: IO[bytes], kind: str) -> IO[bytes]:
    """Return the unpacked bytes of a file that is open; close that, too, when done with them."""
    if kind == "gzip":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    if kind not in {"zstd", "bzip2", "xz", "snappy"}:
        return raw
    try:
        if kind == "zstd":
            inner: Any = _Zstandard(raw)
        elif kind == "snappy":
            inner = snappy.Stream(raw)
        else:
            inner = _Streams(raw, bz2.BZ2Decompressor if kind == "bzip2" else lzma.LZMADecompressor)
    except BaseException:
        raw.close()
        raise
    return io.BufferedReader(_Packed(inner, raw), _STEP)


class Pieces:
    """The bytes of a stream, piece by piece; not ``complete`` if it turned out to be damaged."""

    def __init__(self, stream: Any, size: int) -> None:
        # of a packed stream, read() would throw away what it has when it meets the damage
        self._read = getattr(stream, "read1", stream.read)
        self._size = size
        self.complete = True

    def __iter__(self) -> Iterator[bytes]:
        try:
            while piece := self._read(self._size):
                yield piece
        except DAMAGED:
            self.complete = False


def read_up_to(stream: IO[bytes], size: int) -> bytes:
    """Read ``size`` bytes, or fewer where the stream ends or is damaged."""
    return read_start(stream, size)[0]


def read_start(stream: IO[bytes], size: int) -> tuple[bytes, bool]:
    """Read as :func:`read_up_to` does, and tell whether the stream is sound that far."""
    # of a packed stream, read() would throw away what it has when it meets the damage
    read = getattr(stream, "read1", stream.read)
    parts: list[bytes] = []
    left = size
    try:
        while left > 0 and (part := read(min(left, _STEP))):
            parts.append(part)
            left -= len(part)
    except DAMAGED:
        return b"".join(parts), False
    return b"".join(parts), True


# temporary files

# counted over all folders: to look for a free name in one would take longer with every file
_numbers = itertools.count(1)


def new_file(folder: str) -> IO[bytes]:
    """Open a new file in a folder for writing; it never takes the name of another."""
    while True:
        try:
            return (Path(folder) / f"source-{next(_numbers)}").open("xb")
        except FileExistsError:
            continue
        except OSError as error:
            raise _cannot_write(folder, error) from None


def write(out: IO[bytes], data: bytes) -> None:
    """Write to a temporary file; a full disk is a sentence of its own, since no other file would fare better."""
    try:
        out.write(data)
    except OSError as error:
        raise _cannot_write(str(Path(out.name).parent), error) from None


def _cannot_write(folder: str, error: OSError) -> SourceError:
    return SourceError(
        f"cannot write to the folder for temporary files, {folder}: {error.strerror or error};"
        " make room there, or name another folder in the variable TMPDIR"
    )


@contextmanager
def temporary(folder: str) -> Iterator[IO[bytes]]:
    """Open a new file in a folder; it is deleted if what is done with it fails."""
    out = new_file(folder)
    try:
        with out:
            yield out
    except BaseException:
        Path(out.name).unlink(missing_ok=True)
        raise


def copy(stream: Any, folder: str, budget: Budget | None = None) -> Copy:
    """Copy a stream to a temporary file, as far as it can be read."""
    given = Pieces(stream, _COPY_SIZE)
    with temporary(folder) as out:
        for piece in given:
            if budget is not None:
                budget.spend(len(piece))
            write(out, piece)
    return Copy(Path(out.name), given.complete)


def delete(paths: Iterable[Path]) -> None:
    """Delete temporary files that nobody is going to read."""
    for path in paths:
        path.unlink(missing_ok=True)


# packed files that the engine reads itself

_isal: Any = isal  # half of it has no types


def is_sound(path: Path, kind: Kind) -> bool:
    """Return whether a file unpacks to its end with the right check sums, which the engine does not ask.

    Raises
    ------
    RefusedError
        If it unpacks to more than it may.
    """
    with path.open("rb") as raw:
        # three times as fast as Python's own, which gives more of what is damaged
        stream = _isal.igzip.IGzipFile(fileobj=raw) if kind == "gzip" else unpacking(raw, kind)
        with closing(stream):
            budget = Budget(path.stat().st_size)
            try:
                while piece := stream.read(_COPY_SIZE):
                    budget.spend(len(piece))
            except (*DAMAGED, _isal.isal_zlib.error):
                return False
    return True


# archives


def unpack(
    path: Path, kind: Kind, packing: Kind, folder: str, budget: Budget
) -> tuple[list[Member], list[str]]:
    """Unpack the files of an archive, and what is left of those that are damaged.

    Parameters
    ----------
    path : Path
    kind : {'zip', 'tar'}
    packing : str
        How the whole of a tar archive is packed, or ``""``.
    folder : str
        Where to; names of members are told, never used.
    budget : Budget

    Returns
    -------
    list of Member
    list of str
        What could not be unpacked, or not to its end, in words that go on after the archive's name.

    Raises
    ------
    RefusedError
        If nothing of the archive can be unpacked, or nothing should be. Then none of its files stays.
    """
    members: list[Member] = []
    problems: list[str] = []
    try:
        if kind == "zip":
            _unpack_zip(path, folder, budget, members, problems)
        else:
            with open_packed(path, packing or "none") as stream:
                _unpack_tar(stream, folder, budget, members, problems)
    except BaseException:
        delete(member.path for member in members)
        raise
    if any(member.complete or member.path.stat().st_size for member in members):
        return members, problems
    delete(member.path for member in members)
    raise RefusedError(problems[0] if problems else f"is {TITLES[kind]} without files in it")


_OF_DOCUMENTS = {"[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF"}


def is_document(path: Path) -> bool:
    """Return whether a ZIP archive is a document, such as a spreadsheet, or a program."""
    try:
        with zipfile.ZipFile(path) as archive:
            return not _OF_DOCUMENTS.isdisjoint(archive.namelist())
    except _ZIP_DAMAGE:
        return False


def is_bookkeeping(name: str) -> bool:
    """Return whether a file is one that Finder or Explorer leaves behind in a folder."""
    parts = name.split("/")
    last = parts[-1].lower()
    return "__MACOSX" in parts or last.startswith("._") or last in {".ds_store", "thumbs.db", "desktop.ini"}


# what zipfile and tarfile raise where an archive is damaged: each of these has been seen
_ZIP_DAMAGE: tuple[type[Exception], ...] = (
    *DAMAGED,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    LookupError,
    ArithmeticError,
    struct.error,
    MemoryError,
    OSError,
)
_TAR_DAMAGE: tuple[type[Exception], ...] = (
    *DAMAGED,
    tarfile.TarError,
    ValueError,
    LookupError,
    ArithmeticError,
    struct.error,
    MemoryError,
    OSError,
)

_KNOWN_METHODS = {
    zipfile.ZIP_STORED,
    zipfile.ZIP_DEFLATED,
    zipfile.ZIP_BZIP2,
    zipfile.ZIP_LZMA,
    getattr(zipfile, "ZIP_ZSTANDARD", zipfile.ZIP_STORED),
}

#: Ways of packing that are met in ZIP archives and that Python does not know.
_ZIP_METHODS = {1: "Shrink", 6: "Implode", 9: "Deflate64", 93: "Zstandard", 95: "xz", 98: "PPMd"}


def _unpack_zip(path: Path, folder: str, budget: Budget, members: list[Member], problems: list[str]) -> None:
    listed: list[zipfile.ZipInfo] = []
    with path.open("rb") as raw:
        try:
            listed = zipfile.ZipFile(raw).infolist()
            before = min((info.header_offset for info in listed), default=0)
            whole = True
        except _ZIP_DAMAGE:
            before, whole = path.stat().st_size, False
            problems.append(
                f"{_DAMAGED_ZIP}: its list of contents, at the end, cannot be read; fetch it again"
            )
        names = [_checked(info.filename, "a ZIP archive") for info in listed]
        for name, info in zip(names, listed, strict=True):
            if info.create_system == 3 and stat.S_ISLNK(info.external_attr >> 16):
                raise _link(name, "a ZIP archive")
        # what the list does not tell of: another archive before this one, or all where there is no list
        if before and raw.seek(0) == 0 and raw.read(4) == _Unlisted.MARK:
            _unpack_unlisted(raw, before, folder, budget, members, problems, alone=not whole)
        for name, info in zip(names, listed, strict=True):
            if info.filename.endswith(("/", "\\")) or is_bookkeeping(name):
                continue
            if why := _why_not(name, info.flag_bits, info.compress_type):
                problems.append(why)
            elif not _unpack_listed(raw, name, info, folder, budget, members):
                problems.append(f"{_DAMAGED_ZIP}: {shown(name)} in it {_NOT_WHOLE}")


_DAMAGED_ZIP = "is a ZIP archive that is damaged"
_NOT_WHOLE = "cannot be unpacked to its end; fetch it again"


def _why_not(name: str, flags: int, method: int) -> str:
    """Return why a file of a ZIP archive cannot be unpacked here; an empty text if it can."""
    if flags & 0x1:
        return (
            f"is a ZIP archive with a password, which {shown(name)} in it needs;"
            " unpack it yourself and give what is in it"
        )
    if method in _KNOWN_METHODS:
        return ""
    return (
        f"is a ZIP archive packed with {_ZIP_METHODS.get(method, f'method {method}')}, which cannot be unpacked here,"
        f" and {shown(name)} in it is; unpack it yourself and give what is in it"
    )


def _unpack_listed(
    raw: IO[bytes], name: str, info: zipfile.ZipInfo, folder: str, budget: Budget, members: list[Member]
) -> bool:
    """Unpack a file of a ZIP archive as its list tells of it; return whether it is whole."""
    before = budget.left
    done = None
    try:
        with zipfile.ZipFile(raw).open(info) as stream:
            done = copy(stream, folder, budget)
    except (SourceError, RefusedError):
        raise
    except _ZIP_DAMAGE:
        pass
    if done is None or not done.complete:
        if done is not None:
            delete([done.path])
        budget.left = before
        # the library gives nothing of a read that meets the damage
        left = _Unlisted.at(raw, info.header_offset)
        if left is None or not left.can_be_unpacked:
            return False
        done = Copy(copy(left, folder, budget).path, complete=False)
    members.append(Member(name, done.path, done.complete))
    return done.complete


def _unpack_unlisted(
    raw: IO[bytes],
    end: int,
    folder: str,
    budget: Budget,
    members: list[Member],
    problems: list[str],
    *,
    alone: bool,
) -> None:
    """Unpack files of a ZIP archive by the headers that stand before each of them."""
    place: int | None = 0
    while place is not None and place < end and (one := _Unlisted.at(raw, place)) is not None:
        name = _checked(one.name, "a ZIP archive")
        if name in _OF_DOCUMENTS:
            raise RefusedError(problems[0] if problems else _DAMAGED_ZIP)
        if why := _why_not(name, one.flags, one.method):
            problems.append(why)
        if not one.can_be_unpacked:
            place = one.skipped()
            continue
        if one.name.endswith(("/", "\\")) or is_bookkeeping(name):
            place = one.skipped()
            continue
        done = copy(one, folder, budget)
        members.append(Member(name, done.path, done.complete))
        if not done.complete:
            problems.append(f"{_DAMAGED_ZIP}: {shown(name)} in it {_NOT_WHOLE}")
        place = one.following()
    if not alone:
        problems.append(
            f"{_DAMAGED_ZIP}, or one of several in a row: its list of contents does not tell of all that is in it;"
            " fetch it again, or give each as a file of its own"
        )


class _Unlisted:
    """A file of a ZIP archive as its own header tells of it; what it unpacks to can be read.

    Attributes
    ----------
    name : str
    flags, method, packed : int
        How it is packed, and how many bytes that takes; 0 where the header does not know that yet.
    """

    _HEADER = struct.Struct("<4s5H3I2H")
    MARK = b"PK\x03\x04"

    def __init__(self, raw: IO[bytes], header: tuple[Any, ...]) -> None:
        _, _, self.flags, self.method, _, _, _, self.packed, _, length, extra = header
        self.name = raw.read(length).decode("utf-8" if self.flags & 0x800 else "cp437", "replace")
        raw.seek(extra, 1)
        self._raw, self._start = raw, raw.tell()
        self._unpacker = zlib.decompressobj(-15)
        self._left = self.packed
        self._input = b""

    @classmethod
    def at(cls, raw: IO[bytes], place: int) -> _Unlisted | None:
        """Return the file whose header stands at a place; None if none does."""
        raw.seek(max(place, 0))
        head = raw.read(cls._HEADER.size)
        if len(head) < cls._HEADER.size or not head.startswith(cls.MARK):
            return None
        return cls(raw, cls._HEADER.unpack(head))

    @property
    def can_be_unpacked(self) -> bool:
        """Whether it is packed in one of the two usual ways, and tells where it ends."""
        sized = self.method == zipfile.ZIP_DEFLATED or not self.flags & 0x8
        return not self.flags & 0x1 and self.method in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} and sized

    def read(self, size: int) -> bytes:
        """Return some of the unpacked bytes; none at the end."""
        if self.method == zipfile.ZIP_STORED:
            data = self._raw.read(min(size, self._left))
            if not data and self._left:
                raise EOFError
            self._left -= len(data)
            return data
        while not self._unpacker.eof:
            # little at a time, for nothing is given of a step that meets the damage
            given = self._input or self._raw.read(_SIP)
            if not given:
                raise EOFError
            data = self._unpacker.decompress(given, size)
            self._input = self._unpacker.unconsumed_tail
            if data:
                return data
        return b""

    def following(self) -> int | None:
        """Return where the next header stands, when this file has been read; None if there is none."""
        self._raw.seek(-len(self._unpacker.unused_data), 1)
        end = self._raw.tell()
        # the check sum and the sizes come between, where the header does not know them
        return end + at if (at := self._raw.read(64).find(self.MARK)) >= 0 else None

    def skipped(self) -> int | None:
        """Return where the next header should stand; None if this one does not tell."""
        return None if self.flags & 0x8 else self._start + self.packed


def _unpack_tar(
    stream: IO[bytes], folder: str, budget: Budget, members: list[Member], problems: list[str]
) -> None:
    name = ""
    # read once from front to end: it may be packed, and then going back is reading it anew
    metered = _Metered(stream, budget.left)
    try:
        with tarfile.open(
            fileobj=cast("Any", metered),
            mode="r|",
            tarinfo=_Header,
            encoding="utf-8",
            errors="surrogateescape",
        ) as archive:
            for info in archive:
                name = _checked(info.name, "a tar archive")
                if info.issym() or info.islnk() or info.isdev():
                    raise _link(name, "a tar archive")
                if not info.isreg() or is_bookkeeping(name):
                    continue
                content = archive.extractfile(info)
                if content is None:
                    continue
                done = copy(_Content(content), folder, budget)
                members.append(Member(name, done.path, done.complete))
                if not done.complete:
                    raise EOFError
            ended = getattr(archive, "ended", False)
        more = False
        while block := metered.read(_COPY_SIZE):  # the check sum of what it is packed with comes last
            more = more or bool(block.strip(b"\0"))
        if not metered.sound:
            raise EOFError
        if more:
            problems.append(
                "is a tar archive with something behind its end that was not read, such as another one; give that alone"
            )
        elif not ended:
            problems.append(
                f"is a tar archive that ends behind {shown(name)} without the mark of its end: it may have been cut;"
                " fetch it again"
            )
    except (SourceError, RefusedError):
        raise
    except _TAR_DAMAGE:
        where = f"at or after {shown(name)} in it" if name else "at its start"
        problems.append(f"is a tar archive that is damaged {where}; fetch it again")


_TAR_STEP = 4096  # what the library gives nothing of where the archive ends in it


class _Content:
    """A file of a tar archive, with one error for where the archive ends in it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def read(self, size: int) -> bytes:
        try:
            return cast("bytes", self._inner.read1(min(size, _TAR_STEP)))
        except tarfile.TarError as error:
            raise EOFError from error


_HeaderError: type[Exception] = tarfile.HeaderError


class _Header(tarfile.TarInfo):
    """A header that says when it is damaged; tarfile takes a damaged one for the end of the archive."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tarfile)
        except _HeaderError as error:
            if type(error).__name__ == "EOFHeaderError":
                tarfile.ended = True  # type: ignore[attr-defined]
            if type(error).__name__ in {"InvalidHeaderError", "TruncatedHeaderError"}:
                raise EOFError(str(error)) from None
            raise


class _Metered:
    """A stream that counts what is read, for what a tar archive holds beside its files is bounded, too.

    It ends where the packed data is damaged, and is not ``sound`` then.
    """

    def __init__(self, stream: IO[bytes], left: int) -> None:
        self._stream = stream
        self._budget = Budget(0)
        self._budget.left = left + FLOOR  # headers are not files
        self.sound = True

    def read(self, size: int = -1) -> bytes:
        data, sound = read_start(self._stream, size)
        self.sound = self.sound and sound
        self._budget.spend(len(data))
        return data


def _checked(name: str, title: str) -> str:
    """Return the path of a member within its archive, with ``/``; refuse one that leads out of it."""
    path = name.replace("\\", "/")
    parts = path.split("/")
    if path.startswith("/") or re.match(r"[A-Za-z]:", path) or ".." in parts:
        raise RefusedError(
            f"is {title} in which {shown(name)} would lie outside of the archive's own folder, as in one that is made"
            " to overwrite files; unpack it with care and give what is in it"
        )
    return "/".join(part for part in parts if part not in {"", "."})


def _link(name: str, title: str) -> RefusedError:
    return RefusedError(
        f"is {title} in which {shown(name)} is a link or a device where a file belongs;"
        " pack the files themselves, or unpack it with care and give what is in it"
    )
