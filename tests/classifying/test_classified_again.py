"""A classified dataset follows the one it is made of, and is never of two."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.classifying import classify as classifying
from bounceanalytics.datasets import STATE, note_of, read_note
from tests.loading.exports import lines, sendgrid_bounce


def export(folder: Path, name: str, first: int, number: int = 40) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(lines(*(sendgrid_bounce(one) for one in range(first, first + number))))
    return path


@pytest.fixture
def events(tmp_path):
    exports = tmp_path / "exports"
    for number, name in enumerate(("a.json", "b.json")):
        export(exports, name, 100 * number)
    return ba.convert(exports, tmp_path / "events")


@pytest.fixture
def judged(monkeypatch):
    """Parts that were classified, not taken over."""
    names = []
    real = classifying._classified

    def listed(dataset, part, *rest):
        for table in real(dataset, part, *rest):
            names.append(part.name)
            yield table

    monkeypatch.setattr(classifying, "_classified", listed)
    return names


def same(bounces, events):
    pd.testing.assert_frame_equal(bounces.to_pandas(), ba.classify(events.to_pandas()))


def test_what_has_grown_is_classified_where_it_has(events, tmp_path, judged):
    ba.classify(events, out=tmp_path / "bounces")
    export(tmp_path / "exports", "c.json", 900)
    ba.convert(tmp_path / "exports", tmp_path / "events")
    judged.clear()
    bounces = ba.classify(events, out=tmp_path / "bounces")
    assert judged
    assert {name.split("-")[1] for name in judged} == {"00003"}
    same(bounces, events)
    assert {one.name for one in tmp_path.iterdir()} == {"exports", "events", "bounces"}


def test_nothing_new_costs_nothing(events, tmp_path, judged):
    before = ba.classify(events, out=tmp_path / "bounces").to_pandas()
    judged.clear()
    pd.testing.assert_frame_equal(ba.classify(events, out=tmp_path / "bounces").to_pandas(), before)
    assert not judged


def test_other_events_are_not_added(events, tmp_path):
    ba.classify(events, out=tmp_path / "bounces")
    ba.convert(export(tmp_path / "others", "a.json", 500), tmp_path / "events", overwrite=True)
    for other in (tmp_path / "events", ba.convert(tmp_path / "others", tmp_path / "more")):
        with pytest.raises(ba.OutputError, match=r"was made with other events: .*overwrite=True"):
            ba.classify(other, out=tmp_path / "bounces")
    same(ba.classify(tmp_path / "events", out=tmp_path / "bounces", overwrite=True), events)


def test_other_rules_are_not_mixed(events, tmp_path):
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nid = "ours"\nreason = "spam"\npattern = "no mailbox"\n')
    ba.classify(events, out=tmp_path / "bounces")
    for options in ({"rules": rules}, {"second_reader": False}):
        with pytest.raises(ba.OutputError, match=r"was made with other rules: .*overwrite=True"):
            ba.classify(events, out=tmp_path / "bounces", **options)
    bounces = ba.classify(events, out=tmp_path / "bounces", rules=rules, overwrite=True)
    assert set(bounces.to_pandas()["rule"].dropna()) == {"ours"}
    ba.classify(events, out=tmp_path / "bounces", rules=rules)


def test_a_part_of_another_content_is_classified_anew(events, tmp_path, judged):
    """As where a run of convert was killed, and the next one gave its number to another file."""
    ba.classify(events, out=tmp_path / "bounces")
    (part, *_) = events.parts
    other = ba.convert(export(tmp_path / "others", "a.json", 700), tmp_path / "more")
    part.write_bytes(other.parts[0].read_bytes())
    judged.clear()
    same(ba.classify(events, out=tmp_path / "bounces"), events)
    assert set(judged) == {part.name}


def _cut(part: Path) -> None:
    part.write_bytes(part.read_bytes()[:-100])


def _scribbled(part: Path) -> None:
    content = bytearray(part.read_bytes())
    content[200:300] = b"x" * 100
    part.write_bytes(content)


def _emptied(part: Path) -> None:
    """As a loss of power may leave it: with its size and its time."""
    facts = part.stat()
    part.write_bytes(bytes(facts.st_size))
    os.utime(part, ns=(facts.st_atime_ns, facts.st_mtime_ns))


@pytest.mark.parametrize("damage", [_cut, _scribbled, _emptied, Path.unlink])
def test_a_damaged_part_is_classified_anew(events, tmp_path, judged, damage):
    part = ba.classify(events, out=tmp_path / "bounces").parts[0]
    damage(part)
    judged.clear()
    same(ba.classify(events, out=tmp_path / "bounces"), events)
    assert set(judged) == {part.name}
    judged.clear()
    ba.classify(events, out=tmp_path / "bounces")
    assert not judged


def test_a_damaged_part_of_an_earlier_version_is_classified_anew(events, tmp_path, judged):
    part = ba.classify(events, out=tmp_path / "bounces").parts[0]
    note = tmp_path / "bounces" / STATE / "parts.json"
    facts = {name: fact for name, fact in read_note(note).items() if name != "files"}
    note.write_text(note_of(facts))
    _cut(part)
    judged.clear()
    same(ba.classify(events, out=tmp_path / "bounces"), events)
    assert set(judged) == {part.name}


def test_parts_that_are_gone_go(events, tmp_path):
    ba.classify(events, out=tmp_path / "bounces")
    (tmp_path / "events" / STATE / "unit-00002.json").unlink()  # as if its run had been killed
    assert {part.name.split("-")[1] for part in events.parts} == {"00001"}
    same(ba.classify(events, out=tmp_path / "bounces"), events)


def test_other_things_in_the_folder_are_not_thrown_away(events, tmp_path):
    ba.classify(events, out=tmp_path / "bounces")
    (tmp_path / "bounces" / "notes.txt").write_text("ours")
    with pytest.raises(ba.OutputError, match="exists; pass overwrite=True"):
        ba.classify(events, out=tmp_path / "bounces")
    assert (tmp_path / "bounces" / "notes.txt").read_text() == "ours"


def test_one_month_does_not_replace_the_others(events, tmp_path):
    month = events.parts[0].parent.name
    ba.classify(events, out=tmp_path / "bounces")
    with pytest.raises(ba.OutputError, match="was made with other events"):
        ba.classify(ba.Dataset(tmp_path / "events", month), out=tmp_path / "bounces")


def test_rules_of_yesterday_are_those_of_today(events, tmp_path, monkeypatch):
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nid = "ours"\nreason = "spam"\npattern = "no mailbox"\nadded = 2020-01-01\n')
    ba.classify(events, out=tmp_path / "bounces", rules=rules)
    rules.write_text('[[rule]]\nid = "ours"\nreason = "spam"\npattern = "no mailbox"\nadded = 2020-01-02\n')
    ba.classify(events, out=tmp_path / "bounces", rules=rules)


def test_tables_of_another_version_are_not_mixed(events, tmp_path, monkeypatch):
    ba.classify(events, out=tmp_path / "bounces")
    monkeypatch.setattr(classifying, "_package_mark", lambda: "another")
    with pytest.raises(ba.OutputError, match="was made with other rules"):
        ba.classify(events, out=tmp_path / "bounces")


def test_where_files_can_have_one_name_only(events, tmp_path, monkeypatch, judged):
    def refuse(*_):
        raise OSError("no hard links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    ba.classify(events, out=tmp_path / "bounces")
    export(tmp_path / "exports", "c.json", 900)
    ba.convert(tmp_path / "exports", tmp_path / "events")
    judged.clear()
    same(ba.classify(events, out=tmp_path / "bounces"), events)
    assert {name.split("-")[1] for name in judged} == {"00003"}


def test_one_of_an_earlier_version_is_not_added_to(events, tmp_path):
    ba.classify(events, out=tmp_path / "bounces")
    (tmp_path / "bounces" / STATE / "parts.json").unlink()
    with pytest.raises(ba.OutputError, match="exists; pass overwrite=True"):
        ba.classify(events, out=tmp_path / "bounces")


def test_a_path_of_no_dataset_is_named(tmp_path):
    with pytest.raises(ba.SourceError, match="nowhere is no dataset; make one with convert"):
        ba.classify(tmp_path / "nowhere", out=tmp_path / "bounces")


def test_who_reads_the_earlier_one_is_told(events, tmp_path):
    tables = ba.classify(events, out=tmp_path / "bounces").tables(rows=10)
    next(tables)
    export(tmp_path / "exports", "c.json", 900)
    ba.convert(tmp_path / "exports", tmp_path / "events")
    ba.classify(events, out=tmp_path / "bounces")
    with pytest.raises(ba.SourceError, match="was replaced"):
        list(tables)
