"""An event is the same however its keys are spelled and its parts are written, whether all are or one alone."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.loading.detect import detect
from bounceanalytics.loading.formats import esp_modules
from tests.loading.exports import array, lines, mailgun_failed, sendgrid_bounce, ses_bounce

COMPARED = ["recipient", "event", "timestamp", "reply_code", "enhanced_code", "diagnostic"]
FORMATS = [fmt for module in esp_modules().values() for fmt in module.FORMATS]
OTHER = "someone.else@example.org"


def _mailgun():
    event = mailgun_failed()
    event["message"]["headers"]["to"] = f"Team <{OTHER}>"
    event["message"]["recipients"] = [OTHER]
    return event


EVENTS = {
    "ses": ses_bounce("reader1@example.net"),
    "sendgrid": sendgrid_bounce(),
    "mailgun": _mailgun(),
    "mailgun webhook": {
        "signature": {"timestamp": "1773130521", "token": "6f1", "signature": "aa01"},
        "event-data": _mailgun(),
    },
}
THEIR_OWN = {"tags", "category"}  # what senders write into it is spelled as they like


def _words(key):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-_. ]", " ", key).lower().split()


SPELLED = {
    "snake": lambda key: "_".join(_words(key)),
    "kebab": lambda key: "-".join(_words(key)),
    "camel": lambda key: _words(key)[0] + "".join(map(str.title, _words(key)[1:])),
    "pascal": lambda key: "".join(map(str.title, _words(key))),
    "title": lambda key: " ".join(map(str.title, _words(key))),
    "upper": str.upper,
    "lower": str.lower,
    "joined": lambda key: "".join(_words(key)),
}
WRITTEN = {
    "JSON text": json.dumps,
    "Python's print": repr,
    "list of one": lambda part: part if isinstance(part, list) else [part],
    "item alone": lambda part: part[0] if isinstance(part, list) and len(part) == 1 else part,
    "items as text": lambda part: [json.dumps(one) for one in part] if isinstance(part, list) else part,
    "joined by dots": lambda part: part,
}
TYPED = {
    "$numberLong": lambda one: {"$numberLong": str(one)} if type(one) is int else one,
    "$numberInt": lambda one: {"$numberInt": str(one)} if type(one) is int else one,
    "$numberDouble": lambda one: {"$numberDouble": str(one)} if type(one) in {int, float} else one,
    "$numberDecimal": lambda one: {"$numberDecimal": str(one)} if type(one) in {int, float} else one,
    "$date": lambda one: {"$date": one} if _is_time(one) else one,
    "$date of $numberLong": lambda one: (
        {"$date": {"$numberLong": _milliseconds(one)}} if _is_time(one) else one
    ),
    "S": lambda one: {"S": one} if isinstance(one, str) else {"N": str(one)} if type(one) is int else one,
}


def _is_time(one):
    return (isinstance(one, str) and one[:4] == "2025") or (type(one) in {int, float} and one > 1e9)


def _milliseconds(one):
    moment = pd.Timestamp(one) if isinstance(one, str) else pd.Timestamp(one, unit="s")
    return str(moment.value // 1_000_000)


def keyed(value, spell, where, depth=0, under=""):
    """Return a value with some of its keys spelled otherwise: those of the outermost object, or all others."""
    if isinstance(value, list):
        return [keyed(one, spell, where, depth, under) for one in value]
    if not isinstance(value, dict) or under in THEIR_OWN:
        return value
    here = where == "everywhere" or (where == "outer") == (depth == 0)
    return {
        (spell(key) if here else key): keyed(one, spell, where, depth + 1, key) for key, one in value.items()
    }


def written(value, write, where, depth=0):
    """Return a value with its parts, or the parts of those, written otherwise."""
    if isinstance(value, list):
        return [written(one, write, where, depth) for one in value]
    if not isinstance(value, dict):
        return value
    found = {key: written(one, write, where, depth + 1) for key, one in value.items()}
    here = where == "everywhere" or (where == "outer") == (depth == 0)
    parts = {key: one for key, one in found.items() if isinstance(one, (dict, list)) and key not in THEIR_OWN}
    return found | {key: write(one) for key, one in parts.items()} if here else found


def joined(value, sep, where, depth=0):
    """Return an object whose parts are joined into it, but for lists."""
    if not isinstance(value, dict):
        return value
    found = {}
    for key, one in value.items():
        part = joined(one, sep, where, depth + 1)
        here = where == "everywhere" or (where == "outer") == (depth == 0)
        if here and isinstance(part, dict) and key not in THEIR_OWN:
            found |= {f"{key}{sep}{name}": inner for name, inner in part.items()}
        else:
            found[key] = part
    return found


def typed(value, mark, under=""):
    if isinstance(value, list):
        return [typed(one, mark, under) for one in value]
    if isinstance(value, dict):
        return {key: one if key in THEIR_OWN else typed(one, mark, key) for key, one in value.items()}
    return mark(value)


def leaves(value, path=()):
    """Yield the path of each single key in a value."""
    pairs = enumerate(value) if isinstance(value, list) else value.items()
    for key, one in pairs:
        if isinstance(key, str):
            yield (*path, key)
        if isinstance(one, (dict, list)) and key not in THEIR_OWN:
            yield from (leaf for leaf in leaves(one, (*path, key)))


def one_key(value, path, spell):
    """Return a value with a single key spelled otherwise."""
    key, *rest = path
    if isinstance(value, list):
        return [one_key(one, rest, spell) if place == key else one for place, one in enumerate(value)]
    if not rest:
        return {(spell(name) if name == key else name): one for name, one in value.items()}
    return {name: one_key(one, rest, spell) if name == key else one for name, one in value.items()}


def variants(event):
    """Return name -> the event as somebody else writes it."""
    made = {}
    for where in ("outer", "inner", "everywhere"):
        for name, spell in SPELLED.items():
            made[f"{name}, {where}"] = keyed(event, spell, where)
        for name, write in WRITTEN.items():
            made[f"{name}, {where}"] = written(event, write, where)
        for sep in "._":
            made[f"joined by {sep}, {where}"] = joined(event, sep, where)
    for path in leaves(event):
        for name in ("pascal", "upper", "snake"):
            made[f"{name}, {path}"] = one_key(event, path, SPELLED[name])
    for name, mark in TYPED.items():
        made[name] = typed(event, mark)
    return {name: one for name, one in made.items() if one != event}


def differing(load, wanted, names):
    """Return the variants that are not read as the plain event is."""
    assert len(load.events) == len(names), load.rejects[["record", "error"]].head().to_numpy().tolist()
    got = load.events[COMPARED].astype("string").fillna("")
    want = wanted[COMPARED].astype("string").fillna("").iloc[0]
    wrong = got.ne(want)
    return {names[row]: got.loc[row, wrong.loc[row]].to_dict() for row in wrong.index[wrong.any(axis=1)]}


@pytest.fixture(scope="module")
def plain():
    return {name: ba.load(json.dumps(event).encode()).events for name, event in EVENTS.items()}


@pytest.mark.parametrize("name", EVENTS)
def test_each_is_read_as_the_plain_one(name, plain):
    made = variants(EVENTS[name])
    assert len(made) > 40
    load = ba.load(lines(*made.values()), deduplicate=False)
    assert differing(load, plain[name], list(made)) == {}


@pytest.mark.parametrize("name", EVENTS)
def test_each_is_seen_by_itself(name, plain):
    """What the engine may read by exact names has all that counts under those."""
    left = {}
    for variant, event in variants(EVENTS[name]).items():
        found = detect(json.dumps(event).encode(), "", FORMATS, whole=True)
        assert found.format is not None, variant
        assert found.format.provider == name.split()[0], variant
        if not found.wrapped:
            left[variant] = event
    load = ba.load(lines(*[EVENTS[name]] * 60, *left.values()), deduplicate=False)
    assert not load.files["form"][0].endswith("wrapped")
    assert differing(load, plain[name], ["plain"] * 60 + list(left)) == {}


@pytest.mark.parametrize("name", EVENTS)
def test_the_plain_one_is_left_to_the_engine(name):
    assert not detect(lines(*[EVENTS[name]] * 60), "", FORMATS, whole=True).wrapped


def test_an_object_with_one_key_is_no_type_of_a_store():
    event = mailgun_failed(account={"id": "7a51c0de"}, domain={"name": "mg.example.com"})
    load = ba.load(lines(event, {"event": "list_uploaded", "id": "b", "timestamp": 1773043280.2}))
    assert load.files[["form", "loaded"]].to_numpy().tolist() == [["events", 2]]


@pytest.mark.parametrize("layout", [lines, array])
@pytest.mark.parametrize("name", EVENTS)
def test_each_is_read_where_others_come_first(name, layout, plain, tmp_path):
    made = variants(EVENTS[name])
    content = layout(*[EVENTS[name]] * 300, *made.values())
    names = ["plain"] * 300 + list(made)
    assert differing(ba.load(content, deduplicate=False), plain[name], names) == {}
    if layout is lines:
        kept = ba.load(ba.convert(content, tmp_path / "set", deduplicate=False))
        assert kept.events["recipient"].value_counts().tolist() == [len(names)]


def test_other_files_beside_it_are_left_to_the_engine(tmp_path):
    event = EVENTS["sendgrid"]
    late = keyed(event, str.upper, "outer")
    (tmp_path / "plain.ndjson").write_bytes(lines(*[event] * 60))
    (tmp_path / "late.ndjson").write_bytes(lines(*[event] * 300, late, late))
    (tmp_path / "more.ndjson").write_bytes(lines(*[event] * 60))
    load = ba.load(tmp_path, deduplicate=False)
    assert load.events["recipient"].value_counts().tolist() == [422]
    assert load.files[["records", "loaded", "note"]].to_numpy().tolist() == [
        [302, 302, ""],
        [60, 60, ""],
        [60, 60, ""],
    ]


def test_events_that_name_nobody_are_counted():
    event = ses_bounce("reader1@example.net")
    event["mail"]["destination"] = ["reader1@example.net", "reader2@example.net"]
    del event["bounce"]["bouncedRecipients"]
    load = ba.load(lines(event, event), deduplicate=False)
    assert load.events["recipient"].isna().tolist() == [True, True]
    assert load.files["note"].tolist() == ["2 events name no recipient"]


OWNER = {"id": 1, "email": "owner@example.org", "timestamp": "2026-03-11T00:00:00Z"}


@pytest.mark.parametrize("name", EVENTS)
def test_the_owner_of_an_inbox_is_no_recipient(name, plain):
    event = EVENTS[name]
    inbox = {
        f"{word}, {key}": OWNER | {"event": word, key: part}
        for word in ("received", "webhook", "delivered", "bounce")
        for key, part in (("payload", event), ("raw", json.dumps(event)), ("body", json.dumps([event])))
    }
    load = ba.load(lines(*inbox.values()), deduplicate=False)
    assert differing(load, plain[name], list(inbox)) == {}


def test_an_inbox_may_hold_several_events():
    inbox = OWNER | {"event": "delivered", "raw": [sendgrid_bounce(number) for number in (1, 2, 3)]}
    load = ba.load(lines(inbox, inbox), deduplicate=False)
    assert load.events["recipient"].value_counts().to_dict() == {
        f"reader{number}@example.com": 2 for number in (1, 2, 3)
    }


def _ordered(value):
    """Return what Python prints of a value whose dicts are ordered dicts of Python up to 3.11."""
    if isinstance(value, dict):
        return f"OrderedDict([{', '.join(f'({key!r}, {_ordered(one)})' for key, one in value.items())}])"
    return f"[{', '.join(map(_ordered, value))}]" if isinstance(value, list) else repr(value)


PRINTED = {
    "OrderedDict": _ordered,
    "collections.OrderedDict": lambda event: _ordered(event).replace(
        "OrderedDict", "collections.OrderedDict"
    ),
    "a dict's class": lambda event: f"CaseInsensitiveDict({event!r})",
    "defaultdict": lambda event: f"defaultdict(<class 'str'>, {event!r})",
    "a named tuple": lambda event: f"Event({', '.join(f'{key}={one!r}' for key, one in event.items())})",
    "behind words": lambda event: f"2026-03-10 08:15:20 INFO got {_ordered(event)}",
    "in a list": lambda event: f"[{_ordered(event)}]",
}


@pytest.mark.parametrize("printed", PRINTED)
def test_classes_that_python_prints(printed, plain):
    events = [{key.replace("-", "_"): one for key, one in event.items()} for event in EVENTS.values()]
    content = "".join(f"{PRINTED[printed](event)}\n" for event in events).encode()
    load = ba.load(content, deduplicate=False)
    wanted = pd.concat(plain.values(), ignore_index=True)
    assert load.events[COMPARED].astype("string").equals(wanted[COMPARED].astype("string"))


def test_times_and_numbers_that_python_prints(plain):
    moment = plain["sendgrid"]["timestamp"][0].to_pydatetime()
    event = EVENTS["sendgrid"] | {"timestamp": "@"}
    for zone in ("datetime.timezone.utc", "zoneinfo.ZoneInfo(key='UTC')"):
        time = f"datetime.datetime({moment:%Y, %-m, %-d, %-H, %-M, %-S}, tzinfo={zone})"
        text = repr(event).replace("'@'", time).replace("'5.1.1'", "Decimal('5.1')")
        load = ba.load(f"{text}\n{text}\n".encode(), deduplicate=False)
        assert load.events["timestamp"].tolist() == [moment, moment]
