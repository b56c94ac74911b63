"""Whatever is handed in becomes files that the engine can read; what should not be opened is refused in a sentence."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import os
import re
import socket
import struct
import sys
import tarfile
import tempfile
import threading
import types
import zipfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.errors import MissingExtraError, SourceError
from bounceanalytics.opening import archives, encodings, sources
from bounceanalytics.opening.archives import read_up_to
from bounceanalytics.opening.sources import HEAD_SIZE, Source, open_sources, recoded
from bounceanalytics.opening.text import decoded
from bounceanalytics.privacy import shown
from tests.effort import examples

LINE = b'{"email": "reader@example.com", "event": "bounce"}\n'
TEXT = LINE * 3


def zstd(content):
    return pa.compress(content, codec="zstd", asbytes=True)


PACKERS = {
    "gzip": gzip.compress,
    "zstd": zstd,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


def zipped(files, **options):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", options.pop("method", zipfile.ZIP_DEFLATED)) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(files, kind=tarfile.REGTYPE, form=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if kind != tarfile.REGTYPE:
            info = tarfile.TarInfo("odd")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    return out.getvalue()


def bytes_of(source):
    with source.open() as stream:
        return stream.read()


def contents(found):
    return {source.name: bytes_of(source) for source in found}


def only(found):
    (source,) = found
    return source


def files_in(folder):
    return sorted(path for path in Path(folder).rglob("*") if path.is_file())


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "temporary"
    made.mkdir()
    return str(made)


def refused(content, folder, words):
    """Check that something is refused in one sentence that tells no address, and leaves nothing behind."""
    with pytest.raises(SourceError, match=words) as caught:
        open_sources(content, folder)
    message = str(caught.value)
    assert message.startswith("<bytes>") or not isinstance(content, bytes)
    assert "\n" not in message
    assert "reader@" not in message
    assert caught.value.__cause__ is None
    return message


# what can be handed in


def test_every_kind_of_source_gives_the_same_bytes(tmp_path, folder, monkeypatch):
    path = tmp_path / "a.json"
    path.write_bytes(TEXT)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with path.open("rb") as stream, path.open("rb", buffering=0) as raw:
        kinds = [
            path, str(path), "a.json", "~/a.json", path.as_uri(), TEXT, bytearray(TEXT),
            memoryview(TEXT), stream, raw, io.BytesIO(TEXT), [path], (path,), {path}, iter([path]), [[path]],
        ]  # fmt: skip
        for kind in kinds:
            source = only(open_sources(kind, folder))
            assert bytes_of(source) == TEXT, kind
            assert (source.alone, source.packing, source.size) == (True, "none", len(TEXT))
            assert (source.notes, source.problem) == ((), "")
    assert only(open_sources("~/a.json", folder)).name == "~/a.json"
    assert only(open_sources(TEXT, folder)).name == "<bytes>"
    assert only(open_sources(io.BytesIO(TEXT), folder)).name == "<stream>"


def test_a_file_that_is_on_disk_is_not_copied(tmp_path, folder):
    for name, content in {"a": TEXT, "b": gzip.compress(TEXT), "c": zstd(TEXT)}.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert only(open_sources(path, folder)).path == str(path)
    assert not files_in(folder)


def test_a_set_has_an_order(tmp_path, folder):
    paths = [tmp_path / f"{number}.json" for number in range(20)]
    for path in paths:
        path.write_bytes(LINE)
    assert [one.name for one in open_sources(set(paths), folder)] == sorted(map(str, paths))


def test_standard_input(folder, monkeypatch):
    for text in ("-", None):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(TEXT))))
        source = only(open_sources(text or sys.stdin, folder))
        assert (source.name, source.packing, bytes_of(source)) == ("<stdin>", "gzip", TEXT)
    terminal = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    with pytest.raises(SourceError, match="is a terminal"):
        open_sources("-", folder)
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(SourceError, match="no standard input"):
        open_sources("-", folder)


def test_files_that_are_open_as_text_or_closed(tmp_path, folder):
    path = tmp_path / "a.json"
    path.write_bytes(TEXT)
    with (
        path.open() as stream,
        pytest.raises(SourceError, match=r"a\.json is open as text; open it in binary"),
    ):
        open_sources(stream, folder)
    with path.open("rb") as stream:
        pass
    with pytest.raises(SourceError, match="closed file"):
        open_sources(stream, folder)
    strange = types.SimpleNamespace(read=lambda _: "text")
    with pytest.raises(SourceError, match="<stream> is open as text"):
        open_sources(strange, folder)
    assert not files_in(folder)


def test_a_stream_that_fails(folder):
    class Broken(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, _):
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(SourceError, match="cannot read <stream>: Input/output error"):
        open_sources(Broken(), folder)
    cut = gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(os.urandom(1000))[:500]))
    with cut, pytest.raises(SourceError, match="damaged or ends too early"):
        open_sources(cut, folder)
    assert not files_in(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
def test_a_pipe_is_read_where_it_is_named_and_left_where_it_is_met(tmp_path, folder):
    inside = tmp_path / "exports"
    inside.mkdir()
    os.mkfifo(inside / "pipe")
    (inside / "a.json").write_bytes(TEXT)
    with socket.socket(socket.AF_UNIX) as plug:
        plug.bind(str(inside / "plug"))
        assert [one.name for one in open_sources(inside, folder)] == ["a.json"]
        with pytest.raises(SourceError, match="neither a file nor a folder"):
            open_sources(inside / "plug", folder)
    writer = threading.Thread(target=(inside / "pipe").write_bytes, args=[TEXT])
    writer.start()
    assert bytes_of(only(open_sources(inside / "pipe", folder))) == TEXT
    writer.join()


def test_a_folder_is_read_with_all_that_is_in_it_but_bookkeeping(tmp_path, folder):
    top = tmp_path / "exports"
    kept = {"a.json": LINE, "b/c.json": TEXT, "b/.hidden.json": LINE, "b.json": b""}
    left = [".DS_Store", "b/Thumbs.db", "b/desktop.ini", "b/._c.json", "__MACOSX/b/c.json"]
    for name in [*kept, *left]:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(kept.get(name, b"x"))
    found = open_sources(top, folder)
    assert contents(found) == kept
    assert [one.name for one in found] == ["a.json", "b/.hidden.json", "b/c.json", "b.json"]
    assert not any(one.alone for one in found)


def test_empty_folders_and_paths(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / ".DS_Store").write_bytes(b"x")
    for name in ("empty", "kept"):
        with pytest.raises(SourceError, match=f"the folder .*{name} holds no files"):
            open_sources(tmp_path / name, folder)
    with pytest.raises(SourceError, match=r"the folders that match .* hold no files"):
        open_sources(str(tmp_path / "e*y"), folder)
    with pytest.raises(SourceError, match="path is empty"):
        open_sources("", folder)
    with pytest.raises(SourceError, match="list of sources is empty"):
        open_sources([[]], folder)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_links_to_nothing_are_skipped_in_a_folder(tmp_path, folder):
    top = tmp_path / "exports"
    top.mkdir()
    (top / "a.json").write_bytes(TEXT)
    (top / "linked.json").symlink_to(top / "a.json")
    (top / "gone.json").symlink_to(top / "nowhere")
    (top / "round").symlink_to(top)
    assert [one.name for one in open_sources(top, folder)] == ["a.json", "linked.json"]
    assert [Path(one.name).name for one in open_sources(str(top / "*"), folder)] == ["a.json", "linked.json"]
    with pytest.raises(SourceError, match="no file or folder"):
        open_sources(top / "gone.json", folder)


def test_globs(tmp_path, folder):
    for name in ("a.json", "b/c.json", "b/d/e.json", "b/d/f.csv", "g[1].json"):
        (tmp_path / "x" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "x" / name).write_bytes(name.encode())
    top = str(tmp_path / "x")

    def found(pattern):
        return [source.name[len(top) + 1 :].replace("\\", "/") for source in open_sources(pattern, folder)]

    assert found(f"{top}/**/*.json") == ["a.json", "b/c.json", "b/d/e.json", "g[1].json"]
    assert found(f"{top}/?.json") == ["a.json"]
    assert found(f"{top}/b*") == ["b/c.json", "b/d/e.json", "b/d/f.csv"]  # a folder: what is in it
    assert not any(source.alone for source in open_sources(f"{top}/?.json", folder))
    # a name that only looks like a pattern is a file
    source = only(open_sources(f"{top}/g[1].json", folder))
    assert source.alone
    with pytest.raises(SourceError, match="no file matches"):
        open_sources(f"{top}/*.txt", folder)


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_a_name_that_the_engine_would_take_for_a_pattern(tmp_path, folder):
    (tmp_path / "a*.csv").write_bytes(b"n\n1\n")
    (tmp_path / "ab.csv").write_bytes(b"n\n2\n")
    source = only(open_sources(tmp_path / "a*.csv", folder))
    assert duckdb.sql(f"SELECT n FROM read_csv('{source.path}')").fetchall() == [(1,)]
    strange = os.fsencode(tmp_path) + b"/caf\xe9.csv"
    try:
        Path(os.fsdecode(strange)).write_bytes(b"n\n3\n")
    except OSError:
        pytest.skip("file names are Unicode here")
    source = only(open_sources(os.fsdecode(strange), folder))
    assert source.name.endswith("/caf?.csv")
    assert duckdb.sql(f"SELECT n FROM read_csv('{source.path}')").fetchall() == [(3,)]


def test_what_is_not_there_is_told_without_content(folder):
    for content in (
        '{"email": "reader@example.com"}',
        "x" * 5000,
        "a\nb",
        '[{"email": "reader@example.com"}]',
    ):
        with pytest.raises(SourceError, match=r"of that name .* given as bytes") as caught:
            open_sources(content, folder)
        assert len(str(caught.value)) < 200
        assert "reader" not in str(caught.value)
    with pytest.raises(SourceError, match=r"file or folder …@example\.com$"):
        open_sources("reader@example.com", folder)
    with pytest.raises(SourceError, match="no file or folder"):
        open_sources("a\0b", folder)
    with pytest.raises(SourceError, match="no file or folder ~nobody-of-that-name/x"):
        open_sources("~nobody-of-that-name/x", folder)
    with pytest.raises(SourceError, match="cannot read from dict"):
        open_sources({}, folder)


def test_files_that_may_not_be_read(tmp_path, folder, monkeypatch):
    top = tmp_path / "exports"
    top.mkdir()
    for name in ("a.json", "b.json"):
        (top / name).write_bytes(TEXT)
    real = Path.open

    def closed(self, *arguments, **options):
        if self.name == "a.json":
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return real(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", closed)
    with pytest.raises(SourceError, match=r"a\.json cannot be opened: Permission denied$"):
        open_sources(top / "a.json", folder)
    bad, good = open_sources(top, folder)
    assert (bad.name, bad.problem) == ("a.json", "cannot be opened: Permission denied")
    assert bytes_of(good) == TEXT


def test_folders_that_may_not_be_read(tmp_path, folder, monkeypatch):
    top = tmp_path / "exports"
    (top / "closed").mkdir(parents=True)
    (top / "a.json").write_bytes(TEXT)
    real = os.scandir

    def scandir(path):
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    good, bad = open_sources(top, folder)
    assert (bad.name, bad.problem) == ("closed", "cannot be opened: Permission denied")
    assert (good.name, good.problem) == ("a.json", "")
    with pytest.raises(SourceError, match=r"cannot open the folder .*closed: Permission denied"):
        open_sources(top / "closed", folder)


def test_a_full_disk_is_told_as_such(folder, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    class Full(io.BytesIO):
        name = os.path.join(folder, "x")  # noqa: PTH118
        write = full

    monkeypatch.setattr(archives, "new_file", lambda _: Full())
    with pytest.raises(
        SourceError, match=r"folder for temporary files, .*: No space left on device; make room"
    ):
        open_sources([zipped({"a": TEXT})], folder)


def test_temporary_files_never_collide(tmp_path, folder):
    for number in range(50):
        (Path(folder) / f"source-{number}").write_bytes(b"mine")
    found = [one for number in range(60) for one in open_sources(str(number).encode(), folder)]
    assert [bytes_of(one) for one in found] == [str(number).encode() for number in range(60)]
    assert len({one.path for one in found}) == 60
    assert (Path(folder) / "source-7").read_bytes() == b"mine"


# packed files


@pytest.mark.parametrize("kind", PACKERS)
def test_packed_files_are_told_by_content(kind, tmp_path, folder):
    path = tmp_path / "export.json"
    path.write_bytes(PACKERS[kind](TEXT))
    source = only(open_sources(path, folder))
    assert source.packing == (kind if kind in {"gzip", "zstd"} else "none")
    assert (source.packing == "gzip") == (kind == "gzip")
    assert source.name == str(path)
    assert source.alone
    assert bytes_of(source) == TEXT == source.head()
    assert source.size == Path(source.path).stat().st_size
    rows = duckdb.sql(
        f"SELECT count(*) FROM read_json('{source.path}', compression = '{source.packing}')"
    ).fetchall()
    assert rows == [(3,)]
    plain = tmp_path / "plain.json.gz"
    plain.write_bytes(TEXT)
    assert only(open_sources(plain, folder)).packing == "none"


@pytest.mark.parametrize("kind", PACKERS)
def test_several_streams_in_one_file_are_one(kind, folder):
    pack = PACKERS[kind]
    assert bytes_of(only(open_sources(pack(TEXT) + pack(LINE), folder))) == TEXT + LINE
    assert bytes_of(only(open_sources(pack(b""), folder))) == b""


@pytest.mark.parametrize("kind", PACKERS)
def test_a_packed_file_that_ends_too_early_gives_what_it_has(kind, folder):
    lines = b"".join(b'{"n": %d, "x": "%s"}\n' % (n, os.urandom(20).hex().encode()) for n in range(30_000))
    packed = PACKERS[kind](lines)
    source = only(open_sources(packed[: len(packed) // 2], folder))
    with source.open() as stream:
        given = read_up_to(stream, len(lines))
    assert lines.startswith(given)
    assert len(given) > len(lines) * 0.2
    assert source.head() == lines[:HEAD_SIZE]
    assert source.cut
    (note,) = source.notes
    assert note.endswith("file that is damaged or ends too early: what is left of it was read")
    only(open_sources(packed, folder))


@pytest.mark.parametrize("kind", PACKERS)
def test_a_packed_file_of_which_nothing_is_left(kind, folder):
    magic = PACKERS[kind](os.urandom(2000))[:10]
    refused(
        magic, folder, f"is {archives.TITLES[kind]} that is damaged: nothing in it can be unpacked; fetch it"
    )


def test_packed_twice(folder):
    for inner in PACKERS.values():
        for outer in PACKERS.values():
            assert bytes_of(only(open_sources(outer(inner(TEXT)), folder))) == TEXT
    refused(gzip.compress(gzip.compress(gzip.compress(gzip.compress(TEXT)))), folder, "lies too deep")


# archives


TARS = {"": bytes, **PACKERS}
METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
FILES = {"a.json": LINE, "b/c.json": TEXT, "b/empty.json": b""}
EXPECTED = {f"<bytes>/{name}": content for name, content in FILES.items()}


@pytest.mark.parametrize("method", METHODS)
def test_zip_archives(method, folder):
    found = open_sources(
        zipped(FILES | {"__MACOSX/._a.json": b"x", "b/.DS_Store": b"x"}, method=method), folder
    )
    assert contents(found) == EXPECTED
    assert not any(one.alone for one in found)
    assert all(Path(one.path).parent == Path(folder) for one in found)


@pytest.mark.parametrize("packing", TARS)
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_tar_archives(packing, form, folder):
    found = open_sources(TARS[packing](tarred(FILES | {"./b/Thumbs.db": b"x"}, form=form)), folder)
    assert contents(found) == EXPECTED
    assert not any(one.alone for one in found)


def test_a_tar_archive_without_a_magic_or_an_end(folder):
    old = bytearray(tarred({"a.json": TEXT}, form=tarfile.USTAR_FORMAT))
    old[257:265] = bytes(8)
    old[148:156] = b"%06o\0 " % (sum(old[:148]) + sum(old[156:512]) + 8 * 32)
    member, archive = open_sources(bytes(old[:1024]), folder)
    assert contents([member]) == {"<bytes>/a.json": TEXT}
    assert archive.problem.startswith("is a tar archive that ends behind a.json without the mark of its end")


def test_long_and_foreign_names_in_archives(folder):
    names = ["x" * 300 + ".json", "caf\u00e9/\u4e2d.json", "a\\b.json", "./c.json", "with space.json"]
    for archive in (zipped(dict.fromkeys(names, LINE)), tarred(dict.fromkeys(names, LINE))):
        found = open_sources(archive, folder)
        assert [one.name for one in found] == [
            f"<bytes>/{name.replace(chr(92), '/').removeprefix('./')}" for name in names
        ]


def test_an_archive_that_was_handed_in_is_not_kept(folder):
    for content in (
        zipped(FILES),
        gzip.compress(tarred(FILES)),
        zipped({"a.zip": zipped(FILES)}),
        bz2.compress(TEXT),
    ):
        found = open_sources(io.BytesIO(content), folder)
        assert [str(path) for path in files_in(folder)] == sorted(one.path for one in found)
        archives.delete(files_in(folder))


def test_an_archive_of_one_file_is_that_file(tmp_path, folder):
    path = tmp_path / "export.zip"
    path.write_bytes(zipped({"inner/a.json": TEXT, "__MACOSX/inner/._a.json": b"x"}))
    source = only(open_sources(path, folder))
    assert (source.name, source.alone) == (f"{path}/inner/a.json", True)
    assert only(open_sources(zipped({"b.zip": path.read_bytes()}), folder)).alone
    met = only(open_sources(tmp_path / "*.zip", folder))
    assert not met.alone


def test_an_archive_in_a_folder_is_opened(tmp_path, folder):
    top = tmp_path / "exports"
    top.mkdir()
    (top / "one.zip").write_bytes(zipped({"inner/file.json": TEXT}))
    (top / "two.json").write_bytes(LINE)
    assert contents(open_sources(top, folder)) == {"one.zip/inner/file.json": TEXT, "two.json": LINE}


OPENED = {
    "zip": lambda content: zipped({"in.json": content}),
    "tar": lambda content: tarred({"in.json": content}),
    "tar.gz": lambda content: gzip.compress(tarred({"in.json": content})),
    "tar.xz": lambda content: lzma.compress(tarred({"in.json": content})),
}


@pytest.mark.parametrize("outer", OPENED)
@pytest.mark.parametrize("inner", OPENED)
def test_an_archive_in_an_archive(outer, inner, folder):
    packed = OPENED[inner](TEXT)
    source = only(open_sources(OPENED[outer](packed), folder))
    assert (source.name, bytes_of(source)) == ("<bytes>/in.json/in.json", TEXT)
    refused(
        OPENED["zip"](OPENED[outer](packed)),
        folder,
        r"in\.json/in\.json lies too deep, .*give what is in it$",
    )
    # among others, it is told with the file
    beside = open_sources(zipped({"a.json": LINE, "b.zip": OPENED[outer](packed)}), folder)
    assert [bool(one.problem) for one in beside] == [False, True]
    assert beside[1].name == "<bytes>/b.zip/in.json"


@pytest.mark.parametrize("kind", PACKERS)
def test_packed_files_in_archives_and_archives_packed_as_a_whole(kind, folder):
    source = only(open_sources(zipped({"a.json": PACKERS[kind](TEXT)}), folder))
    assert source.packing == (kind if kind in {"gzip", "zstd"} else "none")
    assert (source.name, bytes_of(source)) == ("<bytes>/a.json", TEXT)
    whole = open_sources(PACKERS[kind](zipped(FILES)), folder)
    assert contents(whole) == EXPECTED


def test_documents_are_left_alone(folder):
    for mark in ("[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF"):
        content = zipped({mark: b"x", "xl/workbook.xml": b"<x/>"})
        source = only(open_sources(content, folder))
        assert (source.name, source.packing, bytes_of(source)) == ("<bytes>", "none", content)


def test_other_files_are_left_alone(folder):
    magic = [
        b"PK\x03\x04\x00\x00",
        b"BZh9 is no archive",
        b"%PDF-1.4\rx\ry",
        b"\x1f\x8b",
        b"PAR1" + bytes(200),
    ]
    for content in (b"", *magic, bytes(2048), bytes(range(256)) * 4, b"SQLite format 3\0" + bytes(100)):
        source = only(open_sources(content, folder))
        assert (source.packing, source.notes, bytes_of(source)) == ("none", (), content)


# what is refused


@pytest.mark.parametrize("content", [zipped({}), tarred({"d/._x": b""}), zipped({"__MACOSX/a": b""})])
def test_empty_archives(content, folder):
    refused(content, folder, "archive without files in it$")


@pytest.mark.parametrize(
    "name", ["../a.json", "a/../../b", "/etc/a.json", "C:/a.json", "c:a.json", "..\\a.json", "\\\\host\\a"]
)
def test_names_that_lead_out_of_the_archive(name, folder):
    for content in (zipped({"a.json": TEXT, name: LINE}), tarred({"a.json": TEXT, name: LINE})):
        refused(content, folder, "archive in which .* would lie outside of the archive's own folder")
        assert len(files_in(folder)) == 1  # the content that was handed in
        archives.delete(files_in(folder))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_in_archives(kind, folder):
    refused(tarred({"a.json": TEXT}, kind), folder, "a tar archive in which odd is a link or a device")
    assert len(files_in(folder)) == 1


def test_links_in_zip_archives(folder):
    info = zipfile.ZipInfo("odd")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    refused(out.getvalue(), folder, "a ZIP archive in which odd is a link")


def changed(content, offset, value, signature=b"PK\x01\x02"):
    """Return a ZIP archive with a field of its list of contents, and of its files, changed."""
    data = bytearray(content)
    local = {b"PK\x01\x02": b"PK\x03\x04"}[signature]
    for mark, place in ((signature, offset), (local, offset - 2)):
        at = data.find(mark)
        struct.pack_into("<H", data, at + place, value)
    return bytes(data)


def test_zip_archives_with_a_password(folder):
    content = changed(zipped({"reader@example.com.json": TEXT}), 8, 1)
    refused(content, folder, "with a password, which …@example.com.json in it needs; unpack it yourself")


@pytest.mark.parametrize(("method", "title"), [(9, "Deflate64"), (98, "PPMd"), (77, "method 77")])
def test_zip_archives_packed_in_other_ways(method, title, folder):
    refused(
        changed(zipped({"a": TEXT}), 10, method),
        folder,
        f"packed with {title}, which cannot be unpacked here",
    )


def read_of(content, folder):
    """Return what could be read of a damaged archive, and what is said of it."""
    *members, archive = open_sources(content, folder)
    assert all(archive.problem for _ in members)
    return contents([one for one in members if not one.problem]), archive.problem


def test_damaged_archives(folder):
    noise = os.urandom(5000)
    whole = zipped({"a.json": noise, "b.json": noise}, method=zipfile.ZIP_STORED)
    both = {"<bytes>/a.json": noise, "<bytes>/b.json": noise}
    found, problem = read_of(whole[:-20], folder)
    assert found == both
    assert re.match("is a ZIP archive that is damaged: its list of contents, .* fetch it again", problem)
    broken = whole.replace(noise[2000:2010], b"damaged!!!", 1)
    found, problem = read_of(broken, folder)
    assert found == both | {"<bytes>/a.json": noise.replace(noise[2000:2010], b"damaged!!!")}
    assert "damaged: a.json in it cannot be unpacked to its end; fetch it again" in problem
    tar = tarred({"a.json": noise, "b.json": noise}, form=tarfile.USTAR_FORMAT)
    for content in (tar[:3000], tar[:6200], tar[:8000], gzip.compress(tar)[:-2000], gzip.compress(tar)[:-4],
                    bz2.compress(tar)[:-50], lzma.compress(tar)[:-50], zstd(tar)[:-50]):  # fmt: skip
        try:
            found, problem = read_of(content, folder)
        except SourceError as error:  # of what is packed as one block, nothing is left
            problem = str(error)
            found = {}
        assert re.search("is an? (tar archive|bzip2 file|Zstandard file) that is damaged", problem)
        assert all(noise.startswith(one) for one in found.values())
    second = bytearray(tar)
    second[5632 + 3] ^= 1  # in the header of the second file
    found, problem = read_of(bytes(second), folder)
    assert found == {"<bytes>/a.json": noise}
    assert problem == "is a tar archive that is damaged at or after a.json in it; fetch it again"


def test_a_damaged_archive_in_a_folder_is_told_with_it(tmp_path, folder):
    top = tmp_path / "exports"
    top.mkdir()
    (top / "a.zip").write_bytes(zipped({"a.json": TEXT})[:-20])
    (top / "b.json").write_bytes(TEXT)
    member, bad, good = open_sources(top, folder)
    assert bytes_of(member) == TEXT
    assert bad == Source(
        "a.zip",
        str(top / "a.zip"),
        (top / "a.zip").stat().st_size,
        "none",
        False,
        (),
        bad.problem,
        cut=True,
        origin=str(top / "a.zip"),
    )
    assert bad.problem.startswith("is a ZIP archive that is damaged: ")
    assert good.problem == ""


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(archives, "FLOOR", 2 * 1024**2)


BOMB = bytes(5 * 1024**2)


@pytest.mark.parametrize("kind", PACKERS)
def test_packed_bombs(kind, folder, small):
    refused(PACKERS[kind](BOMB), folder, "unpacks to more than 250 times its size")
    assert len(files_in(folder)) == 1


@pytest.mark.parametrize(
    "content",
    [
        zipped({"a.json": BOMB}),
        zipped({f"{number}.json": BOMB[: 1024**2] for number in range(5)}),
        gzip.compress(tarred({"a.json": BOMB})),
        lzma.compress(tarred({"__MACOSX/a.json": BOMB * 4})),
        zipped({"a.zip": zipped({"b.json": BOMB}), "c.json": LINE}),
        zipped({"a.json": gzip.compress(BOMB)}),
        zipped({"a.json": bz2.compress(BOMB)}),
        gzip.compress(gzip.compress(BOMB)),
    ],
)
def test_archives_that_are_made_to_fill_a_disk(content, folder, small):
    refused(content, folder, "unpacks to more than 250 times its size, .* give what is in it")
    for path in files_in(folder):
        assert path.stat().st_size < 1024**2, path


def test_a_zip_archive_that_lies_about_its_sizes(folder, small):
    content = bytearray(zipped({"a.json": BOMB}))
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        struct.pack_into("<I", content, content.find(mark) + place, 100)
    refused(bytes(content), folder, "damaged|unpacks to more")
    assert all(path.stat().st_size < 1024**2 for path in files_in(folder))


def test_a_gzip_file_that_lies_about_its_size(folder, small):
    honest = gzip.compress(BOMB)
    refused(honest[:-4] + b"\0\0\0\0", folder, "unpacks to more than 250 times")
    # and one that is cut, so that its last bytes are anything, is none
    lines = b"".join(b'{"n": %d}\n' % number for number in range(400_000))
    cut = gzip.compress(lines, 1)[:-2000] + b"\xff\xff\xff\xff"
    assert only(open_sources(cut, folder)).head() == lines[:HEAD_SIZE]


def test_text_that_packs_well_is_no_bomb(folder, small):
    text = LINE * 5000
    for kind, pack in PACKERS.items():
        assert bytes_of(only(open_sources(pack(text), folder))) == text, kind
    assert len(open_sources(zipped({f"{number}": text for number in range(6)}), folder)) == 6


MADE = [
    make({"a.json": TEXT, "b.zip": zipped({"c": LINE}), "d": gzip.compress(LINE)})
    for make in (zipped, tarred)
]
DAMAGEABLE = [*MADE, *(pack(MADE[1]) for pack in PACKERS.values())]


@examples(150)
@given(data=st.data())
def test_damage_never_raises_anything_else(data):
    which = data.draw(st.integers(0, len(DAMAGEABLE) - 1))
    archive = bytearray(DAMAGEABLE[which])
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 255)), max_size=6)
    ):
        archive[place % len(archive)] = value
    archive = archive[: len(archive) - data.draw(st.sampled_from([0, 0, 0, 1, 30, 100]))]
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = open_sources(bytes(archive), folder)
        except SourceError:
            return
        for source in found:
            if not source.problem:
                source.head()
                recoded(source, folder)


# encodings

WORDS = '{"reason": "bo\u00eete inconnue \u4e2d\u6587 \U0001f600 na\u00efve"}\n{"a": 2}\n'


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("packing", TARS)
def test_wide_encodings(encoding, mark, packing, folder):
    text = WORDS * 2000  # longer than what is looked at
    source = only(open_sources(TARS[packing]((mark + text).encode(encoding)), folder))
    assert bytes_of(source).decode("utf-8") == text
    assert source.packing == "none"
    assert source.notes == (f"text in {encoding[:6].upper()}, read as such",)
    assert (source.name, source.alone) == ("<bytes>", True)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_what_is_appended_says_nothing_of_how_a_text_begins(encoding, folder):
    # as ">>" of a shell appends UTF-16 to a file of another program
    raw = b'{"email": "ann@example.com", "event": "bounce", "timestamp": 1718093404}\n' * 3
    source = only(open_sources(raw + WORDS.encode(encoding) * 3, folder))
    assert bytes_of(source).startswith(raw)


@pytest.mark.parametrize("text", ["", "a", "email\r\n", "\u4e00\u4e8c\n", '{"a": "\u0100"}\n'])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_short_texts_with_a_mark(text, encoding, folder):
    assert bytes_of(only(open_sources(("\ufeff" + text).encode(encoding), folder))).decode() == text


def test_damaged_wide_text_is_replaced(folder):
    text = '{"a": 1}\n' * 100
    raw = text.encode("utf-16-le")
    assert bytes_of(only(open_sources(raw + b"x", folder))).decode() == text + "\ufffd"
    lone = raw[:-2] + b"\x3d\xd8" + b"\n\x00"
    assert bytes_of(only(open_sources(lone, folder))).decode().count("\n") == 100
    cut = gzip.compress(os.urandom(30_000).hex().encode("utf-16"))[:-5000]
    source = only(open_sources(cut, folder))
    assert "ends too early" in source.notes[0]
    assert source.notes[1] == "text in UTF-16, read as such"


def test_utf8_is_left_alone(tmp_path, folder):
    for text in (
        WORDS,
        "\ufeff" + WORDS,
        WORDS.replace("\n", "\r\n"),
        WORDS[:-1],
        "\x00" + WORDS,
        WORDS + "\x00" * 9,
    ):
        path = tmp_path / "x"
        path.write_bytes(text.encode())
        source = only(open_sources(path, folder))
        assert (source.path, source.notes) == (str(path), ())
        assert recoded(source, folder) is None


@pytest.mark.parametrize("packing", TARS)
def test_lines_that_end_in_cr_alone(packing, folder):
    text = WORDS.replace("\n", "\r").encode() * 20_000
    source = only(open_sources(TARS[packing](text), folder))
    assert bytes_of(source) == text.replace(b"\r", b"\n")
    assert source.notes == ("lines that end in CR alone, as on an old Mac, read as such",)


def test_cr_in_wide_text_and_later_line_ends(folder):
    text = ('{"a": 1}\r' * 50_000) + '{"a": 2}\r\n{"a": 3}\n\r'
    expected = ('{"a": 1}\n' * 50_000) + '{"a": 2}\r\n{"a": 3}\n\n'
    for encoding, count in (("utf-8", 1), ("utf-16", 2)):
        source = only(open_sources(text.encode(encoding), folder))
        assert bytes_of(source).decode() == expected
        assert len(source.notes) == count


def test_a_cr_at_the_end_of_what_is_looked_at(folder):
    line = b"x" * (HEAD_SIZE - 1) + b"\r\n" + LINE
    assert only(open_sources(line, folder)).notes == ()


@examples(200)
@given(
    pieces=st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"bc"]), max_size=30),
    size=st.integers(1, 5),
)
def test_cr_is_told_from_crlf_wherever_pieces_end(pieces, size):
    content = b"".join(pieces)
    out = io.BytesIO()
    parts = [content[at : at + size] for at in range(0, len(content), size)]
    stream = types.SimpleNamespace(read=lambda _: parts.pop(0) if parts else b"")
    encodings.to_utf8(stream, out, encodings.Script("utf-8", cr=True))
    expected = content.replace(b"\r\n", b"\0").replace(b"\r", b"\n").replace(b"\0", b"\r\n")
    assert out.getvalue() == expected


def mended(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(content)
        source = Source("x", str(path), len(content), "none", True, ("before",))
        copy = recoded(source, folder)
        if copy is None:
            return None, ()
        assert (copy.name, copy.alone, copy.packing, copy.notes[0]) == ("x", True, "none", "before")
        assert copy.size == Path(copy.path).stat().st_size
        return bytes_of(copy), copy.notes[1:]


def expected_lines(content):
    mark = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
    for line in content.removeprefix(mark).split(b"\n"):
        try:
            yield mark.decode() + line.decode("utf-8"), False
        except UnicodeDecodeError:
            yield mark.decode() + decoded(line), True
        mark = b""


def test_lines_that_are_not_utf8(folder):
    good, bad = "na\u00efve \u20ac\n".encode(), "na\u00efve \u20ac \x81\n".encode("latin-1", "replace")
    content = good + b"caf\xe9 \x80\n" + good + bad
    result, notes = mended(content)
    assert result.decode().splitlines() == [
        "na\u00efve \u20ac",
        "caf\u00e9 \u20ac",
        "na\u00efve \u20ac",
        "na\u00efve ? \ufffd",
    ]
    assert notes == ("not UTF-8; 2 lines were read as Windows-1252 (Western European)",)
    assert mended(b"\xef\xbb\xbfcaf\xe9\n") == (
        "\ufeffcaf\u00e9\n".encode(), ("not UTF-8; 1 line was read as Windows-1252 (Western European)",)
    )  # fmt: skip


@examples(300)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=20),
            st.text(max_size=10).map(lambda text: text.encode("utf-8", "surrogatepass")),
            st.sampled_from(
                [b"\n", b"\r\n", b"\xef\xbb\xbf", b"\x00", b"caf\xe9", "\u4e2d".encode(), b"\xe4\xb8"]
            ),
        ),
        max_size=15,
    ).map(b"".join)
)
def test_recoding_loses_no_line(content):
    result, notes = mended(content)
    lines = list(expected_lines(content))
    count = sum(bad for _, bad in lines)
    assert (result is None) == (count == 0)
    if result is not None:
        assert result.decode("utf-8").split("\n") == [line for line, _ in lines]
        assert notes[0].startswith(f"not UTF-8; {count} line")


@examples(200)
@given(
    parts=st.lists(
        st.sampled_from([b"\n", b"abc", b"\xe9", "\u4e2d".encode(), "\u20ac".encode(), b"\xe4"]), max_size=25
    ),
    size=st.integers(1, 4),
)
def test_recoding_in_small_pieces(parts, size):
    """Blocks of a few bytes stand for large files; what is one line counts once, however it is cut."""
    content = b"".join(parts)
    out = io.BytesIO()
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    given_back = types.SimpleNamespace(read=lambda _: pieces.pop(0) if pieces else b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encodings, "_BLOCK", 3)
        patch.setattr(encodings, "_LONGEST_LINE", 6)
        count = encodings.mend(given_back, out)
    result = out.getvalue().decode("utf-8")
    assert result.count("\n") == content.count(b"\n")
    bad = sum(1 for _, wrong in expected_lines(content) if wrong)
    assert (count == 0) == (bad == 0)
    assert count <= content.count(b"\n") + 1
    if bad == 0:
        assert result.encode() == content


def test_recoding_a_packed_and_a_damaged_file(folder):
    lines = b"".join(b"%d caf\xe9 %s\n" % (number, os.urandom(20).hex().encode()) for number in range(20_000))
    expected = lines.decode("cp1252").encode()
    for pack in (gzip.compress, zstd):
        packed = pack(lines)
        copy = recoded(only(open_sources(packed, folder)), folder)
        assert bytes_of(copy) == expected
        assert len(copy.notes) == 1
        cut = recoded(only(open_sources(packed[: len(packed) // 2], folder)), folder)
        assert expected.startswith(bytes_of(cut))
        assert cut.size > len(expected) // 3
        assert "ends too early" in cut.notes[0]


def test_a_huge_line_is_recoded_in_pieces(folder, monkeypatch):
    monkeypatch.setattr(encodings, "_LONGEST_LINE", 3 * 1024**2)
    line = "\u4e2d".encode() * 3_000_000 + b"\xe9\n" + LINE
    result, notes = mended(line)
    assert result.decode("utf-8").count("\n") == 2
    assert result.startswith("\u4e2d".encode() * 2_000_000)
    assert notes[0].startswith("not UTF-8; 1 line was")


# URLs


@pytest.fixture
def memory():
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    files = {
        "a.json": TEXT,
        "in/b.json.gz": gzip.compress(LINE),
        "in/c.zip": zipped(FILES),
        "in/.DS_Store": b"x",
    }
    for name, content in files.items():
        system.pipe(f"/exports/{name}", content)
    yield system
    system.store.clear()


def test_urls(memory, folder):
    source = only(open_sources("memory://exports/a.json", folder))
    assert (source.name, source.alone, bytes_of(source)) == ("memory://exports/a.json", True, TEXT)
    found = open_sources("memory://exports", folder)
    assert [one.name for one in found] == [
        "a.json", "in/b.json.gz", "in/c.zip/a.json", "in/c.zip/b/c.json", "in/c.zip/b/empty.json"
    ]  # fmt: skip
    assert not any(one.alone for one in found)
    assert found[1].packing == "gzip"
    globbed = open_sources(["memory://exports/**/*.gz"], folder)
    assert contents(globbed) == {"memory:///exports/in/b.json.gz": LINE}
    assert not only(globbed).alone


def test_urls_that_lead_nowhere(memory, folder):
    for url, words in {
        "memory://exports/none.json": r"cannot read memory://exports/none\.json: there is nothing of that name",
        "memory://exports/*.txt": r"no file matches memory://exports/\*\.txt",
        "nosuch://host/x": "cannot read nosuch://host/x: Protocol not known",
    }.items():
        with pytest.raises(SourceError, match=words) as caught:
            open_sources(url, folder)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_url_that_cannot_be_fetched(memory, folder, monkeypatch):
    real = type(memory).open

    def failing(self, path, *arguments, **options):
        if path.endswith("a.json"):
            raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        return real(self, path, *arguments, **options)

    monkeypatch.setattr(type(memory), "open", failing)
    with pytest.raises(SourceError, match=r"cannot read memory://exports/a\.json: Connection reset by peer"):
        open_sources("memory://exports/a.json", folder)
    bad, *good = open_sources("memory://exports/", folder)
    assert (bad.name, bad.problem) == ("a.json", "cannot be fetched: Connection reset by peer")
    assert len(good) == 4


def test_fsspec_is_asked_for_by_its_extra(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'bounceanalytics\[remote\]'"):
        open_sources("s3://bucket/x.json", folder)


def test_another_package_that_a_url_needs(folder, monkeypatch):
    core = types.ModuleType("fsspec.core")

    def url_to_fs(url):
        raise ImportError("Install s3fs to access S3")

    core.url_to_fs = url_to_fs
    monkeypatch.setitem(sys.modules, "fsspec", types.ModuleType("fsspec"))
    monkeypatch.setitem(sys.modules, "fsspec.core", core)
    with pytest.raises(MissingExtraError, match=r"not installed \(Install s3fs to access S3\); pip install"):
        open_sources("s3://bucket/x.json", folder)


def test_what_is_secret_in_a_url_is_not_shown(folder, monkeypatch):
    class System:
        def open(self, path, _):
            raise OSError(f"403 for {path}")

    core = types.ModuleType("fsspec.core")
    core.url_to_fs = lambda url: (System(), url)
    monkeypatch.setitem(sys.modules, "fsspec", types.ModuleType("fsspec"))
    monkeypatch.setitem(sys.modules, "fsspec.core", core)
    with pytest.raises(SourceError) as caught:
        open_sources("https://me:pass@example.com/x.json?signature=abc", folder)
    assert str(caught.value) == "cannot read https://example.com/x.json: 403 for https://example.com/x.json"


# names in messages


def test_names_as_they_are_shown():
    assert shown("a/b c.json") == "a/b c.json"
    assert shown("reader@example.com.csv") == "…@example.com.csv"
    assert shown("a\x1b[31m\t\udce9") == "a\ufffd[31m\ufffd?"
    assert len(shown("x/" * 500)) == 200
    assert shown("x" * 5000) == "<text of 5,000 characters>"


def test_long_names_in_errors(folder):
    name = "y" * 3000 + "/../x"
    message = refused(zipped({name: LINE}), folder, "would lie outside")
    assert len(message) < 450


def test_sources_are_values():
    source = Source("a", "b", 1, "gzip", True)
    assert source == Source("a", "b", 1, "gzip", True, (), "")
    assert source.packing == "gzip"
    with pytest.raises(AttributeError):
        source.name = "c"
    assert sources.HEAD_SIZE == HEAD_SIZE
