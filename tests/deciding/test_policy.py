"""Policies are values that say what is wrong with them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from bounceanalytics import schema
from bounceanalytics.deciding import Policy, Rule
from bounceanalytics.deciding.policy import presets
from bounceanalytics.errors import OutputError, PolicyError, SourceError

OURS = ["default", "strict", "lenient"]
OTHERS = ["any-5xx", "cloudflare", "discourse", "klaviyo", "mailchimp", "mailman", "openemm", "ses"]


def test_presets() -> None:
    assert list(presets()) == OURS + OTHERS
    assert Policy.preset("default") == Policy(
        name="default", about=Policy.preset("default").about, sources=Policy.preset("default").sources
    )
    assert Policy.preset("strict").reasons == {"recipient_refused": Rule(remove_after=1)}
    assert Policy.preset("lenient").hard == Rule(remove_after=2)


@pytest.mark.parametrize("name", OURS + OTHERS)
def test_every_preset_says_what_it_is_and_where_it_comes_from(name: str) -> None:
    policy = Policy.preset(name)
    assert policy.name == name
    assert policy.about.endswith(".")
    assert policy.sources


def test_unknown_preset_lists_the_names() -> None:
    with pytest.raises(PolicyError, match=r"gentle.*default, strict, lenient, any-5xx"):
        Policy.preset("gentle")


@pytest.mark.parametrize("name", OURS + OTHERS)
def test_to_toml_and_back(name: str, tmp_path: Path) -> None:
    policy = Policy.preset(name)
    policy.save(tmp_path / "p.toml")
    assert Policy.load(tmp_path / "p.toml") == policy
    assert Policy.from_dict(json.loads(json.dumps(policy.to_dict()))) == policy
    with pytest.raises(OutputError, match=r"p\.toml exists; pass overwrite=True or choose another name"):
        policy.save(tmp_path / "p.toml")
    policy.save(tmp_path / "p.toml", overwrite=True)


def test_never_survives_the_file(tmp_path: Path) -> None:
    policy = Policy(
        hard=Rule(), soft=Rule(hold_after=1), system_full_review_days=None, reasons={"expired": Rule()}
    )
    policy.save(tmp_path / "p.toml")
    assert Policy.load(tmp_path / "p.toml") == policy


def test_a_file_of_one_line_changes_one_thing(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_bytes(
        b'\xef\xbb\xbfsystem_full = "hold"\r\n'
    )  # as an editor on Windows saves it
    assert Policy.load(tmp_path / "p.toml") == Policy(system_full="hold")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"soft = {", "no TOML"),
        (b"\xff\xfe", "no text in UTF-8"),
        (
            b"[soft]\nremove_after = 0\nfoo = 1\n[hrad]\nremove_after = 1\n",
            r"soft\.foo is nothing.*hrad is nothing.*soft\.remove_after is 0",
        ),
        (b"soft = 3\n", "soft must be a Rule"),
        (b"reasons = 3\n", "reasons must be a mapping"),
        (b"weights = 3\n", "weights must be a mapping"),
        (b"[reasons]\nspam = 3\n", "reasons.spam must be a Rule"),
        (b"name = 3\nsources = 4\ncleared_by = 5\n", "name is 3.*sources must be.*cleared_by is 5"),
        (b"[weights]\nhard = 1.0\n", "score and weights belong together"),
        (b"[score]\nremove_after = 5\n[weights]\nhard = 0\nspam = 1\n", "weights.hard is 0.*weights.spam is 1"),
    ],
)  # fmt: skip
def test_a_wrong_file_says_all_that_is_wrong(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "p.toml").write_bytes(content)
    with pytest.raises(PolicyError, match=rf"(?s)^p\.toml.*{message}"):
        Policy.load(tmp_path / "p.toml")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.toml cannot be read"):
        Policy.load(tmp_path / "nowhere.toml")


def test_all_problems_at_once() -> None:
    with pytest.raises(PolicyError) as caught:
        Policy(
            hard=Rule(remove_after=0),
            soft=Rule(remove_after=2, hold_after=2),
            review=3,  # type: ignore[arg-type]
            system_full="maybe",  # type: ignore[arg-type]
            conflict=Rule(within=3, remove_after=2, remove_span=9),
            not_tried="drop",  # type: ignore[arg-type]
            cleared_by="delivered",  # type: ignore[arg-type]
            late_bounce_hours=-1,
            reasons={"nonsense": Rule(), "spam": Rule(hold_span=3)},
        )
    message = str(caught.value)
    for word in (
        "hard.remove_after", "soft holds no earlier", "review must be a Rule", "'maybe'",
        "conflict counts days within 3 days", "not_tried", "cleared_by", "late_bounce_hours", "'nonsense'",
        "reasons.spam.hold_span",
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


@pytest.mark.parametrize("name", OURS + OTHERS)
def test_the_table_covers_every_kind_of_event_once(name: str) -> None:
    table = Policy.preset(name).lines()
    beside = table["beside"]
    once = table[~beside]
    assert not once[["kind", "reason", "action", "conflict", "storm"]].duplicated().any()
    assert len(once) == 5 * 4 + 2 * len(schema.REASONS) * len(schema.ACTIONS) * 4
    # what is beyond dispute counts for a hold beside what is not
    assert table.loc[beside, "remove_after"].isna().all()
    assert table.loc[beside, "hold_after"].notna().all()
    named = Policy.preset(name).reasons
    failures = table[table["kind"].isin(["bounce", "not_tried"]) & ~table["reason"].isin(named)]
    fix = failures[failures["action"] == "fix"]
    assert fix["remove_after"].isna().all()
    assert fix["hold_after"].isna().all()
    one_rule = table.drop(columns=["kind", "reason", "action", "conflict", "storm", "weight", "beside"])
    assert (one_rule.groupby("line").nunique(dropna=False) == 1).all(axis=None)
    if name == "any-5xx":  # which believes everybody
        return
    assert (
        failures.loc[
            failures["conflict"] | (failures["storm"] & (failures["action"] == "remove")), "remove_after"
        ]
        .isna()
        .all()
    )


def test_lists_from_files_become_values() -> None:
    policy = Policy(soft=Rule(cleared_by=["clicked"]), cleared_by=["opened"])  # type: ignore[arg-type]
    assert hash(policy) == hash(Policy(soft=Rule(cleared_by=("clicked",)), cleared_by=("opened",)))
