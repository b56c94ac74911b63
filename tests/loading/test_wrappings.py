"""An event is found wherever it lies: every wrapper for every ESP, and wrappers in wrappers."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pandas as pd
import pytest

import bounceanalytics as ba
from tests.effort import RARE
from tests.loading.exports import array, lines, mailgun_failed, sendgrid_bounce, ses_bounce
from tests.loading.wrappings import FILES, JSON

EVENTS = {
    "ses": ses_bounce("reader1@example.net"),
    "sendgrid": sendgrid_bounce(),
    "mailgun": mailgun_failed(),
    "mailgun webhook": {
        "signature": {"timestamp": "1773130521", "token": "6f1", "signature": "aa01"},
        "event-data": mailgun_failed(),
    },
}
INNER = list(JSON)


def told(events):
    return events.drop(columns=["source", "record"])


@pytest.fixture(scope="module")
def plain():
    return {name: ba.load(json.dumps(event).encode()).events for name, event in EVENTS.items()}


def check(content, wanted):
    load = ba.load(content)
    pd.testing.assert_frame_equal(told(load.events)[told(wanted).columns], told(wanted))
    assert load.files[["records", "loaded"]].to_numpy().tolist() == [[1, 1]]


def wrapped(wrapper, name):
    return json.dumps(JSON[wrapper](EVENTS[name])).encode()


def twice_wrapped(place):
    inner = JSON[INNER[place]](EVENTS[list(EVENTS)[place % len(EVENTS)]])
    return json.dumps(JSON[INNER[place - 7]](inner)).encode()


CONTENTS = {
    **{(wrapper, name): wrapped(wrapper, name) for wrapper in JSON for name in EVENTS},
    **{(wrapper, name): FILES[wrapper](EVENTS[name]) for wrapper in FILES for name in EVENTS},
    **{place: twice_wrapped(place) for place in range(len(INNER))},
}


SPELLED = {
    "joined by dots": lambda frame: frame("."),
    "joined by lines": lambda frame: frame("_"),
    "in upper case": lambda frame: frame("__").rename(columns=str.upper),
    "behind a prefix": lambda frame: frame("_").add_prefix("event_data_").assign(received_at="2026-03-10"),
}
WRITTEN = {
    "lines": ("ndjson", lambda frame, file: frame.to_json(file, orient="records", lines=True)),
    "columns": ("json", lambda frame, file: frame.to_json(file)),
    "split": ("json", lambda frame, file: frame.to_json(file, orient="split")),
    "csv": ("csv", lambda frame, file: frame.to_csv(file)),
    "parquet": ("parquet", lambda frame, file: frame.to_parquet(file)),
    "feather": ("feather", lambda frame, file: frame.to_feather(file)),
    "excel": ("xlsx", lambda frame, file: frame.to_excel(file, index=False, engine="xlsxwriter")),
}

SAVED = list(itertools.product(SPELLED, WRITTEN, EVENTS))


def rare(cases):
    """Return every second of the cases, of other events for each wrapper, which are tried before a release."""
    return {case for number, case in enumerate(cases) if (number + number // len(EVENTS)) % 2}


LATE = rare(CONTENTS) | rare(SAVED)


def of_cases(names, *cases):
    """Parametrize with all that can be made of names."""
    return pytest.mark.parametrize(
        names,
        [pytest.param(*case, marks=RARE if case in LATE else []) for case in itertools.product(*cases)],
    )


def looked_up(once, name, folder, files, write):
    """Return a function that tells what comes of a case: each is a file of one folder, the rare ones of another."""

    def made(which):
        names = {case: file for case, file in files.items() if (case in LATE) == which}
        home = folder / str(which)
        home.mkdir()
        for case, file in names.items():
            write(case, home / file)
        return of_a_folder(home, names)

    return lambda case: once(f"{name} {case in LATE}", lambda: made(case in LATE))[case]


@pytest.fixture(scope="module")
def packed(once, tmp_path_factory):
    """Return what tells what comes of each of the contents."""
    files = {case: str(number) for number, case in enumerate(CONTENTS)}
    folder = tmp_path_factory.mktemp("wrappings")
    return looked_up(once, "wrappings", folder, files, lambda case, file: file.write_bytes(CONTENTS[case]))


def of_a_folder(folder, names):
    """Return for each case the events of the file of that name, and how many records it has and how many it gave."""
    load = ba.load(folder, deduplicate=False)
    events, files = (
        frame.assign(name=frame["source"].map(lambda source: Path(source).name))
        for frame in (load.events, load.files)
    )
    by_name = dict(list(events.drop(columns="name").groupby(events["name"])))
    counts = files.set_index("name")[["records", "loaded"]]
    return {case: (by_name.get(name), counts.loc[[name]].to_numpy().tolist()) for case, name in names.items()}


def check_packed(found, wanted):
    events, counts = found
    assert counts == [[1, 1]]
    events = told(events).reset_index(drop=True)
    pd.testing.assert_frame_equal(events[told(wanted).columns], told(wanted))


@of_cases(("wrapper", "name"), JSON, EVENTS)
def test_in_any_wrapper(wrapper, name, plain, packed):
    check_packed(packed((wrapper, name)), plain[name])


@of_cases(("wrapper", "name"), FILES, EVENTS)
def test_in_a_cell_or_behind_a_prefix(wrapper, name, plain, packed):
    check_packed(packed((wrapper, name)), plain[name])


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(place, id=f"{INNER[place]} in {INNER[place - 7]}", marks=RARE if place in LATE else [])
        for place in range(len(INNER))
    ],
)
def test_wrappers_in_wrappers(place, plain, packed):
    check_packed(packed(place), plain[list(EVENTS)[place % len(EVENTS)]])


@pytest.mark.parametrize("name", EVENTS)
def test_alone_it_is_found_as_well(name, plain):
    check(CONTENTS["sns in sqs", name], plain[name])


@pytest.fixture(scope="module")
def saved(once, tmp_path_factory):
    """Return what tells what comes of every flattened and saved event."""
    files = {case: f"events_{number}.{WRITTEN[case[1]][0]}" for number, case in enumerate(SAVED)}

    def write(case, file):
        spelled, written, name = case
        WRITTEN[written][1](SPELLED[spelled](lambda sep: pd.json_normalize(EVENTS[name], sep=sep)), file)

    return looked_up(once, "saved wrappings", tmp_path_factory.mktemp("saved"), files, write)


@of_cases(("spelled", "written", "name"), SPELLED, WRITTEN, EVENTS)
def test_flattened_and_saved(spelled, written, name, plain, saved):
    wanted = plain[name].drop(columns="tags") if spelled == "in upper case" else plain[name]
    check_packed(saved((spelled, written, name)), wanted)


@pytest.mark.parametrize("written", ["csv", "parquet", "excel"])
@pytest.mark.parametrize("name", EVENTS)
def test_in_a_cell_of_a_file(name, written, plain, tmp_path):
    frame = pd.DataFrame(
        {"id": [1], "at": [pd.Timestamp("2026-03-10")], "payload": [json.dumps(EVENTS[name])]}
    )
    end, write = WRITTEN[written]
    write(frame, tmp_path / f"events.{end}")
    check(tmp_path / f"events.{end}", plain[name])


@pytest.mark.parametrize("first", ["ses", "sendgrid", "mailgun"])
@pytest.mark.parametrize("second", ["ses", "sendgrid", "mailgun webhook"])
def test_two_in_one_file_however_late_the_second_comes(first, second, tmp_path):
    """Each record goes to its own ESP, or is rejected where one is asked for."""
    layout = array if "sendgrid" in (first, second) else lines
    content = layout(*[EVENTS[first]] * 300, EVENTS[second])
    load = ba.load(content, deduplicate=False)
    own, other = first.split()[0], second.split()[0]
    assert load.events["provider"].tolist() == [own] * 300 + [other]
    assert load.events["recipient"].notna().all()
    assert load.events["record"].tolist() == list(range(1, 302))
    one = ba.load(content, deduplicate=False, provider=own)
    assert (len(one.events), len(one.rejects)) == ((301, 0) if own == other else (300, 1))
    assert len(ba.load(ba.convert(content, tmp_path / "set", deduplicate=False)).events) == 301


def test_what_holds_no_event_is_named():
    record = JSON["sqs"](EVENTS["ses"])
    record["Messages"] += [
        {
            "MessageId": "2",
            "Body": json.dumps({"Type": "SubscriptionConfirmation", "SubscribeURL": "https://x"}),
        },
        {"MessageId": "3", "Body": "hello"},
    ]
    load = ba.load(json.dumps(record).encode())
    assert load.files[["records", "loaded", "ignored", "rejected"]].to_numpy().tolist() == [[3, 1, 1, 1]]
    assert load.ignored["reason"].tolist() == ["a request to confirm a subscription"]
    assert load.rejects["error"].tolist() == ["an SQS message without a mail event of an ESP that is known"]


def test_a_log_of_no_mail_is_refused():
    record = {"@timestamp": "2026-03-10T08:15:21Z", "event": {"kind": "event"}, "log": {"level": "error"}}
    with pytest.raises(ba.FormatError, match="looks like JSON with the fields"):
        ba.load(lines(record, record))


def test_an_event_without_a_time_takes_that_of_its_message():
    event = ses_bounce("reader1@example.net")
    del event["bounce"]["timestamp"], event["mail"]["timestamp"]
    assert (
        str(ba.load(json.dumps(JSON["sns"](event)).encode()).events["timestamp"][0])[:19]
        == "2026-03-10 08:15:22"
    )


@pytest.mark.parametrize("name", EVENTS)
def test_the_first_of_rows_without_titles_is_one_of_them(name, plain):
    text = json.dumps(EVENTS[name])
    loki = {
        "stream": {"app": "hook"},
        "values": [["1773130520000000000", text], ["1773130521000000000", text]],
    }
    columns = [{"name": "at", "type": "DateTime"}, {"name": "raw", "type": "String"}]
    compact = {
        "meta": columns,
        "data": [["2026-03-10 08:15:20", text], ["2026-03-10 08:15:21", text]],
        "rows": 2,
    }
    titled = [["@timestamp", "raw"], ["2026-03-10 08:15:20", text], ["2026-03-10 08:15:21", text]]
    for content in ({"data": {"resultType": "streams", "result": [loki]}}, compact, titled):
        load = ba.load(json.dumps(content).encode(), deduplicate=False)
        assert load.events["recipient"].tolist() == plain[name]["recipient"].tolist() * 2
