"""The summaries as an Excel workbook: one sheet each, with a first one that says what they are."""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import xlsxwriter

from bounceanalytics.charts.wording import number
from bounceanalytics.summaries import MEANINGS, Summaries

if TYPE_CHECKING:
    from bounceanalytics.report.page import Contents

#: Rows of a sheet, without its head (Excel's limit is 1,048,576).
MOST_ROWS = 1_048_575

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
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, _OPTIONS) as book:
        book.set_properties({"title": title or "Bounce report", "created": _CREATED})
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
        _about(book, looks, contents, title or "Bounce report", tables)
        for name, table in tables.items():
            _sheet(book, looks, name, table.head(MOST_ROWS))
    return buffer.getvalue()


def _about(
    book: Any, looks: dict[str, Any], contents: Contents, title: str, tables: dict[str, pd.DataFrame]
) -> None:
    sheet = book.add_worksheet("About")
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 100)
    lines: list[tuple[str, str]] = [
        ("Period", f"{contents.span} (UTC)" if contents.span else "no dates"),
        ("Compared with", str(contents.span_before) if contents.span_before else "nothing"),
        ("Rows", number(contents.rows)),
        ("Counts", "messages, unless a column says otherwise; times are UTC"),
    ]
    lines += [
        (f"Cut: {name}", f"{number(len(table))} rows, of which the first {number(MOST_ROWS)} are here")
        for name, table in tables.items()
        if len(table) > MOST_ROWS
    ]
    sheet.write_string(0, 0, title, looks["title"])
    for place, (name, text) in enumerate(lines, start=2):
        sheet.write_string(place, 0, name, looks["wrap"])
        sheet.write_string(place, 1, text, looks["wrap"])
    begin = len(lines) + 3
    sheet.write_row(begin, 0, ["Column", "What it means"], looks["head"])
    used = dict.fromkeys(column for table in tables.values() for column in table.columns)
    for place, column in enumerate((column for column in used if column in MEANINGS), start=begin + 1):
        sheet.write_string(place, 0, column, looks["wrap"])
        sheet.write_string(place, 1, MEANINGS[column], looks["wrap"])


def _sheet(book: Any, looks: dict[str, Any], name: str, table: pd.DataFrame) -> None:
    sheet = book.add_worksheet(name.replace("_", " ").capitalize()[:31])
    sheet.freeze_panes(1, 1)
    for place, column in enumerate(table.columns):
        values, look, wide = _column(table[column])
        sheet.write_string(0, place, column, looks["head"])
        if column in MEANINGS:
            sheet.write_comment(0, place, MEANINGS[column], {"x_scale": 2})
        sheet.set_column(place, place, max(wide, len(column) + 3), looks[look])
        sheet.write_column(1, place, values)
    if len(table.columns):
        sheet.autofilter(0, 0, max(len(table), 1), len(table.columns) - 1)


def _column(values: pd.Series[Any]) -> tuple[list[Any], str, int]:
    """Return what to write, how it looks, and how wide it is; what is missing stays empty."""
    kind = values.dtype
    if isinstance(kind, pd.DatetimeTZDtype):
        walls = values.dt.tz_convert("UTC").dt.tz_localize(None)
        return [None if pd.isna(one) else one.to_pydatetime() for one in walls], "time", 17
    if pd.api.types.is_bool_dtype(kind):
        return ["yes" if one else "no" for one in values], "text", 8
    if pd.api.types.is_float_dtype(kind):
        told = [None if pd.isna(one) else float(one) for one in values]
        name = str(values.name)
        if name == "p_value":
            return told, "tiny", 10
        return told, "float" if name == "weeks_out" else "share", 10
    if pd.api.types.is_integer_dtype(kind):
        return values.tolist(), "int", 11
    texts = [None if pd.isna(one) else str(one) for one in values]
    longest = max((len(text) for text in texts[:1000] if text), default=8)
    return texts, "text", min(longest + 2, 60)
