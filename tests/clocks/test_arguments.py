"""Arguments of the package that name a time read what files hold, and refuse what may be two days."""

from __future__ import annotations

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.cleaning.restore import _interval
from bounceanalytics.deciding.decide import _moment
from bounceanalytics.domains.plans import moment_of as moment_of_domains
from bounceanalytics.ledger_file import microseconds
from bounceanalytics.report.spans import span

NOON = pd.Timestamp("2026-11-30T12:00")
SAME = ["2026-11-30T12:00", "2026-11-30 13:00 CET", "Mon, 30 Nov 2026 12:00:00 GMT", "30.11.2026 12:00", NOON]


@pytest.mark.parametrize("text", SAME)
def test_one_moment_in_many_spellings(text):
    assert _moment(text) == NOON
    assert moment_of_domains(text) == NOON.tz_localize("UTC")
    assert microseconds(text) == NOON.tz_localize("UTC").timestamp() * 1e6
    assert _interval((text, "2026-12-31"))[0] == NOON.tz_localize("UTC")
    assert span((text, "2026-12-31"), None).start == NOON.tz_localize("UTC")


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (ba.PolicyError, _moment),
        (ba.FrameError, microseconds),
        (ba.FrameError, moment_of_domains),
        (ba.FormatError, lambda text: _interval((text, "2026-12-31"))),
        (ba.FormatError, lambda text: _interval(("2026-01-01", text))),
        (ba.FrameError, lambda text: span((text, "2026-12-31"), None)),
        (ba.FrameError, lambda text: span(text, None)),
    ],
)
def test_what_may_be_two_days_is_refused_with_both(error, call):
    with pytest.raises(
        error, match=r"'03/04/2026' may be 2026-03-04 or 2026-04-03; write it as one of these$"
    ):
        call("03/04/2026")
    with pytest.raises(error, match="soon"):
        call("soon")


def test_a_day_is_whole_where_it_ends():
    first, end = _interval(("2026-09-01", "30 September 2026"))
    assert (end - first).days == 30
    assert span("30 Sep 2026", None) == span("2026-09-30", None) == span(("2026-09-30", "30.9.2026"), None)
    assert _interval(("1970-01-01", "9999-01-01"))[1].year == 9999
