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

import pyarrow as pa

from bounceanalytics.errors import SourceError
from bounceanalytics.opening import snappy
from bounceanalytics.privacy import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    "zstd": rb"\x28\xb5\x2f\xfd",
    "bzip2": rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)",  # a line of text may begin with the first four
    "xz": rb"\xfd7zXZ\x00",
}

#: Enough of a file to tell what :func:`kind_of` tells.
MAGIC_SIZE = 512


_COPY_SIZE = 1024**2
# unpacked in small steps, since nothing is given of a step that meets the damage
_STEP = 16 * 1024

_DEFLATE_MOST = 1032  # times; deflate cannot pack tighter
_ARROW_STEP = 64 * 1024  # what pyarrow reads of a packed file at once


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
    """A file of an archive, unpacked to a temporary file."""

    name: str
    path: Path


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
            inner: Any = pa.CompressedInputStream(raw, "zstd")
        elif kind == "snappy":
            inner = snappy.Stream(raw)
        else:
            inner = bz2.BZ2File(raw) if kind == "bzip2" else lzma.LZMAFile(raw)  # noqa: SIM115
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
    given = Pieces(stream, min(size, _STEP))
    parts: list[bytes] = []
    left = size
    for part in given:
        parts.append(part[:left])
        left -= len(parts[-1])
        if left <= 0:
            break
    return b"".join(parts), given.complete


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


def check_ratio(path: Path, kind: Kind, size: int) -> None:
    """Refuse a gzip or Zstandard file of ``size`` bytes that unpacks to more than it may.

    To unpack each file just to see its size would take as long as reading it, so only those are measured that may
    be too large by what their end claims or by how their start unpacks.
    """
    limit = max(FLOOR, MAX_RATIO * size)
    if kind == "gzip" and not _gzip_may_exceed(path, size, limit):
        return
    budget = Budget(size)
    # of Zstandard, this much shows the ratio of its start, however much is read ahead
    enough = limit if kind == "gzip" or size * MAX_RATIO <= FLOOR else 2 * MAX_RATIO * _ARROW_STEP
    done = 0
    with path.open("rb") as raw, closing(unpacking(raw, kind)) as stream:
        for piece in Pieces(stream, _COPY_SIZE):
            budget.spend(len(piece))
            done += len(piece)
            if done >= enough and done < MAX_RATIO * raw.tell():
                return


def _gzip_may_exceed(path: Path, size: int, limit: int) -> bool:
    if size * _DEFLATE_MOST <= limit:
        return False
    with path.open("rb") as raw:
        raw.seek(-4, io.SEEK_END)
        (claimed,) = struct.unpack("<I", raw.read(4))
        if claimed > limit:
            return True  # or it is cut, and these four bytes are anything
        raw.seek(0)
        unpacker = zlib.decompressobj(wbits=31)
        read = given = 0
        while given < _COPY_SIZE and not unpacker.eof and (piece := raw.read(1024)):
            read += len(piece)
            try:
                given += len(unpacker.decompress(piece))
            except zlib.error:
                break
    return given > MAX_RATIO * read


# archives


def unpack(path: Path, kind: Kind, packing: Kind, folder: str, budget: Budget) -> list[Member]:
    """Unpack the files of an archive.

    Parameters
    ----------
    path : Path
    kind : {'zip', 'tar'}
    packing : str
        How the whole of a tar archive is packed, or ``""``.
    folder : str
        Where to; names of members are told, never used.
    budget : Budget

    Raises
    ------
    RefusedError
        If the archive is damaged, or nothing one should unpack. Then none of its files stays.
    """
    members: list[Member] = []
    try:
        if kind == "zip":
            _unpack_zip(path, folder, budget, members)
        else:
            with open_packed(path, packing or "none") as stream:
                _unpack_tar(stream, folder, budget, members)
    except BaseException:
        delete(member.path for member in members)
        raise
    if not members:
        raise RefusedError(f"is {TITLES[kind]} without files in it")
    return members


def is_document(path: Path) -> bool:
    """Return whether a ZIP archive is a document, such as a spreadsheet, or a program."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except _ZIP_DAMAGE:
        return False
    return not names.isdisjoint({"[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF"})


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

#: Ways of packing that are met in ZIP archives and that Python does not know.
_ZIP_METHODS = {1: "Shrink", 6: "Implode", 9: "Deflate64", 93: "Zstandard", 95: "xz", 98: "PPMd"}


def _unpack_zip(path: Path, folder: str, budget: Budget, members: list[Member]) -> None:
    damaged = "is a ZIP archive that is damaged"
    try:
        archive = zipfile.ZipFile(path)
    except _ZIP_DAMAGE:
        raise RefusedError(
            f"{damaged}: its list of contents, at the end, cannot be read; fetch it again"
        ) from None
    with archive:
        wanted = []
        for info in archive.infolist():
            name = _checked(info.filename, "a ZIP archive")
            if info.create_system == 3 and stat.S_ISLNK(info.external_attr >> 16):
                raise _link(name, "a ZIP archive")
            if not (info.filename.endswith(("/", "\\")) or is_bookkeeping(name)):
                wanted.append((name, info))
                _check_method(name, info)
        for name, info in wanted:
            try:
                with archive.open(info) as stream:
                    done = copy(stream, folder, budget)
            except (SourceError, RefusedError):
                raise
            except _ZIP_DAMAGE:
                done = None
            if done is not None:
                members.append(Member(name, done.path))
            if done is None or not done.complete:
                raise RefusedError(f"{damaged}: {shown(name)} in it cannot be unpacked; fetch it again")


def _check_method(name: str, info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 0x1:
        raise RefusedError(
            f"is a ZIP archive with a password, which {shown(name)} in it needs;"
            " unpack it yourself and give what is in it"
        )
    if info.compress_type not in {
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
        zipfile.ZIP_BZIP2,
        zipfile.ZIP_LZMA,
        getattr(zipfile, "ZIP_ZSTANDARD", zipfile.ZIP_STORED),
    }:
        method = _ZIP_METHODS.get(info.compress_type, f"method {info.compress_type}")
        raise RefusedError(
            f"is a ZIP archive packed with {method}, which cannot be unpacked here;"
            " unpack it yourself and give what is in it"
        )


def _unpack_tar(stream: IO[bytes], folder: str, budget: Budget, members: list[Member]) -> None:
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
                done = copy(content, folder, budget)
                members.append(Member(name, done.path))
                if not done.complete:
                    raise EOFError
        while metered.read(_COPY_SIZE):
            pass  # the check sum of what it is packed with comes last
    except (SourceError, RefusedError):
        raise
    except _TAR_DAMAGE:
        where = f"at or after {shown(name)} in it" if name else "at its start"
        raise RefusedError(f"is a tar archive that is damaged {where}; fetch it again") from None


_HeaderError: type[Exception] = tarfile.HeaderError


class _Header(tarfile.TarInfo):
    """A header that says when it is damaged; tarfile takes a damaged one for the end of the archive."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tarfile)
        except _HeaderError as error:
            if type(error).__name__ in {"InvalidHeaderError", "TruncatedHeaderError"}:
                raise EOFError(str(error)) from None
            raise


class _Metered:
    """A stream that counts what is read: what a tar archive holds beside its files is bounded, too."""

    def __init__(self, stream: IO[bytes], left: int) -> None:
        self._stream = stream
        self._budget = Budget(0)
        self._budget.left = left + FLOOR  # headers are not files

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
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
