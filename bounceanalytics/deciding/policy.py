"""Policies: thresholds for holding and removing addresses. A policy is a value, not code."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal, get_args

import tomli_w

from bounceanalytics import schema
from bounceanalytics.deciding.lines import policy_lines
from bounceanalytics.deciding.rule import AT_ONCE, HELD_AT_ONCE, Rule, whole, whole_from, wrong_signs
from bounceanalytics.errors import OutputError, PolicyError, SourceError, listed
from bounceanalytics.files import parsed_toml, path_of, settings_text, write_whole
from bounceanalytics.wording import in_short

if TYPE_CHECKING:
    import os

    import pandas as pd

Verdict = Literal["remove", "hold", "keep"]
SystemFull = Literal["remove", "hold", "retry"]

#: The kinds of bounces that a score can weigh.
WEIGHED = ("hard", "soft", "review")

_RULES = ("hard", "soft", "review", "unexplained", "conflict", "storm", "suspected")
_WORDS: Mapping[str, tuple[str, ...]] = {
    "system_full": get_args(SystemFull),
    "not_tried": schema.VERDICTS,
    "complained": schema.VERDICTS,
    "unsubscribed": schema.VERDICTS,
    "unsubscribed_partly": schema.VERDICTS,
}

_SOFT = Rule(remove_after=5, remove_span=21, hold_after=3, hold_days=30, review_days=180)
_REVIEW = Rule(hold_after=3)
_STORM = Rule(hold_after=1, hold_days=3)
_SUSPECTED = Rule(hold_after=1, cleared_by=("opened", "clicked"))


@dataclass(frozen=True, kw_only=True)
class Policy:
    """When an address is removed, held or kept.

    Failures with action ``fix`` (blocks, content, authentication: the sender has to act) never count against an
    address, whatever the numbers here, unless ``reasons`` names them.

    Attributes
    ----------
    name : str
        For reports.
    about : str
        What it is for, in a sentence or two.
    sources : tuple of str
        Where its numbers come from.
    hard : Rule
        Bounces with action ``remove``: no such user, no such domain, mailbox disabled. At once: mailing a dead
        address again tells mailbox providers that the list is not looked after.
    soft : Rule
        Bounces with action ``retry``: full mailbox, network, expired. Five days over three weeks: outages last hours
        to days, holidays two weeks, and a mailbox that is full for longer is rarely read again. Held from three, and
        tried again a month after the last; removed ones are looked at again after half a year.
    review : Rule
        Bounces with action ``review``: refused without a reason, automatic replies, not classified. Held, not
        removed, when they repeat on three days: nobody knows what they mean.
    unexplained : Rule
        A bounce of which nothing is known but that the ESP calls it hard: no reply, no code that tells. Held at once:
        most such addresses are dead, and nobody says so.
    system_full : {'remove', 'hold', 'retry'}
        5.3.1 and its like: ``remove`` follows ``hard``, ``hold`` holds at once, ``retry`` follows ``soft``. The
        code says permanent, RFC 3463 expects it to pass, so it has a line of its own.
    system_full_review_days : int or None
        Days after which to look at an address again that was removed or held for it: a mail system may get room again.
    conflict : Rule
        A bounce that says remove while code, text and the ESP's word disagree on it. Held at once: one of the three
        is wrong. Other conflicting bounces follow their action and take no part in a removal. Only a
        ``remove_after`` here lets conflicting bounces remove.
    storm : Rule
        A bounce that says remove in an hour in which a server refused many good addresses; see
        :func:`bounceanalytics.storms`. Held at once and tried again after three days; ``Rule(remove_after=1)``
        takes a storm for what it says.
    suspected : Rule
        A complaint that any of several recipients of one message may have made. Held at once, until the address opens
        or clicks; that mail still arrives says nothing.
    not_tried : {'remove', 'hold', 'keep'}
        Entries of the ESP's suppression lists and mail that it dropped, where the classifier says remove and no bounce
        of the address is known: one that is speaks for itself, and the ESP only repeats it. They are not counted in
        days; the ESP will not deliver to the address anyway.
    complained, unsubscribed : {'remove', 'hold', 'keep'}
        A wish of the recipient, not a failure: a later delivery does not undo it. A later wish to get mail again undoes
        an unsubscribe.
    unsubscribed_partly : {'remove', 'hold', 'keep'}
        Out of one group, topic or tag, and of nothing else. Held, so that somebody looks which list is meant: it is no
        wish to hear nothing more.
    cleared_by : tuple of {'delivered', 'opened', 'clicked'}
        Signs of life: what came before the last of them does not count any more. Opens by machines, such as Apple's
        privacy proxy, look like others in exports; they still show that the mailbox takes mail.
    late_bounce_hours : int
        A delivery whose own message bounces within this time does not count: the server took it and gave it back.
        Five days is as long as RFC 5321 expects a server to try.
    score : Rule or None
        If given, hard and soft bounces are not counted by themselves but weighed together, as list managers do: a
        bounce day brings the points of its heaviest bounce.
    weights : mapping of {'hard', 'soft', 'review'} to float
        Points of a day, for ``score``.
    reasons : mapping of str to Rule
        Bounces with these reasons are counted by themselves and follow a rule of their own; transient ones that get
        another action than the reason usually has do not.

    Raises
    ------
    PolicyError
        If a number is impossible, a word unknown or a rule contradicts itself; all problems are named at once.

    References
    ----------
    RFC 3463 (codes), RFC 5321 4.5.4.1 (how long servers try).

    Examples
    --------
    >>> Policy(soft=Rule(remove_after=7, hold_after=4), system_full="hold").hard.remove_after
    1
    >>> Policy.preset("lenient").soft.remove_span
    60
    """

    name: str = "custom"
    about: str = ""
    sources: tuple[str, ...] = ()
    hard: Rule = AT_ONCE
    soft: Rule = _SOFT
    review: Rule = _REVIEW
    unexplained: Rule = HELD_AT_ONCE
    system_full: SystemFull = "remove"
    system_full_review_days: int | None = 90
    conflict: Rule = HELD_AT_ONCE
    storm: Rule = _STORM
    suspected: Rule = _SUSPECTED
    not_tried: Verdict = "remove"
    complained: Verdict = "remove"
    unsubscribed: Verdict = "remove"
    unsubscribed_partly: Verdict = "hold"
    cleared_by: tuple[str, ...] = schema.SIGNS_OF_LIFE
    late_bounce_hours: int = 120
    score: Rule | None = None
    weights: Mapping[str, float] = field(default_factory=dict, hash=False)
    reasons: Mapping[str, Rule] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        found = self._problems()
        if found:
            raise PolicyError(listed(found, "; "))
        for name in ("cleared_by", "sources"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name in ("weights", "reasons"):  # ours, so that the caller's cannot change it
            object.__setattr__(self, name, dict(getattr(self, name)))

    @classmethod
    def preset(cls, name: str) -> Policy:
        """Return a ready policy.

        Parameters
        ----------
        name : str
            ``default``; ``strict`` (every hard bounce at once, refused recipients included, soft ones after 3 days);
            ``lenient`` (hard bounces on two separate days, soft ones on 10 over 60 days); what others do, as far as
            they tell: ``ses``, ``cloudflare``, ``klaviyo``, ``mailchimp``, ``mailman``, ``openemm``, ``discourse``;
            and ``any-5xx``, which removes on every permanent code, to show what that costs. ``about`` and ``sources``
            of each say more.

        Returns
        -------
        Policy

        Raises
        ------
        PolicyError
            If there is no such preset; the message lists those there are.

        Examples
        --------
        >>> Policy.preset("strict").soft.remove_after
        3
        """
        found = presets()
        if name not in found:
            raise PolicyError(f"there is no policy called {in_short(name)}; there are {', '.join(found)}")
        return found[name]

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Policy:
        """Read a policy from a TOML file.

        Parameters
        ----------
        path : path
            Keys are the attributes of this class, tables those of :class:`Rule`; what is not there is as in
            ``default``. A table stands for a whole rule: what it does not say is never.

        Returns
        -------
        Policy

        Raises
        ------
        SourceError
            If it cannot be read.
        PolicyError
            If it is no TOML, or for everything that is wrong with it, at once.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Policy(system_full="hold").save(f"{folder}/ours.toml")
        ...     Policy.load(f"{folder}/ours.toml").system_full
        'hold'
        """
        path = path_of(path, what="a policy")
        try:
            text = settings_text(path)
        except UnicodeDecodeError:
            raise PolicyError(f"{path.name} is no text in UTF-8; a policy is a TOML file") from None
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}") from None
        try:
            plain = parsed_toml(text)
        except ValueError as error:
            raise PolicyError(f"{path.name} is no TOML: {error}") from None
        try:
            return cls.from_dict(plain)
        except PolicyError as error:
            raise PolicyError(f"{path.name}: {error}") from None

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the policy as TOML, whole or not at all.

        Raises
        ------
        OutputError
            If the file exists and ``overwrite`` is not set, or it cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Policy.preset("strict").save(f"{folder}/ours.toml")
        ...     Policy.load(f"{folder}/ours.toml") == Policy.preset("strict")
        True
        """
        write_whole(path_of(path, OutputError), self.to_toml().encode(), overwrite=overwrite)

    def to_toml(self) -> str:
        """Return the policy as the text of a TOML file, for :meth:`load`.

        Examples
        --------
        >>> print(Policy(name="ours").to_toml().splitlines()[0])
        name = "ours"
        """
        return tomli_w.dumps(self.to_dict())

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Policy:
        """Return the policy of plain values, as :meth:`to_dict` gives them or a TOML file holds them.

        Raises
        ------
        PolicyError
            For everything that is wrong, at once.

        Examples
        --------
        >>> Policy.from_dict({"system_full": "hold", "hard": {"remove_after": 2}}).hard.remove_after
        2
        """
        values: dict[str, Any] = {}
        found: list[str] = []
        known = {item.name for item in fields(cls)}
        strange = [str(key) for key in plain if key not in known]
        for key, value in plain.items():
            if key not in known:
                continue
            if isinstance(value, Mapping) and (key in _RULES or key == "score"):
                values[key], wrong = Rule.from_dict(value, key)
                found += wrong
            elif isinstance(value, Mapping) and key == "reasons":
                values[key] = dict(value)
                for reason, rule in value.items():
                    if isinstance(rule, Mapping):
                        values[key][reason], wrong = Rule.from_dict(rule, f"reasons.{reason}")
                        found += wrong
            else:
                values[key] = value
        if strange:
            verb = "is" if len(strange) == 1 else "are"
            found.append(
                f"{listed(strange)} {verb} nothing a policy has; there are {', '.join(sorted(known))}"
            )
        # None stands for never in these two; TOML knows no None, so "never" has to be a word
        if values.get("system_full_review_days") == "never":
            values["system_full_review_days"] = None
        told = [listed(found, "; ")] if found else []
        try:
            policy = cls(**values)
        except PolicyError as error:
            told.append(str(error))
        if told:
            raise PolicyError("; ".join(told))
        return policy

    def to_dict(self) -> dict[str, Any]:
        """Return the policy as plain values, ready for JSON or TOML; :meth:`from_dict` gives it back.

        Examples
        --------
        >>> Policy(name="ours").to_dict()["hard"]
        {'remove_after': 1}
        """
        plain: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, Rule):
                value = value.to_dict()
            elif isinstance(value, Mapping):
                value = {key: one.to_dict() if isinstance(one, Rule) else one for key, one in value.items()}
            elif isinstance(value, tuple):
                value = list(value)
            elif value is None and item.name == "system_full_review_days":
                value = "never"
            if value is not None:
                plain[item.name] = value
        return plain

    def lines(self) -> pd.DataFrame:
        """Return the whole policy as a table: which events are counted together, and what their number leads to.

        Returns
        -------
        pandas.DataFrame
            One row per kind of event (``kind``: bounce, unexplained, not_tried, complained, unsubscribed,
            unsubscribed_partly or suspected; ``reason``; ``action``; ``conflict``; ``storm``) with the name of the
            ``line`` that counts it, its ``rank`` among lines that lead to the same verdict (lowest first), its
            ``weight`` in points, the fields of its :class:`Rule` and ``by_delivered``, ``by_opened``, ``by_clicked``:
            what clears it. Rows with ``beside`` count bounces beyond dispute once more, beside the conflicting ones of
            an address that has such.

        Examples
        --------
        >>> table = Policy().lines()
        >>> table.loc[table["line"] == "conflict", "remove_after"].isna().all()
        np.True_
        """
        return policy_lines(self)

    def _problems(self) -> list[str]:
        found = [
            f"{name} is {in_short(getattr(self, name))}, and must be a text"
            for name in ("name", "about")
            if not isinstance(getattr(self, name), str)
        ]
        sources: object = self.sources  # callers without a type checker, and TOML, pass anything
        if not (isinstance(sources, tuple | list) and all(isinstance(one, str) for one in sources)):
            found.append("sources must be a list of texts")
        for name in _RULES:
            found += _rule_problems(getattr(self, name), name)
        if self.score is not None:
            found += _rule_problems(self.score, "score")
        found += self._weight_problems() + self._reason_problems()
        for name, allowed in _WORDS.items():
            if getattr(self, name) not in allowed:
                found.append(
                    f"{name} is {in_short(getattr(self, name))}, and must be one of {', '.join(allowed)}"
                )
        found += wrong_signs(self.cleared_by, "cleared_by")
        if not whole(self.late_bounce_hours, at_least=0):
            found.append(
                f"late_bounce_hours is {in_short(self.late_bounce_hours)}, and must be {whole_from(0)}"
            )
        days = self.system_full_review_days
        if days is not None and not whole(days, at_least=1):
            found.append(
                f"system_full_review_days is {in_short(days)}, and must be {whole_from(1)}, or None for never"
            )
        return found

    def _weight_problems(self) -> list[str]:
        weights: object = self.weights
        if not isinstance(weights, Mapping):
            return [f"weights must be a mapping of {', '.join(WEIGHED)} to points"]
        found = [
            f"weights.{kind} is {in_short(weight)}, and must be points for one of {', '.join(WEIGHED)}"
            for kind, weight in weights.items()
            if kind not in WEIGHED
            or isinstance(weight, bool)
            or not isinstance(weight, int | float)
            or weight <= 0
        ]
        if bool(weights) != (self.score is not None):
            found.append("score and weights belong together; give both or neither")
        return found

    def _reason_problems(self) -> list[str]:
        reasons: object = self.reasons
        if not isinstance(reasons, Mapping):
            return ["reasons must be a mapping of a reason to its Rule"]
        found = []
        for reason, rule in reasons.items():
            if reason not in schema.REASONS:
                found.append(
                    f"reasons names {in_short(reason)}, which is no reason; see bounceanalytics.schema.REASONS"
                )
            found += _rule_problems(rule, f"reasons.{reason}")
        return found


def _rule_problems(rule: object, name: str) -> list[str]:
    if isinstance(rule, Rule):
        return rule.problems(name)
    return [f"{name} must be a Rule, found {type(rule).__name__}"]


@lru_cache(maxsize=1)
def presets() -> dict[str, Policy]:
    """Return the ready policies by name, our own first."""
    folder = resources.files("bounceanalytics.deciding").joinpath("presets")
    found = [Policy.from_dict(tomllib.loads(file.read_text(encoding="utf-8"))) for file in folder.iterdir()]
    ours = ("default", "strict", "lenient")
    rank = {name: place for place, name in enumerate(ours)}
    return {one.name: one for one in sorted(found, key=lambda one: (rank.get(one.name, len(ours)), one.name))}
