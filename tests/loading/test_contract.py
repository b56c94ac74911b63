"""What holds for every registered ESP; a new one is found by itself."""

from __future__ import annotations

import gzip
import importlib
import json
from pathlib import Path

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics import schema
from bounceanalytics.loading import stored
from bounceanalytics.loading.detect import Found
from bounceanalytics.loading.finding import FORMATS
from bounceanalytics.loading.formats.format import RAW_COLUMNS
from bounceanalytics.loading.normalise import events_sql
from bounceanalytics.loading.reading import open_engine
from bounceanalytics.loading.records import direct_sql, fields_sql, native_sql
from bounceanalytics.loading.times import Clocks
from bounceanalytics.loading.unwrapping import carriers
from bounceanalytics.opening import archives
from bounceanalytics.opening.sources import open_sources

READABLE = [form for form in FORMATS if form.provider in schema.ESPS and not form.refuse]


@pytest.fixture(params=schema.ESPS)
def esp(request):
    return request.param


@pytest.fixture
def exports(esp, samples):
    return samples / "exports" / esp


def test_it_has_a_module_and_samples(esp, exports):
    module = importlib.import_module(f"bounceanalytics.loading.formats.{esp}")
    assert module.FORMATS
    assert {form.provider for form in module.FORMATS} == {esp}
    assert module.__doc__.startswith(schema.ESPS[esp])
    assert any(exports.iterdir())


@pytest.fixture
def load(esp, exports, once):
    return once(f"loaded-{esp}", lambda: ba.load(exports))


def test_its_samples_load_without_loss(esp, load):
    assert (load.files["provider"] == esp).all()
    assert set(load.events["provider"].unique()) == {esp}
    assert load.events["recipient"].notna().mean() > 0.9
    assert load.events["timestamp"].notna().mean() > 0.9
    assert (load.files["times"] != "").any()
    assert load.events["esp_event"].notna().any()
    assert {"delivered", "bounced"} <= set(load.events["event"].unique())
    assert load.events["domain"].dropna().str.match(r"^[a-z0-9.-]+$").all()


def test_others_do_not_take_it_for_theirs(esp, exports):
    for other in set(schema.ESPS) - {esp}:
        for file in sorted(exports.iterdir()):
            with pytest.raises(ba.FormatError, match=f"looks like {schema.ESPS[esp]}"):
                ba.load(file, provider=other)


def test_its_copies_count_once(exports, load):
    twice = ba.load([exports, exports])
    assert len(twice.events) == len(load.events)
    assert twice.duplicates.inflation > 1.99


def is_record(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def test_damage_costs_one_record(exports, tmp_path):
    """Every export that has a record a line: a line that is cut costs that line."""
    tried = 0
    for file in sorted(exports.iterdir()):
        content = file.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        rows = [row for row in content.splitlines(keepends=True) if is_record(row)]
        if len(rows) < 50:
            continue
        tried += 1
        clean, hurt = tmp_path / "clean" / file.name, tmp_path / "hurt" / file.name
        for path, lines in ((clean, rows), (hurt, [*rows[:40], rows[40][:60] + b"\n", *rows[41:]])):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"".join(lines))
        one, other = ba.load(clean, deduplicate=False), ba.load(hurt, deduplicate=False)
        rest = one.events[one.events["record"] != 41]
        pd.testing.assert_frame_equal(
            other.events.drop(columns="source").reset_index(drop=True),
            rest.drop(columns="source").reset_index(drop=True),
        )
        assert set(other.rejects["record"]) == {41, *one.rejects["record"]}
    assert tried


def test_the_order_of_its_lines_does_not_matter(exports):
    for file in sorted(exports.glob("*.ndjson")):
        rows = file.read_bytes().splitlines(keepends=True)
        one = ba.load(b"".join(rows), deduplicate=False).events
        other = ba.load(b"".join(reversed(rows)), deduplicate=False).events
        keys = ["recipient", "event", "timestamp", "message_id", "event_id"]
        pd.testing.assert_frame_equal(
            *(
                frame.drop(columns=["record"]).sort_values(keys).reset_index(drop=True)
                for frame in (one, other)
            )
        )


def test_its_words_are_ours(esp):
    events = importlib.import_module(f"bounceanalytics.loading.formats.{esp}").EVENTS
    assert set(events.values()) <= set(schema.EVENTS)
    assert all(word == word.lower() for word in events)


@pytest.fixture(scope="module")
def engine():
    with open_engine() as opened:
        Clocks().attach(opened)
        yield opened


@pytest.mark.parametrize("form", READABLE, ids=lambda form: f"{form.title} {form.kind}")
def test_each_form_is_a_table_that_the_engine_reads_in_order(form, engine, tmp_path):
    assert set(form.columns) <= set(RAW_COLUMNS)
    assert form.needs or form.rows or form.wraps or form.container
    file = tmp_path / "empty"
    file.write_bytes(b"{}\n")
    sources = open_sources(file, str(tmp_path))
    found = Found(form, "lines", form.title, header=("a",))
    if form.kind == "csv" and not form.column:
        columns = ", ".join(f"CAST(NULL AS VARCHAR) AS {json.dumps(name)}" for name in form.fields)
        fields = f"SELECT 0 AS file, true AS head, CAST(NULL AS VARCHAR) AS bad, {columns}"
    elif form.plain:
        fields = direct_sql(sources, found)
    else:
        fields = fields_sql(found, native_sql(sources, found), tolerant=False)
    plan = engine.sql(f"EXPLAIN {events_sql(form, fields, timezone='UTC')}").fetchall()[0][1]
    assert "join type" not in plan.lower(), (
        "a join does not keep the order of the rows, so that records lose their numbers"
    )


def test_the_page_on_forms_names_them_all():
    page = Path(ba.__file__).parent.joinpath("loading", "README.md").read_text(encoding="utf-8")
    for form in READABLE:
        assert form.name.removeprefix("suppression list: ") in page, form.name


def test_the_page_names_all_layers():
    page = Path(ba.__file__).parent.joinpath("loading", "README.md").read_text(encoding="utf-8")
    table = page.partition("## At a glance")[2].partition("\n## ")[0]
    names = [*archives.TITLES.values(), *(name for _, name in stored.KINDS.values())]
    names += [*(name for _, name in carriers.TITLES), *(row.reason for row in carriers.NOTICES)]
    for name in (*names, carriers.PLATFORM.reason):
        assert name in table, name
