"""Suppression lists as people keep them: tables of any make, printed, in workbooks, known by their names."""

from __future__ import annotations

import pandas as pd
import pytest

import bounceanalytics as ba

FIRST, SECOND = "kim@example.com", "lou@example.com"
DAY, NEXT = "2026-03-10T08:15:20Z", "2026-03-11T09:00:00Z"

TABLES = {
    "csv": f"EmailAddress,Reason,LastUpdateTime\n{FIRST},BOUNCE,{DAY}\n{SECOND},COMPLAINT,{NEXT}\n",
    "snake": f"email_address;reason;last_update_time\n{FIRST};BOUNCE;{DAY}\n{SECOND};COMPLAINT;{NEXT}\n",
    "console": f"sep=;\r\nEmail address;Suppression reason;Last update time\r\n{FIRST};Bounce;{DAY}\r\n"
    f"{SECOND};Complaint;{NEXT}\r\n",
    "export-csv": f'#TYPE Selected.X\n"EmailAddress","LastUpdateTime","Reason"\n"{FIRST}","{DAY}","BOUNCE"\n'
    f'"{SECOND}","{NEXT}","COMPLAINT"\n',
    "format-list": f"\n\nEmailAddress   : {FIRST}\nLastUpdateTime : {DAY}\nReason         : BOUNCE\n\n"
    f"EmailAddress   : {SECOND}\nLastUpdateTime : {NEXT}\nReason         : COMPLAINT\n\n",
    "format-table": "\nEmailAddress    LastUpdateTime       Reason\n------------    --------------       ------\n"
    f"{FIRST} {DAY} BOUNCE\n{SECOND} {NEXT} COMPLAINT\n",
    "aws text": f"NEXTTOKEN\tabc\nSUPPRESSEDDESTINATIONSUMMARIES\t{FIRST}\t{DAY}\tBOUNCE\n"
    f"SUPPRESSEDDESTINATIONSUMMARIES\t{SECOND}\t{NEXT}\tCOMPLAINT\n",
    "aws table": f"""
----------------------------------------------------------
|              ListSuppressedDestinations                |
+--------------------------------------------------------+
||           SuppressedDestinationSummaries             ||
|+------------------+------------------------+----------+|
||   EmailAddress   |    LastUpdateTime      |  Reason  ||
|+------------------+------------------------+----------+|
||  {FIRST} |  {DAY}  |  BOUNCE  ||
||  {SECOND} |  {NEXT}  |  COMPLAINT  ||
|+------------------+------------------------+----------+|
""",
    "yaml": f"SuppressedDestinationSummaries:\n- EmailAddress: {FIRST}\n  LastUpdateTime: '{DAY}'\n  Reason: BOUNCE\n"
    f"- EmailAddress: {SECOND}\n  LastUpdateTime: '{NEXT}'\n  Reason: COMPLAINT\n",
    "yaml-stream": "- NextToken: abc\n  SuppressedDestinationSummaries:\n"
    f"  - EmailAddress: {FIRST}\n    LastUpdateTime: '{DAY}'\n    Reason: BOUNCE\n"
    f"  - {{EmailAddress: {SECOND}, LastUpdateTime: '{NEXT}', Reason: COMPLAINT}}\n",
    "markdown": "| Email Address | Reason | Last updated |\n|:---|---|--:|\n"
    f"| {FIRST} | BOUNCE | {DAY} |\n| {SECOND} | COMPLAINT | {NEXT} |\n",
    "psql": f" email_address | reason | last_update_time\n---------------+--------+------\n {FIRST} | BOUNCE | {DAY}\n"
    f" {SECOND} | COMPLAINT | {NEXT}\n(2 rows)\n",
    "header again": f"EmailAddress,Reason,LastUpdateTime\n{FIRST},BOUNCE,{DAY}\n"
    f"EmailAddress,Reason,LastUpdateTime\n{SECOND},COMPLAINT,{NEXT}\n",
    "below a title": f"Suppression list\n\nEmailAddress,Reason,LastUpdateTime\n{FIRST},BOUNCE,{DAY}\n"
    f"{SECOND},COMPLAINT,{NEXT}\n",
}


@pytest.mark.parametrize("kind", TABLES)
def test_the_list_of_ses_in_any_table(kind):
    load = ba.load(TABLES[kind].encode())
    assert load.files[["provider", "form", "rejected", "rows"]].to_numpy().tolist() == [
        ["ses", "suppression list", 0, 2]
    ]
    events = load.events
    assert events["recipient"].tolist() == [FIRST, SECOND]
    assert events["event"].tolist() == ["suppressed"] * 2
    assert events["esp_type"].str.upper().tolist() == ["BOUNCE", "COMPLAINT"]
    assert events["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%SZ").tolist() == [DAY, NEXT]


def test_an_address_cut_to_fit_a_terminal_is_no_address():
    cut = "EmailAddress  Reason\n------------  ------\nkim@exampl…   BOUNCE\nlou@example.… BOUNCE\n"
    with pytest.raises(ba.FormatError):
        ba.load(cut.encode())


def test_a_printed_table_by_its_columns():
    table = f"| who | why |\n|---|---|\n| {FIRST} | 550 5.1.1 no such user |\n"
    found = ba.read_table(table.encode(), {"recipient": "who", "diagnostic": "why"})
    assert found[["recipient", "enhanced_code"]].to_numpy().tolist() == [[FIRST, "5.1.1"]]


NAMES = {
    "suppression_bounces": ("sendgrid", "bounces"),
    "suppression_blocks": ("sendgrid", "blocks"),
    "invalid_emails": ("sendgrid", "invalid_emails"),
    "suppression_spam_reports (1)": ("sendgrid", "spam_reports"),
    "mg_bounces": ("mailgun", "bounces"),
    "mailgun-complaints": ("mailgun", "complaints"),
    "ses_complaints": ("ses", "COMPLAINT"),
    "our bounced addresses": ("generic", "bounced"),
    "complaints-2026-03": ("generic", "complained"),
    "optouts": ("generic", "unsubscribed"),
}
SHAPES = {
    "one": f"Mail address\n{FIRST}\n{SECOND}\n",
    "bare": f"{FIRST}\n{SECOND}\n",
    "three": f"Address,Added on,Description\n{FIRST},{DAY},552 full\n{SECOND},{NEXT},\n",
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_list_is_what_the_name_of_its_file_says(tmp_path, name, shape):
    file = tmp_path / f"{name}.csv"
    file.write_text(SHAPES[shape])
    load = ba.load(file)
    events = load.events
    assert events["recipient"].tolist() == [FIRST, SECOND]
    assert set(zip(events["provider"], events["esp_type"], strict=True)) == {NAMES[name]}
    assert "the name of the file says so" in load.files["note"].iloc[0]
    assert events["timestamp"].notna().all() == (shape == "three")


@pytest.mark.parametrize(
    "name",
    ["customers", "list_without_bounces", "not_unsubscribed", "cleaned of bounces", "bounces/newsletter"],
)
def test_a_mailing_list_is_none(tmp_path, name):
    file = tmp_path / f"{name}.csv"
    file.parent.mkdir(exist_ok=True)
    file.write_text(SHAPES["one"])
    with pytest.raises(ba.FormatError):
        ba.load(file)


def test_reasons_in_other_words_are_not_the_list_of_ses(tmp_path):
    table = f"Email Address,Reason\n{FIRST},550 5.1.1 no such user\n"
    with pytest.raises(ba.FormatError, match="read_table"):
        ba.load(table.encode())
    file = tmp_path / "bounces.csv"
    file.write_text(table)
    assert ba.read(file)[["provider", "enhanced_code"]].to_numpy().tolist() == [["generic", "5.1.1"]]


def test_a_name_does_not_outvote_events(tmp_path):
    file = tmp_path / "bounces.csv"
    pd.DataFrame(
        {"email": [FIRST], "event": ["delivered"], "timestamp": [1773130520], "sg_event_id": ["a"]}
    ).to_csv(file, index=False)
    assert ba.read(file)["event"].tolist() == ["delivered"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("cells", "reply", "day"),
    [
        ((FIRST, "2026-03-10 08:15:20"), None, DAY),
        (("550 5.1.1 no such user", FIRST, "1773130520"), "5.1.1", DAY),
        (("7", "5.2.2", "Ann", FIRST), "5.2.2", None),
    ],
)
def test_a_named_list_without_titles(tmp_path, cells, reply, day, delimiter):
    file = tmp_path / "mg_bounces.csv"
    second = [SECOND if cell == FIRST else cell for cell in cells]
    file.write_text("".join(delimiter.join(row) + "\n" for row in (cells, second)))
    events = ba.load(file, timezone="UTC").events
    assert events["recipient"].tolist() == [FIRST, SECOND]
    assert set(events["provider"]) == {"mailgun"}
    assert {code if isinstance(code, str) else None for code in events["enhanced_code"]} == {reply}
    found = set(events["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%SZ").dropna())
    assert found == ({day} if day else set())


def test_a_table_without_titles_is_told_what_it_lacks(tmp_path):
    file = tmp_path / "customers.csv"
    file.write_text(f"1,{FIRST},Ann\n2,{SECOND},Bob\n")
    with pytest.raises(ba.FormatError, match="without titles, whose first line holds an address"):
        ba.load(file)


def test_each_sheet_of_a_workbook_is_a_file(tmp_path):
    file = tmp_path / "book.xlsx"
    with pd.ExcelWriter(file, engine="xlsxwriter") as book:
        one = pd.DataFrame({"email": [FIRST], "reason": ["full"]})
        one.to_excel(book, sheet_name="blocks", index=False, startrow=2)
        book.sheets["blocks"].write(0, 0, "Exported in March")
        pd.DataFrame({"email": [SECOND]}).to_excel(book, sheet_name="unsubscribes", index=False)
        pd.DataFrame().to_excel(book, sheet_name="empty", index=False)
    load = ba.load(file)
    assert [source.rsplit("/", 1)[1] for source in load.files["source"]] == ["blocks", "unsubscribes"]
    assert load.events["esp_type"].tolist() == ["blocks", "unsubscribes"]
    assert "sheet 'blocks' of a workbook" in load.files["note"].iloc[0]


def test_a_workbook_is_a_table(tmp_path):
    file = tmp_path / "any.xlsx"
    pd.DataFrame({"who": [FIRST], "when": [pd.Timestamp("2026-03-10 08:15:20")]}).to_excel(
        file, index=False, engine="xlsxwriter"
    )
    found = ba.read_table(file, {"recipient": "who", "timestamp": "when"}, timezone="UTC")
    assert found["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%SZ").tolist() == [DAY]
