"""The recipes for warehouses run as they are written: the verdicts that are joined back are those of every row."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from click.testing import CliRunner

import bounceanalytics as ba
from bounceanalytics import schema
from bounceanalytics.cli import main

VERDICTS = list(schema.VERDICT_COLUMNS.names)
INPUTS = list(schema.VERDICT_INPUTS.names)
CLOUDS = ("Athena", "BigQuery", "Snowflake")
#: Columns that are spelled otherwise from one format to the next, unless their type is told.
NUMBERS = [column for column in schema.BOUNCE_COLUMNS if column.kind in {"bool", "float64"}]
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.fixture(scope="module")
def page(root: Path) -> dict[str, list[str]]:
    """Return the blocks of SQL and of the shell of the page, by section."""
    text = (root / "docs" / "warehouses.md").read_text("utf-8")
    sections = dict(part.split("\n", 1) for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:])
    return {
        title: re.findall(r"^```(?:sql|sh)\n(.*?)^```", body, flags=re.DOTALL | re.MULTILINE)
        for title, body in sections.items()
    }


def everywhere(page: dict[str, list[str]]) -> tuple[str, str, str]:
    """Return what is the same in all warehouses: the views of steps 4 and 6, and the check."""
    (inputs,) = page["Step 4: what verdicts depend on"]
    bounces, check = page["Step 6: events and their verdicts"]
    return inputs, bounces, check


def many(count: int, out: Path) -> None:
    """Write as many events as asked for: those of the samples again and again, with other addresses, days and ids.

    Every second time they have a text that no other event has, as servers write queue ids.
    """
    events = ba.load(ba.samples() / "exports").events
    engine = duckdb.connect()
    engine.register("samples", pa.Table.from_pandas(events, preserve_index=False))
    engine.execute(
        f"""COPY (
            SELECT samples.* REPLACE (
                diagnostic || if(turn % 2 = 0, '', ' (queue id ' || left(md5(turn || record || source), 10) || ')')
                    AS diagnostic,
                'r' || turn || '.' || recipient AS recipient,
                timestamp + to_days(CAST(turn % 300 AS INTEGER)) AS timestamp,
                event_id || turn AS event_id,
                CAST(event AS VARCHAR) AS event,
                CAST(provider AS VARCHAR) AS provider)
            FROM samples, range({-(-count // len(events))}) AS turns(turn)
            LIMIT {count}
        ) TO '{out}' (FORMAT parquet)"""
    )


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with some ten thousand events as a dataset writes them, by month."""
    return dataset(30_000, tmp_path_factory.mktemp("events"))


@pytest.fixture(scope="module")
def two_million(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dataset(2_000_000, tmp_path_factory.mktemp("two_million"))


def dataset(count: int, folder: Path) -> Path:
    many(count, folder / "all.parquet")
    duckdb.connect().execute(
        f"""COPY (SELECT *, coalesce(strftime(timestamp AT TIME ZONE 'UTC', '%Y-%m'), 'none') AS month
            FROM '{folder}/all.parquet')
        TO '{folder}/events.parquet' (FORMAT parquet, PARTITION_BY (month))"""
    )
    return folder


def run(command: str) -> str:
    """Run a command of the page, in the working folder."""
    words = command.split()
    assert words[0] == "bounceanalytics"
    result = CliRunner().invoke(main, words[1:])
    assert result.exit_code == 0, result.output
    return result.output


def same_as_row_by_row(folder: Path, joined: str) -> None:
    """Hold the joined verdicts (a query of DuckDB) against those of every row, whatever the order of rows."""
    every = pd.read_parquet(folder / "all.parquet")
    every = schema.EVENT_COLUMNS.frame(pa.Table.from_pandas(every, preserve_index=False))
    engine = duckdb.connect()
    engine.register("classified", pa.Table.from_pandas(ba.classify(every), preserve_index=False))
    own = {"timestamp": "epoch_us(CAST(timestamp AS TIMESTAMPTZ))"}
    own |= {
        column.name: f"CAST({column.name} AS {column.kind.replace('float64', 'DOUBLE')})"
        for column in NUMBERS
    }
    row = ", ".join(own.get(name, f"CAST({name} AS VARCHAR)") for name in schema.EVENT_COLUMNS.names)
    # each verdict together with all of its event, so that none may have moved to another one
    sums = ", ".join(
        f"sum(CAST(hash({row}, {own.get(name, f'CAST({name} AS VARCHAR)')}) AS HUGEINT)) AS {name}"
        for name in VERDICTS
    )
    found, wanted = (
        engine.execute(f"SELECT count(*) AS events, {sums} FROM {rows}").fetchall()
        for rows in (joined, "classified")
    )
    assert found == wanted
    assert found[0][0] == len(every)


# DuckDB


def by_duckdb(
    page: dict[str, list[str]], folder: Path, monkeypatch: pytest.MonkeyPatch, path: Path
) -> dict[str, int]:
    monkeypatch.chdir(path)
    Path("events.parquet").symlink_to(folder / "events.parquet")
    begin, keyed, export, command, take = page["DuckDB"]
    inputs, bounces, check = everywhere(page)
    engine = duckdb.connect(str(path / "warehouse.duckdb"))
    for statement in (begin, keyed, inputs, export):
        engine.execute(statement)
    told = run(command)
    engine.execute(take)
    engine.execute(bounces)
    total, joined, without, twice = engine.execute(check).fetchall()[0]
    assert (joined, without, twice) == (total, 0, 0)
    distinct, stood_for = engine.execute("SELECT count(*), sum(events) FROM mail.verdicts").fetchall()[0]
    assert stood_for == total
    assert f"{distinct:,} rows classified" in told
    engine.execute("COPY (SELECT * FROM mail.bounces) TO 'bounces.parquet' (FORMAT parquet)")
    engine.close()
    same_as_row_by_row(folder, "read_parquet('bounces.parquet')")
    return {"events": total, "distinct": distinct}


def test_duckdb(
    page: dict[str, list[str]], events: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = by_duckdb(page, events, monkeypatch, tmp_path)
    assert found["distinct"] < found["events"] / 3


@pytest.mark.slow
@pytest.mark.huge
def test_duckdb_with_two_million_events(
    page: dict[str, list[str]], two_million: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert by_duckdb(page, two_million, monkeypatch, tmp_path)["events"] == 2_000_000


# PostgreSQL


class Cluster:
    """A server of its own in a folder, reached through a socket there; its owner is nobody special."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.as_root = os.geteuid() == 0
        if self.as_root:
            shutil.chown(folder, "postgres", "postgres")
        self.run("initdb", "-D", "data", "-A", "trust", "-E", "UTF8", "--locale=C", "-U", "mail", "--no-sync")
        self.run(
            "pg_ctl",
            "-D",
            "data",
            "-w",
            "-l",
            "log",
            "-o",
            f"-k {folder} -c listen_addresses='' -c fsync=off",
            "start",
        )

    def run(self, program: str, *arguments: str) -> None:
        owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if self.as_root else []
        command = [*owner, str(BINARIES[-1] / program), *arguments]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=program != "pg_ctl", text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def psql(self, script: str) -> str:
        """Run a script in the working folder, with all that psql understands; return the rows."""
        command = [str(BINARIES[-1] / "psql"), "-h", str(self.folder), "-U", "mail", "-d", "postgres"]
        options = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        done = subprocess.run([*command, *options], input=script, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def stop(self) -> None:
        self.run("pg_ctl", "-D", "data", "-m", "immediate", "stop")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    if not BINARIES:
        why = "no PostgreSQL server was found in /usr/lib/postgresql"
        if os.environ.get("BOUNCEANALYTICS_REQUIRE_POSTGRESQL") == "1":
            pytest.fail(f"BOUNCEANALYTICS_REQUIRE_POSTGRESQL=1, and {why}")
        pytest.skip(why)
    # the path of a socket may have a hundred characters, and others must be able to go through its folders
    folder = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    server = Cluster(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def by_postgresql(
    page: dict[str, list[str]], folder: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, path: Path
) -> int:
    monkeypatch.chdir(path)
    begin, keyed, export, command, take = page["PostgreSQL"]
    inputs, bounces, check = everywhere(page)
    columns = ", ".join(schema.EVENT_COLUMNS.names)
    duckdb.connect().execute(f"COPY (SELECT {columns} FROM '{folder}/all.parquet') TO 'events.csv'")
    cluster.psql("\n".join((begin, keyed, inputs, export)))
    run(command)
    total, joined, without, twice = map(int, cluster.psql("\n".join((take, bounces, check))).split("|"))
    assert (joined, without, twice) == (total, 0, 0)
    cluster.psql("\\copy (SELECT * FROM mail.bounces) TO 'bounces.csv' WITH (FORMAT csv, HEADER true)")
    same_as_row_by_row(folder, "read_csv('bounces.csv', all_varchar = true, quote = '\"', escape = '\"')")
    return total


def test_postgresql(
    page: dict[str, list[str]],
    events: Path,
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    assert by_postgresql(page, events, cluster, monkeypatch, tmp_path) == 30_000


@pytest.mark.slow
@pytest.mark.huge
def test_postgresql_with_two_million_events(
    page: dict[str, list[str]],
    two_million: Path,
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    assert by_postgresql(page, two_million, cluster, monkeypatch, tmp_path) == 2_000_000


# the clouds, which nobody has at hand: their SQL is held against the schema, and their keys are made by DuckDB

#: Functions of each cloud that DuckDB lacks, and what is spelled otherwise there.
STAND_INS: dict[str, tuple[list[str], dict[str, str]]] = {
    "Athena": (["to_utf8(text) AS text", "json_format(text) AS CAST(text AS VARCHAR)"], {}),
    "BigQuery": (
        ["to_json_string(thing) AS CAST(to_json(thing) AS VARCHAR)"],
        {r"STRUCT\(": "row(", r" END AS said": " END"},
    ),
    "Snowflake": (
        ["sha2(text, bits) AS sha256(CAST(text AS VARCHAR))"],
        {r"ARRAY_CONSTRUCT\(": "json_array(", r"\* EXCLUDE \(value\)": "*"},
    ),
}


def block(page: dict[str, list[str]], section: str, begin: str) -> str:
    (found,) = [one for one in page[section] if one.startswith(begin)]
    return found


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_key_of_a_cloud_tells_apart_what_the_one_of_duckdb_does(
    cloud: str, page: dict[str, list[str]], events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(events)
    macros, spelled = STAND_INS[cloud]
    keyed = block(page, cloud, "CREATE VIEW mail.keyed_events")
    for pattern, other in spelled.items():
        keyed = re.sub(pattern, other, keyed)
    engine = duckdb.connect()
    for macro in macros:
        engine.execute(f"CREATE MACRO {macro}")
    engine.execute(page["DuckDB"][0])
    engine.execute(page["DuckDB"][1])
    engine.execute(keyed.replace("mail.keyed_events", "mail.of_cloud"))
    counted = engine.execute(
        """SELECT count(DISTINCT ours.verdict_key), count(DISTINCT theirs.verdict_key),
            count(DISTINCT ours.verdict_key || theirs.verdict_key)
        FROM mail.keyed_events AS ours POSITIONAL JOIN mail.of_cloud AS theirs"""
    ).fetchall()[0]
    assert len(set(counted)) == 1
    assert counted[0] > 1_000


@pytest.mark.parametrize("section", [*CLOUDS, "DuckDB", "PostgreSQL"])
def test_keys_are_made_of_what_verdicts_depend_on(section: str, page: dict[str, list[str]]) -> None:
    keyed = block(page, section, "CREATE VIEW mail.keyed_events")
    told = re.findall(r"\b(?!event\b)(?:%s)\b" % "|".join(INPUTS), re.sub(r"'[^']*'", "", keyed))  # noqa: UP031
    assert sorted(told) == sorted(set(INPUTS) - {"event"})
    failures = ", ".join(f"'{event}'" for event in schema.FAILURE_EVENTS)
    assert f"CASE WHEN event IN ({failures})" in keyed


def test_what_is_the_same_everywhere_names_all_columns(page: dict[str, list[str]], root: Path) -> None:
    inputs, bounces, _ = everywhere(page)
    assert re.findall(r"min\((\w+)\) AS (\w+)", inputs) == [(name, name) for name in INPUTS]
    assert re.findall(r"v\.(\w+)", bounces)[:-1] == VERDICTS
    text = (root / "docs" / "warehouses.md").read_text("utf-8").partition("\n## ")[0]
    assert re.findall(r"`(\w+)`", text.partition("is looked at:")[2].partition(".")[0]) == INPUTS


#: Kind of a column -> its type in each warehouse.
TYPES: dict[str, dict[str, str]] = {
    "Athena": {
        "text": "string",
        "timestamp": "timestamp",
        "Int16": "smallint",
        "int64": "bigint",
        "bool": "boolean",
        "float64": "double",
    },
    "Snowflake": {
        "text": "VARCHAR",
        "timestamp": "TIMESTAMP_TZ",
        "Int16": "SMALLINT",
        "int64": "BIGINT",
        "bool": "BOOLEAN",
        "float64": "DOUBLE",
    },
}


@pytest.mark.parametrize("cloud", TYPES)
def test_tables_of_a_cloud_have_the_columns_of_the_schema(cloud: str, page: dict[str, list[str]]) -> None:
    def typed(table: Any) -> list[tuple[str, str]]:
        kinds = TYPES[cloud]
        return [(column.name, kinds.get(column.kind, kinds["text"])) for column in table]

    def told(begin: str) -> list[tuple[str, str]]:
        body = block(page, cloud, begin)
        return re.findall(r"^    [`]?(\w+)[`]? (\w+)", body, flags=re.MULTILINE)

    first = [("month", "VARCHAR")] if cloud == "Snowflake" else []
    assert told("CREATE EXTERNAL TABLE mail.events") == first + typed(schema.EVENT_COLUMNS)
    create = "CREATE EXTERNAL TABLE mail.verdicts" if cloud == "Athena" else "CREATE TABLE mail.verdicts"
    key = ("verdict_key", TYPES[cloud]["text"])
    assert told(create) == [key, *typed(schema.VERDICT_COLUMNS)]


# datasets in other hands


def test_datasets_are_plain_parquet_for_other_engines(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    broken = tmp_path / "broken.ndjson"
    broken.write_bytes(
        b'{"email": "a@example.com", "event": "open", "timestamp": 1718093404, "sg_event_id": "x"}\n{"email": \n'
    )
    made = ba.convert([samples / "exports" / "sendgrid", broken], "events.parquet")
    assert len(ba.load("events.parquet").rejects)  # which are kept in the state, and are not for others
    text = (root / "docs" / "warehouses.md").read_text("utf-8").partition("## A dataset is plain Parquet")[2]
    (code,) = re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    imports, calls = code.strip().split("\n\n")
    names: dict[str, Any] = {}
    exec(imports, names)  # noqa: S102
    whole = "duckdb.read_parquet('events.parquet/**/*.parquet', hive_partitioning=True)"
    wanted = counted(made.table())
    months = sorted(part.parent.name.removeprefix("month=") for part in made.parts)
    assert len(calls.splitlines()) == 4
    for call in [*calls.splitlines(), whole]:
        found = rows_of(eval(call, names))  # noqa: S307
        assert set(map(str, found.column("month").unique().to_pylist())) == set(months), call
        assert counted(found) == wanted, call


def rows_of(found: Any) -> pa.Table:
    """Return the rows of whatever another engine calls a table."""
    if isinstance(found, duckdb.DuckDBPyRelation):
        return found.to_arrow_table()
    kind = type(found).__module__.partition(".")[0]
    if kind == "polars":
        return found.collect().to_arrow()
    return pa.Table.from_pandas(found.compute(), preserve_index=False) if kind == "dask" else found.to_table()


def counted(table: pa.Table) -> list[Any]:
    """Return how many rows there are, and a sum over them in which their order does not count."""
    engine = duckdb.connect()
    # some engines make numbers with gaps floats, and spell words out
    engine.register("rows", pa.Table.from_pandas(schema.EVENT_COLUMNS.frame(table), preserve_index=False))
    columns = ", ".join(
        "epoch_us(timestamp)" if name == "timestamp" else f"CAST({name} AS VARCHAR)"
        for name in schema.EVENT_COLUMNS.names
    )
    return engine.execute(f"SELECT count(*), sum(CAST(hash({columns}) AS HUGEINT)) FROM rows").fetchall()
