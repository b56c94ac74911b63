"""Any list, any verdicts, and a process that is killed at any moment."""

from __future__ import annotations

import functools
import random
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.cleaning import clean, restore
from bounceanalytics.cleaning.result import FILES
from bounceanalytics.deciding import decide
from bounceanalytics.errors import FormatError, SourceError
from tests.classified import classified
from tests.effort import examples
from tests.killing import Nursery, needs_fork

PARTS = ("kept", "removed", "held", "unreadable")
PEOPLE = [
    f"{name}@{domain}" for name in ("ann", "bo", "bo+x", "b.o") for domain in ("example.com", "gmail.com")
]


@functools.cache
def everybody() -> pd.DataFrame:
    return decide(classified([{"recipient": address} for address in PEOPLE]))


@st.composite
def verdict_frames(draw: st.DrawFn) -> pd.DataFrame:
    frame = everybody()
    chosen = draw(st.lists(st.sampled_from(list(frame.index)), unique=True))
    frame = frame.loc[chosen]
    words = [draw(st.sampled_from(["keep", "remove", "hold"])) for _ in range(len(frame))]
    return frame.assign(verdict=pd.Series(words, index=frame.index, dtype="str"))


@st.composite
def lists(draw: st.DrawFn) -> bytes:
    """Return lists as people and programs write them, and worse: ragged, blank and stray rows in any dialect."""
    delimiter = draw(st.sampled_from(",;\t|"))
    line_end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    cell = st.one_of(
        st.sampled_from(
            [*PEOPLE, "BO@Example.com", "nobody", "", '"a@b.example"', f'"x{delimiter}y"', '"x""y"']
        ),
        st.sampled_from(['"two\nlines"', '6" pot', "é", "=1", " "]),
    )
    rows = draw(st.lists(st.lists(cell, max_size=4), max_size=12))
    if draw(st.booleans()):
        rows = [["email", "name"], *rows]
    text = line_end.join(delimiter.join(row) for row in rows) + draw(st.sampled_from(["", line_end]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"]))
    return text.encode(encoding)


@examples(80)
@given(lists(), verdict_frames(), st.booleans(), st.booleans(), st.randoms(use_true_random=False))
def test_nothing_is_lost_and_all_of_it_comes_back(
    raw: bytes, verdicts: pd.DataFrame, tags: bool, dots: bool, dice: random.Random
) -> None:
    options = {"column": 0, "fold_subaddresses": tags, "fold_gmail_dots": dots}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            run = clean(raw, verdicts, folder / "run", **options)  # type: ignore[arg-type]
        except FormatError:
            assert list(folder.iterdir()) == []
            return
        assert sum(run.rows[part] for part in PARTS) == run.rows["input"]
        assert restore(run, folder / "list.csv").path.read_bytes() == raw
        # every row is given back exactly once
        alone = {part: restore(run, folder / part, parts=[part], only=True) for part in PARTS[1:]}
        assert all(alone[part].rows["output"] == run.rows[part] for part in PARTS[1:])
        head = len((folder / "run" / "kept.csv").read_bytes()) - _kept_bytes(raw, run.files["rows"])
        kept = len(run.files["kept"].read_bytes())
        assert kept + sum(alone[part].path.stat().st_size - head for part in PARTS[1:]) == len(raw)

        order = list(verdicts.index)
        dice.shuffle(order)
        again = clean(raw, verdicts.loc[order], folder / "again", **options)  # type: ignore[arg-type]
        for part in (*PARTS, "duplicates"):
            assert again.files[part].read_bytes() == run.files[part].read_bytes()


def _kept_bytes(raw: bytes, rows: Path) -> int:
    """Return how many bytes of kept.csv are rows: the list without its head and without the rows taken out."""
    taken = pd.read_parquet(rows)
    head = restore(rows.parent, rows.parent.parent / "head", parts=[], only=True).path.stat().st_size
    return len(raw) - head - int(taken["bytes"].sum())


#: Cleans a list over and over in one folder.
CLEAN = """
import sys
import pandas as pd
from bounceanalytics.cleaning import clean

source, verdicts, out = sys.argv[1:]
frame = pd.read_pickle(verdicts)

def work(name):
    clean(source, frame, out, overwrite=True)
"""


@pytest.mark.slow
@needs_fork
def test_fifty_kills_leave_one_set_or_the_other_or_say_so(tmp_path: Path) -> None:
    source, out = tmp_path / "list.csv", tmp_path / "out"
    people = [f"reader-{number}@example.com" for number in range(60_000)]
    verdicts = decide(classified([{"recipient": address} for address in people[:3000]]))
    verdicts.to_pickle(tmp_path / "verdicts")
    old, new = (
        "".join([f"{head}\n", *(f"{text},x,x,x,x,x\n" for text in people)]) for head in ("email", "E-Mail")
    )
    source.write_text(old)
    clean(source, verdicts, out)
    before = _contents(out)
    source.write_text(new)
    clean(source, verdicts, tmp_path / "expected")
    after = _contents(tmp_path / "expected")

    dice = random.Random(531)  # noqa: S311 - moments, not secrets
    seen = {"old": 0, "new": 0, "refused": 0}
    with Nursery(CLEAN, source, tmp_path / "verdicts", out) as nursery:
        span = nursery.run("whole")
        assert _contents(out) == after
        for kill in range(50):
            _reset(out, before)
            nursery.run(f"k{kill}", seconds=dice.uniform(0, span * 1.1))
            seen[_state(out, before, after)] += 1
    assert seen["old"] > 5
    assert sum(seen.values()) == 50
    clean(source, verdicts, out, overwrite=True)
    assert _contents(out) == after
    assert [path.name for path in out.iterdir() if path.name.startswith(".")] == []


def _contents(folder: Path) -> dict[str, bytes]:
    """Return the files that do not tell the time."""
    return {name: (folder / name).read_bytes() for name in FILES.values() if name != FILES["manifest"]}


def _reset(out: Path, before: dict[str, bytes]) -> None:
    if _contents(out) != before:
        for name, content in before.items():
            (out / name).write_bytes(content)
    (out / FILES["manifest"]).write_text("old")


def _state(out: Path, before: dict[str, bytes], after: dict[str, bytes]) -> str:
    """Return which set there is; every single file must be whole."""
    found = _contents(out)
    assert all(content in (before[name], after[name]) for name, content in found.items())
    manifest = out / FILES["manifest"]
    if not manifest.exists():
        with pytest.raises(SourceError, match="no complete run"):
            restore(out, out / "list.csv")
        return "refused"
    if manifest.read_text() == "old":
        assert found == before
        return "old"
    assert found == after
    return "new"
