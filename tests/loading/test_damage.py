"""One bad record never costs another, and every record is accounted for."""

from __future__ import annotations

import gzip
import json
import warnings
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounceanalytics.errors import BounceAnalyticsError, FormatError
from bounceanalytics.loading import RejectedRecordsWarning, convert, load, read, reading
from bounceanalytics.loading.tables import load_table
from tests.effort import examples
from tests.loading.exports import array, lines, mailgun_failed, sendgrid_bounce, ses_bounce
from tests.loading.format_cases import CASES
from tests.loading.format_cases.case import person

MAKERS = {
    "sendgrid": sendgrid_bounce,
    "ses": lambda number: ses_bounce(f"reader{number}@example.com", number=number),
    "mailgun": mailgun_failed,
}


def people(result):
    return {address.split("@")[0] for address in result.events["recipient"].dropna()}


@pytest.mark.parametrize("provider", MAKERS)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_cut_line_is_rejected_and_located(provider, zipped):
    rows = [json.dumps(MAKERS[provider](number)).encode() for number in range(1, 6)]
    rows[2] = rows[2][:90]
    content = b"\n".join(rows) + b"\n"
    result = load(gzip.compress(content) if zipped else content)
    assert people(result) == {"reader1", "reader2", "reader4", "reader5"}
    assert result.events["record"].tolist() == [1, 2, 4, 5]
    (reject,) = result.rejects.to_dict("records")
    assert reject["record"] == 3
    assert reject["offset"] == len(rows[0]) + len(rows[1]) + 2
    assert reject["text"].rstrip(", ") == rows[2].decode().rstrip(", ")
    assert reject["error"].startswith("not valid JSON: ")


def test_two_records_on_one_line_are_two_records():
    one, two, three = (json.dumps(sendgrid_bounce(number)) for number in (1, 2, 3))
    result = load(f"{one}{two}\n{three}\n".encode() + lines(*map(sendgrid_bounce, range(4, 7))))
    assert result.events["record"].tolist() == [1, 2, 3, 4, 5, 6]
    assert not len(result.rejects)


def test_a_record_broken_over_lines_is_one_record():
    pretty = json.dumps(sendgrid_bounce(2), indent=2).encode()
    result = load(lines(sendgrid_bounce(1)) + pretty + b"\n" + lines(*map(sendgrid_bounce, range(3, 9))))
    assert result.events["record"].tolist() == list(range(1, 9))
    assert not len(result.rejects)


def test_bytes_that_are_not_utf8_lose_nothing():
    content = lines(*(sendgrid_bounce(number) for number in range(1, 4)))
    content += json.dumps(sendgrid_bounce(4, reason="550 bo\u00eete inconnue"), ensure_ascii=False).encode(
        "latin-1"
    )
    result = load(content)
    assert result.events["diagnostic"].iloc[3] == "550 bo\u00eete inconnue"
    assert result.files["rejected"].sum() == 0


def test_lone_surrogates_lose_nothing():
    line = json.dumps(sendgrid_bounce(2)).replace("no mailbox", "no \\ud83d mailbox").encode()
    result = load(lines(sendgrid_bounce(1)) + line + b"\n" + lines(sendgrid_bounce(3)))
    assert people(result) == {"reader1", "reader2", "reader3"}


def test_mixed_line_ends_and_blank_lines():
    one, two, three = (lines(sendgrid_bounce(number)).strip() for number in (1, 2, 3))
    result = load(one + b"\r\n\n   \n" + two + b"\n\r\n" + three)
    assert result.events["record"].tolist() == [1, 2, 3]


def test_byte_order_mark():
    result = load(b"\xef\xbb\xbf" + lines(sendgrid_bounce(1), sendgrid_bounce(2)))
    assert result.events["record"].tolist() == [1, 2]
    assert len(load(b"\xef\xbb\xbf" + array(sendgrid_bounce(1))).events) == 1


@pytest.mark.parametrize("provider", MAKERS)
def test_a_damaged_item_of_a_list_is_rejected_alone(provider):
    text = array(*(MAKERS[provider](number) for number in range(1, 6))).decode()
    at = text.index("reader3@")
    damaged = (text[:at] + '"' + text[at:]).encode()  # a quote that ends the string too early
    result = load(damaged)
    assert people(result) == {"reader1", "reader2", "reader4", "reader5"}
    (reject,) = result.rejects.to_dict("records")
    assert reject["record"] == 3
    assert damaged[reject["offset"] :].startswith(b"{")


def test_a_list_that_ends_too_early():
    result = load(array(*(sendgrid_bounce(number) for number in range(1, 5)))[:-150])
    assert people(result) == {"reader1", "reader2", "reader3"}
    assert result.rejects["record"].tolist() == [4]


def test_a_page_that_ends_too_early():
    page = json.dumps(
        {"items": [mailgun_failed(number) for number in range(1, 5)], "paging": {"next": "x"}}, indent=1
    )
    result = load(page.encode()[:-300])
    assert people(result) == {"reader1", "reader2", "reader3"}
    assert len(result.rejects) == 1


def test_a_damaged_item_of_a_page():
    page = json.dumps(
        {"items": [mailgun_failed(number) for number in range(1, 5)], "paging": {"next": "x"}}, indent=1
    )
    result = load(page.replace('"reader2@', "reader2@", 1).encode())
    assert people(result) == {"reader1", "reader3", "reader4"}
    assert len(result.rejects) == 1


def test_an_archive_that_ends_too_early_gives_what_it_has():
    content = gzip.compress(lines(*(sendgrid_bounce(number) for number in range(1, 3000))))
    with pytest.warns(RejectedRecordsWarning, match="<bytes> could not be read as a whole: damaged, or cut"):
        result = load(content[: len(content) // 2])
    assert 500 < len(result.events) < 3000
    assert result.files["rejected"].sum() <= 1


def test_records_that_are_no_records():
    content = (
        lines(sendgrid_bounce(1), sendgrid_bounce(2), {"colour": "red"})
        + b'5\n"text"\n[]\n'
        + lines(sendgrid_bounce(3))
    )
    result = load(content)
    assert people(result) == {"reader1", "reader2", "reader3"}
    assert len(result.rejects) == 3
    assert result.files["records"].sum() == 6


def test_raise_at_the_first_bad_record():
    content = lines(sendgrid_bounce(1)) + b"{broken\n" + lines(sendgrid_bounce(2))
    with pytest.raises(
        FormatError, match=r"record 2 of <bytes> at byte 3\d\d cannot be read: not valid JSON"
    ):
        load(content, on_error="raise")


def test_read_warns_of_rejected_records():
    content = lines(sendgrid_bounce(1)) + b"{broken\n" + lines(sendgrid_bounce(2))
    with pytest.warns(RejectedRecordsWarning, match="1 of 3 records"):
        assert len(read(content)) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read(lines(sendgrid_bounce(1)))) == 1


damage = st.tuples(
    st.sampled_from(["cut", "garbage", "binary", "double", "quote", "blank", "drop_newline", "nul"]),
    st.integers(0, 19),
    st.integers(1, 200),
)


@examples(60)
@given(
    provider=st.sampled_from(sorted(MAKERS)),
    damages=st.lists(damage, max_size=6),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_conservation(provider, damages, end):
    rows = [json.dumps(MAKERS[provider](number)).encode() for number in range(20)]
    ends = [end.encode()] * 20
    hurt = set()
    for kind, number, place in damages:
        row = rows[number]
        at = min(place, len(row) - 1)
        hurt.add(number)
        if kind == "cut":
            rows[number] = row[:at]
        elif kind == "garbage":
            rows[number] = row[:at] + b"}{,]\\" + row[at:]
        elif kind == "binary":
            rows[number] = row[:at] + b"\xff\xfe\x80" + row[at:]
        elif kind == "double":
            rows[number] = row + row
        elif kind == "quote":
            rows[number] = row[:at] + b'"' + row[at:]
        elif kind == "nul":
            rows[number] = row[:at] + b"\x00" + row[at:]
        elif kind == "blank":
            rows[number] = b"  "
        else:
            ends[number] = b""
            hurt.add(number + 1)
    # enough of it is whole for the file to be known
    content = lines(*(MAKERS[provider](number) for number in range(100, 130)), end=end) + b"".join(
        row + stop for row, stop in zip(rows, ends, strict=True)
    )
    result = load(content)
    result.check()
    whole = {f"reader{number}" for number in range(20) if number not in hurt}
    assert whole <= people(result)
    assert {f"reader{number}" for number in range(100, 130)} <= people(result)
    assert result.events.index.is_unique
    numbers = result.events["record"].tolist() + result.rejects["record"].tolist()
    assert set(numbers) <= set(range(1, result.files["records"].sum() + 1))


@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize(("before", "after"), [(b"@", b"ample"), (b', "event"', b', "event"')])
def test_no_record_goes_on_behind_a_hole(before: bytes, after: bytes, array: bool) -> None:
    """What follows a hole may go on as what stands before it does: within a text, or between two keys."""
    first, other = (lines(sendgrid_bounce(number)) for number in (1, 2))
    start, stop = first.index(before), other.index(after)
    whole = [sendgrid_bounce(number) for number in range(3, 9)]
    content = first[:start] + bytes(100) + other[stop:] + lines(*whole)
    if array:
        content = b"[" + content.rstrip().replace(b"}\n", b"},\n") + b"]"
    with pytest.warns(RejectedRecordsWarning):
        result = load(content)
    assert people(result) == {f"reader{number}" for number in range(3, 9)}


# arbitrary damage

LAYOUTS = [
    case
    for case in CASES
    if case.id
    in {
        "sendgrid event webhook lines",
        "sendgrid event webhook array",
        "sendgrid email activity csv",
        "ses event publishing lines",
        "ses suppression list page SuppressedDestinationSummaries",
        "ses SNS messages lines",
        "mailgun events page items",
        "mailgun events lines",
        "mailgun suppression list: bounces csv",
    }
]
HEAD, BODY = 40, 30


@examples(80)
@given(
    case=st.sampled_from(LAYOUTS),
    blows=st.lists(
        st.tuples(
            st.integers(HEAD, HEAD + BODY - 1), st.floats(0, 1), st.integers(0, 60), st.binary(max_size=12)
        ),
        max_size=4,
    ),
)
@pytest.mark.filterwarnings("ignore::bounceanalytics.UnreadTimesWarning")
def test_arbitrary_damage_costs_what_it_touches(case, blows):
    """Any bytes of some records are taken out, put in or written over; the head stays, so that the file is known."""
    before, records, between, after = case.pieces(range(HEAD + BODY))
    touched = set()
    for number, share, size, new in blows:
        record = records[number]
        at = int(share * len(record))
        records[number] = record[:at] + new + record[at + size :]
        touched.add(number)
        # A quote or a line break that stays open may take up the next record; and what follows a record that was cut
        # may lie in the same line as its end.
        touched.add(number + 1)
    load_ = load(before + between.join(records) + after, deduplicate=False, timezone="UTC")
    load_.check()
    there = load_.events["recipient"].tolist()
    missing = {person(number) for number in range(HEAD + BODY) if number not in touched} - set(there)
    assert not missing
    assert load_.files["records"].sum() >= HEAD + BODY - len(touched)


STARTS = [b"", b"{", b"[", b'{"event":', b"event=", b"From ", b"a,b\n", b"<"]


@examples(150)
@given(content=st.binary(max_size=400), start=st.sampled_from(STARTS))
def test_any_bytes_load_or_are_refused(content, start):
    message = ""
    try:
        load(start + content, timezone="UTC").check()
    except BounceAnalyticsError as error:
        message = str(error)
    assert "\n" not in message


# the odd file


def test_an_error_page_saved_as_json(tmp_path):
    file = tmp_path / "events.json"
    file.write_text("<!DOCTYPE html><html><body>502 Bad Gateway</body></html>", encoding="utf-8")
    with pytest.raises(FormatError, match="looks like an HTML page"):
        load(file)


def test_json_in_a_json_text():
    once = b"\n".join(json.dumps(json.dumps(sendgrid_bounce(number))).encode() for number in range(5))
    twice = b"\n".join(
        json.dumps(json.dumps(json.dumps(sendgrid_bounce(number)))).encode() for number in range(5)
    )
    for content in (once, twice):
        assert people(load(content)) == {f"reader{number}" for number in range(5)}


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"event":"x","email":['])
def test_json_that_is_nested_too_deeply_is_rejected_alone(opening):
    deep = opening * 100_000
    result = load(lines(*map(sendgrid_bounce, range(5))) + deep + b"\n" + lines(sendgrid_bounce(5)))
    assert people(result) == {f"reader{number}" for number in range(6)}
    assert len(result.rejects) >= 1


def test_layers_of_wrapping_are_opened_to_a_depth_and_no_further():
    record = json.dumps(ses_bounce("a@example.com"))
    for _ in range(4):
        record = json.dumps({"MessageId": "x", "ReceiptHandle": "y", "Body": record})
    assert load(record.encode()).events["recipient"].tolist() == ["a@example.com"]
    for _ in range(6):
        record = json.dumps({"MessageId": "x", "ReceiptHandle": "y", "Body": record})
    result = load(record.encode())
    assert len(result.events) == 0
    assert result.files["rejected"].tolist() == [1]


def test_zero_bytes_between_records():
    content = b"\x00\x00".join(lines(sendgrid_bounce(number)) for number in range(20))
    result = load(content)
    assert len(people(result)) + result.files["rejected"].sum() >= 20
    assert people(result) >= {"reader0"}


@pytest.mark.slow
def test_a_line_of_two_hundred_megabytes_in_a_list(tmp_path):
    """One line that is a list; a record of it is damaged."""
    record = json.dumps(sendgrid_bounce(1, padding="x" * 900))
    count = 200 * 1024**2 // len(record)
    file = tmp_path / "events.json"
    with file.open("w", encoding="utf-8") as stream:
        stream.write("[" + record)
        for _ in range(count // 100):
            stream.write(("," + record) * 100)
        stream.write("]")
    assert file.stat().st_size > 199 * 1024**2
    assert len(load(file, deduplicate=False).events) == count // 100 * 100 + 1


@pytest.mark.slow
def test_a_line_of_two_hundred_megabytes_of_garbage_is_one_rejected_record(tmp_path):
    file = tmp_path / "events.json"
    with file.open("wb") as stream:
        stream.write(lines(*map(sendgrid_bounce, range(3))))
        for _ in range(200):
            stream.write(b"garbage " * 131_072)
        stream.write(b"\n" + lines(sendgrid_bounce(3)))
    result = load(file)
    assert people(result) == {"reader0", "reader1", "reader2", "reader3"}
    assert result.rejects["record"].tolist() == [4]
    assert len(result.rejects["text"][0]) == 500


def test_an_error_of_the_engine_that_is_cut_in_a_character_is_one_of_its_errors():
    class Engine:
        def create_function(self, *_, **__):
            pass

        def sql(self, _):
            raise UnicodeDecodeError("utf-8", b"\xe2", 0, 1, "invalid continuation byte")

    reader = reading.Reader([], "UTC", "collect", Engine())
    with pytest.raises(reading._GivenUpError):
        next(reader._pieces("SELECT 1"))


@pytest.mark.parametrize("content", ["no JSON at all", "", "[", 5, None, [], {"a": 1}])
def test_a_wrapper_without_an_event_costs_no_other(content):
    wrapped = [{"raw_event": json.dumps(sendgrid_bounce(number))} for number in range(4)]
    result = load(lines(*wrapped[:2], {"raw_event": content}, *wrapped[2:]))
    assert people(result) == {"reader0", "reader1", "reader2", "reader3"}
    assert result.rejects["record"].tolist() == [3]


def test_blank_lines_of_any_kind_are_not_counted():
    blank = b"\t\n\x0b\n \x0c \n\n"
    one, two, three = (lines({"raw_event": sendgrid_bounce(number)}) for number in (1, 2, 3))
    result = load(one + blank + b"{broken\n" + blank + two + three)
    assert result.events["record"].tolist() == [1, 3, 4]
    assert result.rejects["record"].tolist() == [2]
    assert result.rejects["offset"].tolist() == [len(one) + len(blank)]


@pytest.mark.filterwarnings("ignore::bounceanalytics.RejectedRecordsWarning")
def test_a_cut_array_gives_as_much_as_cut_lines():
    records = [sendgrid_bounce(number) for number in range(20_000)]
    loaded = [
        load(gzip.compress(content)[:-2000]).files["loaded"].item()
        for content in (array(*records), lines(*records))
    ]
    assert min(loaded) > 0.95 * max(loaded) > 18_000


_TABLE = "email,created\n" + "".join(f"u{number}@example.com,1718093404\n" for number in range(40))
_TURNED = "created,email\n" + "".join(f"1718093404,u{number}@example.com\n" for number in range(40))
_IN_CELLS = "id,payload\n" + "".join(
    f'{number},"{{""email"":""u{number}@example.com"",""event"":""bounce"",""sg_event_id"":""{number}""}}"\n'
    for number in range(40)
)


def _begun(text: str, encoding: str = "utf-8") -> bytes:
    """Return a gzip file that breaks off behind a text."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(text.encode(encoding)) + packer.flush(zlib.Z_SYNC_FLUSH)


@pytest.mark.filterwarnings("ignore::bounceanalytics.RejectedRecordsWarning")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("text", [_TABLE, _TURNED, _IN_CELLS, _TABLE.replace("\n", "\r\n")])
def test_a_row_in_which_a_packed_file_breaks_off_is_no_row(text, encoding, tmp_path):
    """Its address may be a piece of one: ann@example.co of ann@example.com."""
    path = tmp_path / "suppression_bounces.csv.gz"
    for cut, whole in ((text, 40), (text.rstrip(), 39), (text.rstrip()[:-2], 39)):
        path.write_bytes(_begun(cut, encoding))
        dataset = convert(path, tmp_path / "events", overwrite=True)
        for found in (load(path), load(dataset)):
            assert set(found.events["recipient"]) == {f"u{number}@example.com" for number in range(whole)}
            assert found.rejects["record"].tolist() == [40] * (40 - whole)
            assert (
                found.rejects["error"].str.startswith(("the file breaks off in this row", "not a row")).all()
            )
    path.write_bytes(gzip.compress(text.rstrip().encode(encoding)))  # many a program writes no last line end
    assert len(load(path).events) == 40
    path.write_bytes(_begun(_TURNED.rstrip()[:-1]))
    read = load_table(path, {"recipient": "email"})
    assert (len(read.events), read.rejects["record"].tolist()) == (39, [40])
