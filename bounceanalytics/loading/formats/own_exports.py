"""Files of this package, read back: saved frames, and suppression files, which may be all that is left of an export."""

from __future__ import annotations

from dataclasses import replace

from bounceanalytics.loading.formats.format import Format, named
from bounceanalytics.schema import BOUNCE_COLUMNS, VERDICT_INPUTS

#: Columns that tell our files from a mailing list, which looks the same but for them. Importers pass over them.
WHY, WHEN = "suppressed_for", "suppressed_on"

# What holds addresses and no more may be anything, a mailing list above all, so that its name must say what it is.
_TAKEN_OFF = r"delete|take.?off"
_SUPPRESSED = named("suppress", unless=rf"{_TAKEN_OFF}|remove")
_ROWS = r"\"?[^\s,;@]+@[^\s,;@]+\"?\s*"

_LIST = Format(
    provider="generic",
    name="suppression list",
    kind="csv",
    needs=(f"{WHY} {WHEN}",),
    lacks="sha256",
    fields={"address": "email|email address|address", "why": WHY, "time": WHEN},
    columns={
        "event": "'suppressed'",
        # a wish is called by its name, all else was a bounce of some kind
        "esp_type": "CASE WHEN why IN ('complained', 'unsubscribed') THEN why ELSE 'bounced' END",
        "esp_reason": "why",
        "recipient": "address",
        "time": "time",
    },
    zone="UTC",
    key=("recipient", "esp_reason"),
)

_POSTMARK = replace(
    _LIST,
    name="suppressions for Postmark",
    kind="json",
    needs=("EmailAddress",),
    only="EmailAddress",
    lacks="",
    container="Suppressions",
    bare=False,
    hint=_SUPPRESSED,
    fields={"address": "EmailAddress"},
    columns={"event": "'suppressed'", "esp_type": "'bounced'", "recipient": "address"},
    key=("recipient",),
    zone="",
)

#: An event frame, classified or not, as pandas has saved it.
FRAME = Format(
    provider="generic",
    name="event frame",
    kind="csv",
    needs=("provider event recipient esp_event esp_type esp_reason record",),
    fields={name: name for name in BOUNCE_COLUMNS.names},
    zone="UTC",
    typed=True,
)

#: What verdicts depend on, without what tells the events apart: the distinct rows of a warehouse.
INPUTS = Format(
    provider="",
    name="a table of what verdicts depend on",
    kind="csv",
    needs=(" ".join(VERDICT_INPUTS.names),),
    lacks="recipient",
    refuse="it names no recipients; `bounceanalytics classify` takes it, and so does ba.classify(frame)",
)

FORMATS = (
    FRAME,
    replace(FRAME, kind="json"),
    INPUTS,
    _LIST,
    _POSTMARK,
    replace(
        _POSTMARK,
        name="addresses to take off Postmark's list",
        hint=_TAKEN_OFF,
        columns={"event": "'other'", "recipient": "address"},
    ),
    replace(
        _POSTMARK,
        provider="",
        name="a request to Postmark",
        hint="",
        refuse="it may put addresses on a list or take them off; let the file's name say 'suppress' or 'take off'",
    ),
    replace(
        _LIST,
        needs=(),
        lacks="",
        rows=_ROWS,
        hint=_SUPPRESSED,
        fields={"address": "address"},
        columns={"event": "'suppressed'", "esp_type": "'bounced'", "recipient": "address"},
        key=("recipient",),
        zone="",
    ),
    Format(
        provider="",
        name="a hashed suppression list",
        kind="csv",
        needs=(f"sha256 {WHY} {WHEN}",),
        refuse="it holds no addresses; match_hashes(list, file) finds in a list who is on it",
    ),
)

_ANY_LIST = Format(
    provider="",
    name="a list of addresses",
    kind="csv",
    needs=(),
    rows=_ROWS,
    fields={"address": "address"},
    refuse="it may be a mailing list; if nobody in it is to be mailed, let the file's name say 'suppress'",
)

#: Asked after all others, whose names may say what such a list is.
REFUSED = (
    _ANY_LIST,
    replace(
        _ANY_LIST, rows="", loose=True, needs=("email", "emailaddress"), only="email emailaddress", fields={}
    ),
)
