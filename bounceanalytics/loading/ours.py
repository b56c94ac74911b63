"""Suppression files that this package writes, read back: they may be all that is left of an export."""

from __future__ import annotations

from dataclasses import replace

from bounceanalytics.loading.forms import Form

#: Columns that tell our files from a mailing list, which looks the same but for them. Importers pass over them.
WHY, WHEN = "suppressed_for", "suppressed_on"

_LIST = Form(
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

FORMS = (
    _LIST,
    replace(
        _LIST,
        name="suppressions for Postmark",
        kind="json",
        needs=("EmailAddress",),
        only="EmailAddress",
        lacks="",
        container="Suppressions",
        bare=False,
        fields={"address": "EmailAddress"},
        columns={"event": "'suppressed'", "esp_type": "'bounced'", "recipient": "address"},
        key=("recipient",),
        zone="",
    ),
    # a file of addresses may be anything, a mailing list above all, so that its name must say what it is
    replace(
        _LIST,
        needs=(),
        lacks="",
        rows=r"\"?[^\s,;@]+@[^\s,;@]+\"?\s*",
        hint=r"^(?!.*(?:delete|take.?off|remove)).*suppress",
        fields={"address": "address"},
        columns={"event": "'suppressed'", "esp_type": "'bounced'", "recipient": "address"},
        key=("recipient",),
        zone="",
    ),
    Form(
        provider="",
        name="a hashed suppression list",
        kind="csv",
        needs=(f"sha256 {WHY} {WHEN}",),
        refuse="it holds no addresses; match_hashes(list, file) finds in a list who is on it",
    ),
)
