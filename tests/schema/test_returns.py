"""Every function that returns a frame: its docstring lists the columns of the schema, and its frame has them."""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics import schema, summaries
from bounceanalytics.schema import SUMMARIES, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SUMMARIZE = [getattr(summaries, name) for name in summaries.__all__ if name.startswith("summarize_")]

#: What takes a classified frame, and returns a frame of these columns.
OF_BOUNCES: dict[Callable[..., pd.DataFrame], Table] = {
    **{function: SUMMARIES[function.__name__.removeprefix("summarize_")] for function in SUMMARIZE},
    ba.storms: schema.STORM_COLUMNS,
    ba.recovery: schema.RECOVERY_COLUMNS,
    ba.recovery_curves: schema.CURVE_COLUMNS,
    ba.retry_days: schema.RETRY_COLUMNS,
    ba.incidents: schema.INCIDENT_COLUMNS,
    ba.decide: schema.DECISION_COLUMNS,
    ba.compare_policies: schema.OUTCOME_COLUMNS,
    ba.conflicts: schema.CONFLICT_COLUMNS,
    ba.unclassified: schema.UNCLASSIFIED_COLUMNS,
    ba.domain_typos: schema.TYPO_COLUMNS,
    ba.contacts: schema.CONTACT_COLUMNS,
}

#: What takes something else.
OTHERS: dict[Callable[..., pd.DataFrame], Table] = {
    ba.read: schema.EVENT_COLUMNS,
    ba.classify: schema.VERDICT_COLUMNS,
    ba.classify_text: schema.VERDICT_COLUMNS,
    ba.diff: schema.DIFF_COLUMNS,
    ba.codes: schema.CODE_COLUMNS,
    ba.check_domains: schema.DOMAIN_COLUMNS,
    ba.check_hosts: schema.HOST_COLUMNS,
    ba.lint_rules: schema.LINT_COLUMNS,
    ba.match_hashes: schema.MATCH_COLUMNS,
    ba.label_domains: schema.LABEL_COLUMNS,
    ba.other_addresses: schema.OTHER_ADDRESS_COLUMNS,
    ba.Ledger.entries: schema.LEDGER_COLUMNS,
    ba.Ledger.history: schema.LEDGER_HISTORY_COLUMNS,
    ba.Ledger.news: schema.LEDGER_NEWS_COLUMNS,
    ba.Ledger.domains: schema.LEDGER_DOMAIN_COLUMNS,
    ba.Monitor.states: schema.MONITOR_COLUMNS,
    ba.Monitor.changed: schema.MONITOR_CHANGE_COLUMNS,
    ba.Monitor.recovered: schema.MONITOR_RECOVERY_COLUMNS,
    ba.Monitor.history: schema.MONITOR_HISTORY_COLUMNS,
    ba.Monitor.hosts: schema.MONITOR_HOST_COLUMNS,
    ba.Monitor.recovery_curves: schema.MONITOR_CURVE_COLUMNS,
}

#: What returns the frame of another function, and says so.
ALIKE: dict[Callable[..., pd.DataFrame], str] = {
    ba.read_sendgrid: ":func:`read`",
    ba.read_ses: ":func:`read`",
    ba.read_mailgun: ":func:`read`",
    ba.read_table: "``schema.EVENT_COLUMNS``",
    ba.Ledger.verdicts: ":meth:`entries` but ``hash``",
    ba.Ledger.match: ":meth:`verdicts`",
    ba.Ledger.due: ":meth:`entries`",
    ba.Monitor.update: ":meth:`changed`",
    ba.Monitor.check: ":func:`bounceanalytics.check_domains`",
    ba.Monitor.due: ":meth:`states`",
}


def name_of(function: Any) -> str:
    return str(getattr(function, "__qualname__", ""))


def returns(function: Any) -> str:
    """Return the section "Returns" of a docstring."""
    found = re.search(
        r"^Returns\n-+\n(.*?)(?=^\w[^\n]*\n-+$|\Z)", inspect.getdoc(function) or "", re.M | re.S
    )
    assert found, "it does not say what it returns"
    return found[1]


def assert_has(frame: pd.DataFrame, table: Table) -> None:
    assert list(frame.columns) == list(table.names)
    for column in table:
        found = frame[column.name].dtype
        if column.dtype == pd.CategoricalDtype():
            assert isinstance(found, pd.CategoricalDtype), column.name
        else:
            assert found == column.dtype, column.name
            # dtypes of categories in another order are equal to pandas
            assert list(getattr(found, "categories", [])) == list(getattr(column.dtype, "categories", []))


@pytest.mark.parametrize(("function", "table"), [*OF_BOUNCES.items(), *OTHERS.items()], ids=name_of)
def test_the_docstring_lists_the_columns_of_the_schema(function: Any, table: Table) -> None:
    found = returns(function)
    lists = [textwrap.indent(table.numpydoc(meanings=meanings), "    ") for meanings in (True, False)]
    assert any(one in found for one in lists), (
        f"write this into the docstring of {name_of(function)}:\n{lists[0]}\nor:\n{lists[1]}"
    )


@pytest.mark.parametrize(("function", "says"), ALIKE.items(), ids=name_of)
def test_the_docstring_says_whose_columns_they_are(function: Any, says: str) -> None:
    assert says in returns(function)


def test_no_function_that_returns_a_frame_is_missing_here() -> None:
    known = {*OF_BOUNCES, *OTHERS, *ALIKE}
    public = [getattr(ba, name) for name in ba.__all__]
    objects = [ba.Ledger, ba.Monitor]
    public += [one for kind in objects for name, one in inspect.getmembers(kind) if not name.startswith("_")]
    frames = [
        one
        for one in public
        if inspect.isfunction(one) and "DataFrame" in str(inspect.signature(one).return_annotation)
    ]
    assert not [name_of(one) for one in frames if one not in known]


@pytest.mark.parametrize(("function", "table"), OF_BOUNCES.items(), ids=name_of)
def test_the_frame_of_the_samples_has_the_columns(
    function: Any, table: Table, frames: dict[str, pd.DataFrame]
) -> None:
    name = {"decide": "verdicts"}.get(function.__name__, function.__name__)
    assert_has(frames[name] if name in frames else function(frames["bounces"]), table)


@pytest.mark.parametrize(("function", "table"), OF_BOUNCES.items(), ids=name_of)
def test_the_frame_of_nothing_has_the_columns(function: Any, table: Table) -> None:
    frame = function(schema.BOUNCE_COLUMNS.empty())
    assert_has(frame, table)
    assert frame.empty != (
        function in {ba.retry_days, ba.compare_policies}
    )  # the usual days, and every policy


def test_loading_and_classifying_have_the_columns(loaded: ba.Load, bounces: pd.DataFrame) -> None:
    assert_has(loaded.events, schema.EVENT_COLUMNS)
    assert_has(bounces, schema.BOUNCE_COLUMNS)
    assert_has(ba.classify_text(["550 5.1.1 no such user", None]), schema.VERDICT_COLUMNS)
    for name, table in (
        ("files", schema.FILE_COLUMNS),
        ("ignored", schema.IGNORED_COLUMNS),
        ("rejects", schema.REJECT_COLUMNS),
    ):
        assert_has(getattr(loaded, name), table)
        told = " ".join(re.findall(r"``(\w+)``", inspect.getdoc(ba.Load) or ""))
        assert all(column in told for column in table.names)


def test_codes_and_findings_on_rules_have_the_columns(tmp_path: Path) -> None:
    assert_has(ba.codes(), schema.CODE_COLUMNS)
    rules = tmp_path / "own.toml"
    rules.write_text('[[rule]]\nid = "own-1"\npattern = "Zorble"\nreason = "policy"\nexample = "zorble"\n')
    assert len(ba.lint_rules(rules))
    assert_has(ba.lint_rules(rules), schema.LINT_COLUMNS)


def test_two_runs_and_their_difference_have_the_columns(
    samples: Path, decided: pd.DataFrame, tmp_path: Path
) -> None:
    first = ba.clean(samples / "list.csv", decided, tmp_path / "first")
    second = ba.clean(samples / "list.csv", decided.iloc[::2], tmp_path / "second")
    assert_has(first.reasons, schema.REASON_COLUMNS)
    assert_has(ba.restore(first, tmp_path / "all.csv").reasons, schema.REASON_COLUMNS)
    assert len(ba.diff(first, second))
    assert_has(ba.diff(first, second, addresses=True), schema.DIFF_COLUMNS)
    assert_has(ba.diff(first, second), schema.DIFF_COLUMNS.without("address"))
    assert_has(ba.diff(first, first), schema.DIFF_COLUMNS.without("address"))


@pytest.fixture(params=["with entries", "empty"])
def ledger(request: pytest.FixtureRequest, decided: pd.DataFrame) -> Iterator[ba.Ledger]:
    with ba.Ledger(":memory:") as opened:
        if request.param == "with entries":
            opened.update(decided)
        yield opened


def test_the_frames_of_a_ledger_have_the_columns(ledger: ba.Ledger, decided: pd.DataFrame) -> None:
    assert_has(ledger.entries(), schema.LEDGER_COLUMNS)
    assert_has(ledger.due("2040-01-01"), schema.LEDGER_COLUMNS)
    assert_has(ledger.verdicts(), schema.LEDGER_COLUMNS.without("hash"))
    assert_has(ledger.match(decided["address"]), schema.LEDGER_COLUMNS.without("hash"))
    assert_has(ledger.history(decided["address"]), schema.LEDGER_HISTORY_COLUMNS)
    assert_has(ledger.news(), schema.LEDGER_NEWS_COLUMNS)
    assert_has(ledger.domains(), schema.LEDGER_DOMAIN_COLUMNS)


@pytest.mark.parametrize("hashed", [["ann@example.com"], ["bo@example.com"]])
def test_matched_hashes_have_the_columns(hashed: list[str]) -> None:
    found = ba.match_hashes(["Ann@example.com"], ba.hash_addresses(hashed))
    assert_has(found, schema.MATCH_COLUMNS)


@pytest.mark.parametrize("domains", [["gmail.com", None], []])
def test_labelled_domains_have_the_columns(domains: list[str]) -> None:
    assert_has(ba.label_domains(domains), schema.LABEL_COLUMNS)
