"""Writing to disk: files that are there whole or not at all, and the one refusal to replace what exists.

Small files that are written by hand, or tell what a run did, are read here, too.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import re
import secrets
import shutil
import tomllib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self, cast

from bounceanalytics.errors import BounceAnalyticsError, MissingExtraError, OutputError, SourceError
from bounceanalytics.privacy import is_content, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# suffixes of what is being written, of a set on its way to its place, and of the file that tells that it is in use
_PART, _WHOLE, _LOCK = ".part", ".whole", ".lock"
_AWAY = ".old"  # in a set on its way: the files whose place it takes
_GONE = ".gone"  # in a set on its way: names of files of the set before it that it does not have
_PATIENCE = 30  # seconds to wait for another one who is giving files their names
_LONG_NAME = 200  # bytes; hidden names have some more, and 255 is the most of most file systems

#: Bytes of a policy, of a file of rules or of a manifest, which are read at once; all rules of ours take 400,000.
LARGEST_SETTINGS = 4 * 1024**2


def settings_text(path: Path) -> str:
    """Return the text of a small file that somebody wrote by hand, or that tells what a run did.

    Raises
    ------
    SourceError
        If it is too large to be one.
    OSError, UnicodeDecodeError
        If it cannot be read, or is no text.
    """
    with path.open("rb") as file:
        content = file.read(LARGEST_SETTINGS + 1)
    if len(content) > LARGEST_SETTINGS:
        raise SourceError(
            f"{path.name} has more than {LARGEST_SETTINGS:,} bytes, and is no such file; name the one that is meant"
        )
    return content.decode("utf-8-sig")


#: A key of a hundred parts: the parser keeps each beginning of it.
_KEY = r"""(?:[\w-]++|"[^"\n]*"|'[^'\n]*')"""
_DEEP_KEY = re.compile(rf"(?<![\w-]){_KEY}(?:[ \t]*\.[ \t]*{_KEY}){{99}}")


def parsed_toml(text: str) -> dict[str, Any]:
    """Return what a text in TOML says; ValueError where it is none, or is nested too deeply."""
    try:
        if not _DEEP_KEY.search(text):
            return tomllib.loads(text)
    except RecursionError:
        pass
    raise ValueError("it is nested too deeply")


def refuse_existing(
    paths: Iterable[Path], *, overwrite: bool, source: Path | None = None, folders: bool = False
) -> None:
    """Raise if writing would replace something that may not be replaced.

    Parameters
    ----------
    paths : iterable of Path
        What is going to be written.
    overwrite : bool
        Whether it may replace what exists.
    source : Path, optional
        What it is made from, which is never replaced.
    folders : bool, default False
        Folders are going to be written, not files.

    Raises
    ------
    OutputError
    """
    there = [path for path in paths if is_there(path)]
    for path in there:
        if source is not None and is_same(path, source):
            raise OutputError(f"{path} is the list itself; write to another folder")
        if path.is_dir() and not folders:
            raise OutputError(f"{path} is a folder; name a file in it")
    if there and not overwrite:
        what = f"{there[0]} and {len(there) - 1} more exist" if len(there) > 1 else f"{there[0]} exists"
        raise OutputError(f"{what}; pass overwrite=True or choose another name")


def is_same(path: Path, other: Path) -> bool:
    """Return whether two paths lead to one thing, which is there."""
    try:
        return path.samefile(other)
    except OSError:
        return False


def is_there(path: Path) -> bool:
    """Return whether there is something that would be replaced; raise OutputError where nothing can be written."""
    if is_remote(path):
        return path.exists()
    with one_sentence(path):
        if path.exists():
            return True
        if path.is_symlink():
            raise OutputError(f"{path} is a link that leads nowhere; remove it, or choose another name")
        in_the_way = next((one for one in path.parents if os.path.lexists(one)), None)
        if in_the_way is not None and not in_the_way.is_dir():
            raise OutputError(f"{in_the_way} is no folder; {path.name} cannot be written in it")
        return False


def require_folder(path: Path) -> None:
    """Raise OutputError if the folder of a file that is going to be written is not there."""
    with one_sentence(path):
        there = path.parent.is_dir()
    if not there:
        raise OutputError(f"there is no folder {path.parent}; make it first")


# places


def path_of(
    path: str | os.PathLike[str],
    error: type[BounceAnalyticsError] = SourceError,
    what: str = "a file or folder",
) -> Path:
    """Return a path on disk that a caller gave; content that was given in its place is refused, and not shown.

    Raises
    ------
    SourceError
        Or the ``error`` that is given.

    Examples
    --------
    >>> path_of('{"email": "ann@example.com"}')
    Traceback (most recent call last):
        ...
    bounceanalytics.errors.SourceError: <text of 28 characters> is no path of a file or folder; give its name
    """
    try:
        name = os.fsdecode(path)
    except TypeError:
        raise error(f"a value of type {type(path).__name__} is no path of {what}; give its name") from None
    if is_content(name) and not os.path.lexists(name):
        raise error(f"{shown(name)} is no path of {what}; give its name")
    if _URL.match(name) and not os.path.lexists(name):
        raise error(f"{shown(name)} is a URL; give the name of {what} on disk")
    return Path(name)


def place(path: str | os.PathLike[str]) -> Path:
    """Return a path, also that of an object in a store (``s3://bucket/events``), which is used as one on disk is.

    Raises
    ------
    MissingExtraError
        If it is a URL, and what gives URLs the face of a path is not installed.
    """
    if not is_remote(path):
        return path_of(path)
    try:
        from upath import UPath  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError(
            f"{path} is a URL, and a dataset there needs universal_pathlib; pip install 'bounceanalytics[dask]'"
        ) from None
    return cast("Path", UPath(path))


def is_remote(path: object) -> bool:
    """Return whether a path is that of an object in a store, or of a folder of such."""
    if isinstance(path, Path):
        return False
    named = isinstance(path, (str, os.PathLike)) or hasattr(path, "joinpath")
    return named and bool(_STORE.match(str(path)))


# a drive of Windows has one letter; the web has no folders
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_STORE = re.compile(r"(?!https?:|file:)(?:[A-Za-z][A-Za-z0-9+.-]+::)*[A-Za-z][A-Za-z0-9+.-]+://")


def publish(part: Path, path: Path) -> None:
    """Give a finished file on disk its place: whole or not at all, instead of one that is there."""
    if is_remote(path):
        try:
            # never through an open file, which stores what it has got also where it is closed by an error
            path.fs.put_file(str(part), path.path)  # type: ignore[attr-defined]
        except Exception as error:  # each store raises what its own libraries do
            raise _not_written(path, error) from None
        part.unlink()
        return
    with whole_file(path, overwrite=True) as hidden:
        shutil.move(part, hidden)


def name_too(file: Path, name: Path) -> None:
    """Give a file, which nobody changes, another name too; its folder is made if it is not there."""
    name.parent.mkdir(parents=True, exist_ok=True)
    try:
        name.hardlink_to(file)
    except OSError:  # not every file system can
        shutil.copyfile(file, name)
        _flush(name)


def write_text(path: Path, text: str) -> None:
    """Write a text, whole or not at all, instead of what is there."""
    if is_remote(path):
        try:
            path.write_text(text, encoding="utf-8")
        except Exception as error:  # see publish
            raise _not_written(path, error) from None
        return
    files = HiddenFiles()
    with one_sentence(path):
        try:
            files.new(path).write_text(text, encoding="utf-8")
            files.reveal()
        except BaseException:
            files.discard()
            raise


def _not_written(path: Path, error: Exception) -> OutputError:
    why = str(error).splitlines()[0] if str(error) else type(error).__name__
    return OutputError(f"{path} cannot be written: {why}; what is done stays, so run the same again")


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it, if it is there."""
    if is_remote(path):
        path.fs.rm(path.path, recursive=True)  # type: ignore[attr-defined]
    elif path.exists():
        shutil.rmtree(path)


# one folder


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a folder beside another one, which takes its place when all is well; until then nothing of that changes.

    One process at a time may replace a folder.

    Parameters
    ----------
    path : Path
        The other one; it need not be there.

    Yields
    ------
    Path
        An empty folder. An error or an interrupt removes it; what a killed process left is removed by the next one, or,
        where it was between the two moves, completed by :func:`complete_folder`.
    """
    new, old = _beside(path)
    with one_sentence(path):
        for left in (new, old):
            remove_folder(left)
        new.mkdir(parents=True)
        try:
            yield new
            for folder in [new, *(one for one in new.rglob("*") if one.is_dir())]:
                _flush(folder)
            if path.exists():
                path.rename(old)
            new.rename(path)
            _flush(path.parent)
        except BaseException:
            if old.exists() and not path.exists():
                old.rename(path)
            _surely(remove_folder, new)
            raise
        _surely(remove_folder, old)


def is_between(path: Path) -> bool:
    """Return whether a folder was moved away, and the one that takes its place is not there yet."""
    return not path.exists() and all(one.exists() for one in _beside(path))


def complete_folder(path: Path) -> None:
    """Give a folder its place whose process was killed after the one before it had been moved away."""
    new, old = _beside(path)
    if is_between(path):
        new.rename(path)
        remove_folder(old)


def _beside(path: Path) -> tuple[Path, Path]:
    """Return the hidden names of a folder that is to be, and of one that was."""
    return path.with_name(f".{path.name}.new"), path.with_name(f".{path.name}.old")


# one file


@contextlib.contextmanager
def whole_file(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield a hidden name; what is written under it becomes the file, whole or not at all.

    Parameters
    ----------
    path : Path
        Its folder is made if it is not there.
    overwrite : bool
        Whether it may replace a file. Asked again before it does, since somebody may have come first.

    Yields
    ------
    Path
        A name beside the file. An error or an interrupt removes what is there; what a killed process left is removed by
        the next one that writes the same file.

    Raises
    ------
    OutputError
        If the file exists, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_file(Path(folder, "a.txt"), overwrite=False) as part:
    ...         written = part.write_text("all of it")
    ...     Path(folder, "a.txt").read_text()
    'all of it'
    """
    refuse_existing([path], overwrite=overwrite)
    with one_sentence(path):
        place = path.resolve()  # a link stays one, and leads to the new file
        with _hidden(place.parent, place.name, {place.parent}) as part:
            yield part
            _flush(part)
            with _turn(place.parent, place.name):
                refuse_existing([path], overwrite=overwrite)
                part.replace(place)
            _flush(place.parent)


def write_whole(path: Path, content: bytes, *, overwrite: bool) -> None:
    """Write a file as :func:`whole_file` does."""
    with whole_file(path, overwrite=overwrite) as part:
        part.write_bytes(content)


# sets of files


@contextlib.contextmanager
def whole_files(
    folder: Path,
    *,
    overwrite: bool,
    last: str | None = None,
    earlier: Callable[[], Iterable[Path]] = tuple,
) -> Iterator[Path]:
    """Yield a fresh folder; what it holds afterwards moves into ``folder``, all of it or nothing.

    Parameters
    ----------
    folder : Path
        Made if it is not there, in one step with its files. Otherwise files move in one by one, after those of the same
        name have moved away, so that at no moment files of two sets stand side by side.
    overwrite : bool
        Whether files may be replaced. Asked when they move in, since somebody may have come first.
    last : str, optional
        The file that moves away first and in last, so that who sees it sees all of one set.
    earlier : callable, optional
        Returns the files in ``folder`` of the set before; those that the new one does not have go away. Asked when it
        moves in.

    Yields
    ------
    Path
        A hidden folder on the same file system. An error or an interrupt removes it and leaves ``folder`` as it was.
        A killed process leaves it behind, and no part of a file under its final name; the next one that writes there
        removes it, or, where it was moving in, goes on with that, as :func:`complete_files` does.

    Raises
    ------
    OutputError
        If files exist, or something cannot be written.
    """
    with one_sentence(folder):
        home = folder if folder.is_dir() else folder.parent
        complete_files(folder)
        with _hidden(home, folder.name, {home, folder.parent}) as part:
            part.mkdir()
            yield part
            names = sorted((path.name for path in part.iterdir()), key=lambda name: (name == last, name))
            for name in names:
                _flush(part / name)
            _flush(part)
            _give_place(part, folder, names, earlier, overwrite=overwrite)
            _flush(folder)
            _flush(folder.parent)


def complete_files(folder: Path) -> None:
    """Go on with moving files into a folder where a process was killed that was at it; else do nothing."""
    with contextlib.suppress(OSError):  # of a folder that is only read
        if _on_their_way(folder):
            with _turn(folder, folder.name):
                _complete(folder)


def _complete(folder: Path) -> None:
    for whole in _on_their_way(folder):
        with contextlib.suppress(OSError), _locked(whole.with_suffix(_LOCK), wait=0):
            (whole / _AWAY).mkdir(exist_ok=True)
            gone = (whole / _GONE).read_bytes() if (whole / _GONE).exists() else b""
            _move_away(whole, folder, [os.fsdecode(name) for name in gone.split(b"\0") if name])
            _move_in(
                whole, folder, [path.name for path in whole.iterdir() if path.name not in {_AWAY, _GONE}]
            )
            _flush(folder)
            shutil.rmtree(whole)


def _on_their_way(folder: Path) -> list[Path]:
    pattern = f".{glob.escape(_stem(folder.name))}.*{_WHOLE}"
    return [one for home in (folder, folder.parent) for one in home.glob(pattern)]


def _give_place(
    part: Path, folder: Path, names: list[str], earlier: Callable[[], Iterable[Path]], *, overwrite: bool
) -> None:
    if not folder.is_dir():
        try:
            part.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
        else:
            return  # else somebody came first, with a folder of that name
    with _turn(folder, folder.name):
        _complete(folder)
        gone = [path.name for path in earlier() if path.name not in names]
        refuse_existing((folder / name for name in [*names, *gone]), overwrite=overwrite)
        if gone:
            (part / _GONE).write_bytes(b"\0".join(map(os.fsencode, gone)))
            _flush(part / _GONE)
            _flush(part)
        whole = part.with_suffix(_WHOLE)
        part.rename(whole)  # from here on, who finds it without a process goes on with it
        try:
            (whole / _AWAY).mkdir()
            _move_away(whole, folder, [*reversed(names), *gone])
            _flush(folder)
            _move_in(whole, folder, names)
            _flush(folder)
        except BaseException:
            _surely(_move_back, whole, folder, names)
            _surely(_rename, whole, part)
            raise
        _surely(_remove, whole)  # with what it has taken the place of


def _rename(old: Path, new: Path) -> None:
    if old.exists():
        old.rename(new)


def _move_away(whole: Path, folder: Path, names: list[str]) -> None:
    for name in names:
        if (folder / name).exists():
            (folder / name).rename(whole / _AWAY / name)


def _move_in(whole: Path, folder: Path, names: list[str]) -> None:
    for name in names:
        (whole / name).replace(folder / name)


def _move_back(whole: Path, folder: Path, names: list[str]) -> None:
    for name in names:
        if not (whole / name).exists():
            (folder / name).rename(whole / name)
    away = whole / _AWAY
    for path in list(away.iterdir()) if away.exists() else ():
        path.rename(folder / path.name)


class HiddenFiles:
    """Files in any folders that are written under hidden names, and get their own names together.

    For folders that one process at a time writes to: it knows a hidden file that it finds there for what a killed one
    left.
    """

    def __init__(self) -> None:
        self._paths: list[Path] = []

    def new(self, path: Path) -> Path:
        """Return the hidden name of a file; its folder is made if it is not there."""
        with one_sentence(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._paths.append(path)
        return _hidden_name(path)

    @property
    def paths(self) -> list[Path]:
        """The files that are written, by the names that they will have."""
        return list(self._paths)

    def reveal(self) -> None:
        """Give the files their own names, so that all of them last, also after a loss of power."""
        for path in self._paths:
            with one_sentence(path):
                _flush(_hidden_name(path))
        for path in self._paths:
            with one_sentence(path):
                _hidden_name(path).replace(path)
        folders = {path.parent for path in self._paths}
        for folder in folders | {folder.parent for folder in folders}:  # a folder may be new itself
            with one_sentence(folder):
                _flush(folder)
        self._paths.clear()

    def discard(self) -> None:
        """Remove the files."""
        for path in self._paths:
            _hidden_name(path).unlink(missing_ok=True)
        self._paths.clear()


def _hidden_name(path: Path) -> Path:
    return path.with_name(f".{path.name}")


class SummedFile:
    """A new file that knows its size and checksum.

    Attributes
    ----------
    bytes : int
        Written so far.
    """

    def __init__(self, path: Path) -> None:
        self._raw: IO[bytes] = path.open("wb")
        self._digest = hashlib.sha256()
        self.bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    def write(self, data: bytes | memoryview) -> None:
        """Write all of it."""
        self._raw.write(data)
        self._digest.update(data)
        self.bytes += len(data)

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written so far."""
        return self._digest.hexdigest()


# what they stand on


@contextlib.contextmanager
def one_sentence(path: Path) -> Iterator[None]:
    """Turn an error of the system into one sentence."""
    try:
        yield
    except OSError as error:
        if isinstance(error, BounceAnalyticsError) or error.errno is None:
            raise  # already a sentence of ours
        other = error.filename if isinstance(error.filename, str) else ""
        where = "" if _is_beside(other, path) else f"{shown(other)}: "
        raise OutputError(f"{path} cannot be written: {where}{os.strerror(error.errno)}") from None
    except UnicodeEncodeError:
        if _is_text(path.absolute()):
            raise
        # neither Arrow nor the engine opens such a file
        raise OutputError(f"{shown(path)} cannot be written: its name is no UTF-8; choose another") from None


def _is_text(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_beside(name: str, path: Path) -> bool:
    """Return whether a name is the file's own, one that it has for a while, or none."""
    return not name or Path(name) == path or any(f"{suffix}" in name for suffix in (_PART, _WHOLE, _LOCK))


@contextlib.contextmanager
def _hidden(home: Path, name: str, places: Iterable[Path]) -> Iterator[Path]:
    """Yield a hidden name that nobody else uses, after removing what killed processes left in some places.

    Folders that are made for it go again where nothing comes of it.
    """
    stem = _stem(name)
    part = home / f".{stem}.{secrets.token_hex(4)}{_PART}"
    made = [one for one in (home, *home.parents) if not one.exists()]
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _locked(part.with_suffix(_LOCK)):
            for place in places:
                _remove_leftovers(place, stem, part)
            try:
                yield part
            finally:
                _surely(_remove, part)
    except BaseException:
        part.with_suffix(_LOCK).unlink(missing_ok=True)  # where Ctrl-C came while it was made
        for folder in made:
            with contextlib.suppress(OSError):  # somebody may use it meanwhile
                folder.rmdir()
        raise


def _stem(name: str) -> str:
    """Return what hidden names beside a name begin with: the name, or a sum of one that leaves no room for more."""
    encoded = os.fsencode(name)
    return name if len(encoded) <= _LONG_NAME else hashlib.sha256(encoded).hexdigest()[:32]


@contextlib.contextmanager
def _turn(home: Path, name: str) -> Iterator[None]:
    """Wait until nobody else gives files their names here, or raise OutputError."""
    import filelock  # noqa: PLC0415 - see _locked

    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_locked(home / f".{_stem(name)}{_LOCK}", wait=_PATIENCE))
        except filelock.Timeout:
            raise OutputError(
                f"another program is writing {home / name}; wait for it, or choose another name"
            ) from None
        yield


@contextlib.contextmanager
def _locked(lock: Path, wait: float = -1) -> Iterator[None]:
    """Hold a lock that tells others that something is in use; the system drops it when the process dies."""
    import filelock  # noqa: PLC0415 - needed by those who write, and slow to import

    with filelock.FileLock(lock, timeout=wait):
        try:
            yield
        finally:
            if os.name != "nt":  # others who wait for it see that it is gone; Windows removes no open file
                _surely(lock.unlink, missing_ok=True)
    if os.name == "nt":
        lock.unlink(missing_ok=True)


def _surely(function: Callable[..., object], *arguments: object, **options: object) -> None:
    """Do a thing that may be done twice, also when Ctrl-C comes while it is done."""
    try:
        function(*arguments, **options)
    except KeyboardInterrupt:
        function(*arguments, **options)
        raise


def _remove_leftovers(home: Path, stem: str, own: Path) -> None:
    """Remove what killed processes were writing: that whose lock nobody holds."""
    import filelock  # noqa: PLC0415 - see _locked

    for lock in home.glob(f".{glob.escape(stem)}.*{_LOCK}"):
        part = lock.with_suffix(_PART)
        if part == own:
            continue
        with contextlib.suppress(OSError, filelock.Timeout):
            with filelock.FileLock(lock, blocking=False):
                _remove(part)
            lock.unlink(missing_ok=True)


def _remove(part: Path) -> None:
    with contextlib.suppress(OSError):
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Flush a file, or the names in a folder, to disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows has no such thing for folders
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
