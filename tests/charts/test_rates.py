"""Rates by name: one drawing for mailbox providers, tags, sending addresses and registrable domains."""

from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from bounceanalytics import charts
from bounceanalytics.errors import FrameError
from bounceanalytics.knowledge.limits import bounce_rate_limits

#: Chart -> column of names in its summary, and how its rows are called.
CHARTS = {
    "mailbox_providers": ("mailbox_provider", "mailbox providers"),
    "tags": ("tag", "tags"),
    "sending_ips": ("sending_ip", "sending IPs"),
    "hosts": ("remote_host", "mail servers"),
    "registrable_domains": ("registrable_domain", "registrable domains"),
    "esps": ("provider", "ESPs"),
}


def summary(name: str, names: list[str], rates: list[float | None]) -> pd.DataFrame:
    known = [rate is not None for rate in rates]
    frame = pd.DataFrame({CHARTS[name][0]: names, "hard_rate": pd.Series(rates, dtype=float)})
    frame["domains"], frame["attempted"], frame["rated"] = 3, 1000, [1000 * flag for flag in known]
    frame["hard"] = frame["bounced"] = [round(1000 * (rate or 0)) for rate in rates]
    frame["hard_low"], frame["hard_high"] = frame["hard_rate"] * 0.8, frame["hard_rate"] * 1.25
    return frame.assign(deliveries_known=known)


def draw(name: str, names: list[str], rates: list[float | None], **options: Any) -> go.Figure:
    figure: go.Figure = getattr(charts, name)(summary(name, names, rates), **options)
    return figure


def notes(figure: go.Figure) -> list[str]:
    return [note.text for note in figure.layout.annotations]


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("options", [{}, {"theme": "dark"}, {"compact": True}], ids=str)
def test_bars_and_whiskers_are_those_of_the_summary(name: str, options: dict[str, Any]) -> None:
    names, rates = ["b", "a", "c"], [0.02, 0.12, None]
    given = summary(name, names, rates)
    before = given.copy(deep=True)
    (bar,) = getattr(charts, name)(given, **options).data
    pd.testing.assert_frame_equal(given, before)
    assert list(bar.x) == rates
    assert [label.lower() for label in bar.y] == names
    assert list(bar.error_x.array)[:2] == pytest.approx([0.005, 0.03])
    assert list(bar.error_x.arrayminus)[:2] == pytest.approx([0.004, 0.024])
    assert (
        "20 of 1,000 attempted messages bounced hard:<br>2.0% (95% interval 1.6% to 2.5%)."
        in bar.customdata[0]
    )
    assert "there is no rate" in bar.customdata[2]


@pytest.mark.parametrize("name", CHARTS)
def test_rates_stand_in_words_at_the_right(name: str) -> None:
    figure = draw(name, ["b", "a", "c"], [0.02, 0.12, None])
    assert notes(figure)[1:] == ["2.0% of 1,000", "12.0% of 1,000", "no deliveries in the export"]
    heights = [note.y for note in figure.layout.annotations][1:]
    assert heights == pytest.approx([5 / 6, 3 / 6, 1 / 6])
    assert notes(draw(name, ["b"], [0.02], compact=True))[1:] == ["2.0%"]


@pytest.mark.parametrize("name", CHARTS)
def test_hundreds_of_rows_show_the_first_twenty(name: str) -> None:
    names = [f"name-{number}-of-a-long-and-winding-street.example" for number in range(300)]
    figure = draw(name, names, [0.001 * number for number in range(300)])
    many = CHARTS[name][1]
    assert f"20 of 300 {many}" in figure.layout.meta["subtitle"]
    assert len(figure.data[0].y) == 20
    assert figure.layout.height < 900
    assert len(draw(name, names, [0.02] * 300, top=7).data[0].y) == 7
    assert " of " not in draw(name, names[:20], [0.02] * 20).layout.meta["subtitle"]


@pytest.mark.parametrize("name", CHARTS)
def test_limits_of_ses_are_drawn_unless_all_rates_are_far_below(name: str) -> None:
    limits, near = bounce_rate_limits(), draw(name, ["a"], [0.03])
    assert [line.x0 for line in near.layout.shapes] == [limits.review, limits.pause]
    assert near.layout.xaxis.range[1] > limits.pause
    assert near.layout.xaxis.tickformat == ".0%"
    tiny = draw(name, ["a"], [0.002])
    assert not tiny.layout.shapes
    assert tiny.layout.xaxis.range[1] < 0.003
    assert tiny.layout.xaxis.tickformat == ".2%"
    assert "far off" in notes(tiny)[0]


@pytest.mark.parametrize("name", CHARTS)
def test_nothing_to_draw_is_said_in_words(name: str) -> None:
    for figure, words in (
        (draw(name, [], []), "No messages were sent."),
        (draw(name, ["a"], [None]), "no rates"),
    ):
        assert not figure.data
        assert words in notes(figure)[0]
    with pytest.raises(FrameError, match=f"summary of {CHARTS[name][1]}"):
        getattr(charts, name)(pd.DataFrame({"nothing": [1]}))
    with pytest.raises(FrameError, match="light and dark"):
        draw(name, ["a"], [0.1], theme="sepia")


def test_names_that_are_numbers_or_markup_are_shown_as_they_are() -> None:
    figure = draw("tags", ["3", "0", "<script>x</script>"], [0.1, 0.2, 0.3])
    assert figure.layout.yaxis.type == "category"
    assert [label.strip() for label in figure.layout.yaxis.ticktext[:2]] == ["3", "0"]
    shown = json.dumps([figure.layout.to_plotly_json(), figure.data[0].customdata], default=list)
    shown = re.sub(r'"(categoryarray|tickvals)": \[[^\]]*\]', "", shown)
    assert "<script" not in shown


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("cox", "Cox"),
        ("laposte", "La Poste"),
        ("mailru", "Mail.ru"),
        ("google", "Google"),
        ("new_one", "New one"),
    ],
)
def test_mailbox_providers_are_called_as_they_write_themselves(name: str, title: str) -> None:
    assert list(draw("mailbox_providers", [name], [0.1]).data[0].y) == [title]
