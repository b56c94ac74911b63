"""The summaries as an Excel workbook: one sheet each, with a first one that says what they are."""

from __future__ import annotations

import io
import math
import re
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import xlsxwriter

from bounceanalytics.schema import columns_of
from bounceanalytics.summaries import Summaries
from bounceanalytics.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bounceanalytics.report.contents import Contents
    from bounceanalytics.schema import Column

#: Rows of a sheet, without its head (Excel's limit is 1,048,576).
MOST_ROWS = 1_048_575

#: Characters of a cell, another limit of Excel's; a longer text would be left out without a word.
MOST_CHARACTERS = 32_767

#: The first day that Excel knows, and what the name of a sheet may not hold (nor should: an underscore).
_FIRST_DAY = datetime(1900, 1, 1)
_NOT_IN_NAMES = re.compile(r"[_\[\]:*?/\\\x00-\x1f]")

_OPTIONS = {
    "in_memory": True,
    # what a domain or a server says is text, and never a formula or a link
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}
#: Written as the time of making, so that the same summaries give the same bytes.
_CREATED = datetime(2000, 1, 1)


def workbook(contents: Contents, *, title: str | None) -> bytes:
    """Return every summary of a report as the bytes of an .xlsx file.

    Parameters
    ----------
    contents : Contents
    title : str or None
        For the first sheet.
    """
    tables = {name: getattr(contents.summaries, name) for name in Summaries.__dataclass_fields__}
    if contents.before is not None:
        tables["domains_before"] = contents.before.domains
        tables["reasons_before"] = contents.before.reasons
    tables["incidents"] = contents.incidents
    if contents.checks is not None:
        tables["state_of_domains"] = contents.checks
    about = [
        ("Period", f"{contents.span} (UTC)" if contents.span else "no dates"),
        ("Compared with", str(contents.span_before) if contents.span_before else "nothing"),
        ("Rows", number(contents.rows)),
        ("Counts", "messages, unless a column says otherwise; times are UTC"),
    ]
    return workbook_bytes(tables, title=title or "Bounce report", about=about)


def workbook_bytes(
    tables: Mapping[str, pd.DataFrame], *, title: str, about: Sequence[tuple[str, str]]
) -> bytes:
    """Return tables as the bytes of an .xlsx file: a sheet of facts, then one for each table.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        By name, from which the name of the sheet is made. What is longer than a sheet is cut, and the first sheet
        says so.
    title : str
        For the first sheet.
    about : sequence of (str, str)
        Facts for the first sheet. Below them stands what each column means.

    Returns
    -------
    bytes
        The same for the same tables. Text stays text: nothing is a formula or a link.

    Examples
    --------
    >>> workbook_bytes({"domains": pd.DataFrame({"domain": ["=1+1"]})}, title="Bounces", about=[])[:2]
    b'PK'
    """
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, _OPTIONS) as book:
        book.set_properties({"title": title, "created": _CREATED})
        looks = {
            "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
            "title": book.add_format({"bold": True, "font_size": 16}),
            "int": book.add_format({"num_format": "#,##0"}),
            "float": book.add_format({"num_format": "0.0"}),
            "share": book.add_format({"num_format": "0.0%"}),
            "tiny": book.add_format({"num_format": "0.0E+00"}),
            "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
            "text": book.add_format({"num_format": "@"}),
            "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        }
        cut = [
            (f"Cut: {name}", f"{number(len(table))} rows, of which the first {number(MOST_ROWS)} are here")
            for name, table in tables.items()
            if len(table) > MOST_ROWS
        ]
        sheets = dict(zip(_sheet_names(tables), tables.values(), strict=True))
        _about(book, looks, title, [*about, *cut], _meanings(sheets))
        for sheet, table in sheets.items():
            _sheet(book.add_worksheet(sheet), looks, table.head(MOST_ROWS))
    return buffer.getvalue()


def _sheet_names(names: Iterable[str]) -> list[str]:
    """Return names that Excel takes, no two of them alike.

    >>> _sheet_names(["domain_reasons", "a/b", "A*B", "about"])
    ['Domain reasons', 'A b', 'A b 2', 'About 2']
    """
    taken = {"about", "history"}  # the first sheet, and a name that Excel keeps to itself
    found = []
    for name in names:
        words = " ".join(_NOT_IN_NAMES.sub(" ", name).split()).strip("' ").capitalize() or "Table"
        sheet, place = words[:31].rstrip("' "), 1
        while sheet.casefold() in taken:
            place += 1
            sheet = f"{words[: 31 - len(str(place)) - 1]} {place}"
        taken.add(sheet.casefold())
        found.append(sheet)
    return found


def _meanings(sheets: Mapping[str, pd.DataFrame]) -> list[tuple[str, str]]:
    """Return what each column means, together with the first sheet where a name means several things."""
    told: dict[tuple[str, str], str] = {}
    for sheet, table in sheets.items():
        for column in columns_of(table).values():
            told.setdefault((column.name, column.meaning), sheet)
    often = Counter(name for name, _ in told)
    return [
        (f"{name} ({sheet})" if often[name] > 1 else name, meaning) for (name, meaning), sheet in told.items()
    ]


def _about(
    book: Any,
    looks: dict[str, Any],
    title: str,
    facts: Sequence[tuple[str, str]],
    meanings: Sequence[tuple[str, str]],
) -> None:
    sheet = book.add_worksheet("About")
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 100)
    sheet.write_string(0, 0, _fitting(title), looks["title"])
    for place, (name, text) in enumerate(facts, start=2):
        sheet.write_string(place, 0, _fitting(name), looks["wrap"])
        sheet.write_string(place, 1, _fitting(text), looks["wrap"])
    begin = len(facts) + 3
    sheet.write_row(begin, 0, ["Column", "What it means"], looks["head"])
    for place, (column, meaning) in enumerate(meanings, start=begin + 1):
        sheet.write_string(place, 0, column, looks["wrap"])
        sheet.write_string(place, 1, meaning, looks["wrap"])


def _sheet(sheet: Any, looks: dict[str, Any], table: pd.DataFrame) -> None:
    sheet.freeze_panes(1, 1)
    known = columns_of(table)
    for place, column in enumerate(table.columns):
        about = known.get(str(column))
        values, look, wide = _column(table.iloc[:, place], about)
        sheet.write_string(0, place, _fitting(str(column)), looks["head"])
        if about:
            sheet.write_comment(0, place, about.meaning, {"x_scale": 2})
        sheet.set_column(place, place, max(wide, min(len(str(column)) + 3, 60)), looks[look])
        sheet.write_column(1, place, values)
    if len(table.columns):
        sheet.autofilter(0, 0, max(len(table), 1), len(table.columns) - 1)


def _column(values: pd.Series[Any], about: Column | None) -> tuple[list[Any], str, int]:
    """Return what to write, how it looks, and how wide it is; what is missing stays empty."""
    kind = values.dtype
    there = [None if gone else one for one, gone in zip(values, values.isna(), strict=True)]
    if pd.api.types.is_datetime64_any_dtype(kind):
        return [None if one is None else _wall(one) for one in there], "time", 17
    if pd.api.types.is_bool_dtype(kind):
        return [None if one is None else ("yes" if one else "no") for one in there], "text", 8
    if pd.api.types.is_float_dtype(kind):
        told = [one if one is None or math.isfinite(one) else str(one) for one in there]
        tiny = "tiny" if values.name == "p_value" else "float"
        return told, "share" if about and about.share else tiny, 10
    if pd.api.types.is_integer_dtype(kind):
        return there, "int", 11
    texts = [None if one is None else _fitting(str(one)) for one in there]
    longest = max((len(text) for text in texts[:1000] if text), default=8)
    return texts, "text", min(longest + 2, 60)


def _wall(moment: pd.Timestamp) -> datetime | str:
    """Return a time as Excel has it, without a zone and in UTC; as text where Excel knows no such day."""
    wall = (
        (moment.tz_convert("UTC").tz_localize(None) if moment.tzinfo else moment).floor("us").to_pydatetime()
    )
    return wall if wall >= _FIRST_DAY else f"{wall:%Y-%m-%d %H:%M}"


def _fitting(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
