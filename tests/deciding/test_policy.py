"""Policies are values that say what is wrong with them."""

from __future__ import annotations

import json
import pickle

import pytest

from bounceanalytics import schema
from bounceanalytics.deciding import Policy, Rule
from bounceanalytics.errors import PolicyError


def test_presets() -> None:
    assert Policy.preset("default").soft == Rule(remove_after=5, remove_span=21, hold_after=3)
    assert Policy.preset("strict").reasons == {"recipient_refused": Rule(remove_after=1)}
    assert Policy.preset("lenient").hard == Rule(remove_after=2)
    assert {name: Policy.preset(name).name for name in ("default", "strict", "lenient")} == {
        "default": "default",
        "strict": "strict",
        "lenient": "lenient",
    }


def test_unknown_preset_lists_the_names() -> None:
    with pytest.raises(PolicyError, match=r"gentle.*default, strict, lenient"):
        Policy.preset("gentle")


def test_all_problems_at_once() -> None:
    with pytest.raises(PolicyError) as caught:
        Policy(
            hard=Rule(remove_after=0),
            soft=Rule(remove_after=2, hold_after=2),
            review=3,  # type: ignore[arg-type]
            system_full="maybe",  # type: ignore[arg-type]
            conflict=Rule(remove_after=1),
            not_tried="drop",  # type: ignore[arg-type]
            cleared_by="delivered",  # type: ignore[arg-type]
            late_bounce_hours=-1,
            reasons={"nonsense": Rule(), "spam": Rule(hold_span=3)},
        )
    message = str(caught.value)
    for word in (
        "hard.remove_after", "soft holds no earlier", "review must be a Rule", "'maybe'", "conflict.remove_after",
        "not_tried", "cleared_by", "late_bounce_hours", "'nonsense'", "reasons['spam'].hold_span",
    ):  # fmt: skip
        assert word in message
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("days", [True, 1.5, "2", -1, 0])
def test_days_are_whole_numbers(days: object) -> None:
    with pytest.raises(PolicyError, match=r"hard\.remove_after"):
        Policy(hard=Rule(remove_after=days))  # type: ignore[arg-type]


def test_a_policy_is_a_value() -> None:
    rules = {"spam": Rule(hold_after=3)}
    policy = Policy(reasons=rules)
    rules["virus"] = Rule(remove_after=1)
    assert "virus" not in policy.reasons
    assert policy == Policy(reasons={"spam": Rule(hold_after=3)})
    assert pickle.loads(pickle.dumps(policy)) == policy  # noqa: S301 - for workers
    assert hash(policy) == hash(Policy(reasons={"spam": Rule(hold_after=3)}))
    assert json.loads(json.dumps(policy.to_dict()))["reasons"]["spam"]["hold_after"] == 3
    with pytest.raises(AttributeError):
        policy.name = "x"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["default", "strict", "lenient"])
def test_the_table_covers_every_kind_of_event_once(name: str) -> None:
    table = Policy.preset(name).lines()
    keys = table[["kind", "reason", "action", "conflict"]]
    assert not keys.duplicated().any()
    assert len(table) == 2 * 2 + 2 * len(schema.REASONS) * len(schema.ACTIONS) * 2
    failures = table[table["kind"].isin(["bounce", "not_tried"])]
    fix = failures[failures["action"] == "fix"]
    assert fix["remove_after"].isna().all()
    assert fix["hold_after"].isna().all()
    assert failures.loc[failures["conflict"], "remove_after"].isna().all()
    one_rule = table.groupby("line")[
        ["remove_after", "remove_span", "hold_after", "hold_span", "rank"]
    ].nunique(dropna=False)
    assert (one_rule == 1).all(axis=None)
