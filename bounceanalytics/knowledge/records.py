"""Records of the registry: a code, its verdict, and the advice for a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bounceanalytics.schema import REASONS

#: First digit -> value of ``code_class``. A reply 3yz asks for more input and is on the side of success.
CLASS_OF = {"2": "success", "3": "success", "4": "transient", "5": "permanent"}


@dataclass(frozen=True, slots=True)
class Related:
    """A code that is easily confused with another one.

    Attributes
    ----------
    code : str
    difference : str
        What sets it apart.
    """

    code: str
    difference: str


@dataclass(frozen=True, slots=True)
class Wording:
    """A text in which a code typically arrives.

    Attributes
    ----------
    text : str
    kind : str
        What kind of wording it is, or who writes it; empty where that says nothing.
    """

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """A status code and what is known about it.

    Attributes
    ----------
    code : str
        ``5.3.1``, ``550``, or a code of one vendor such as ``TSS04``.
    kind : {'enhanced', 'reply', 'vendor'}
    title, meaning : str
    source : str
        RFC section or page of the vendor.
    registered : str
        ``IANA``, the vendor that made the code up, or ``not registered``.
    reason : str or None
        Name in :data:`bounceanalytics.schema.REASONS`; None for success.
    specific : bool
        True if the code alone tells the reason; False if it is so general, or so often misused, that the text and
        the other code know better.
    causes, do_now, do_later, investigate, practices : tuple of str
        Why it happens; what the sender does at once and keeps doing; what to look into; habits that prevent it.
    recipient_side : tuple of str
        What only the people of the receiving side can do.
    related : tuple of Related
    texts : tuple of Wording
    disputed : str
        Where standards, vendors and practice differ; empty where they agree.
    stated_class : str
        Class of a vendor's code, which no digit of it tells; empty for the other kinds.
    provider : str
        Name of the mailbox provider whose texts hold a vendor's code; empty where several use it.
    pattern : str
        Regular expression of the spellings of a vendor's code; empty where it has only one.
    spellings : tuple of str
        Examples of these spellings.
    ambiguous : bool
        True for a vendor's code so short that it says something in texts of its provider only.
    """

    code: str
    kind: Literal["enhanced", "reply", "vendor"]
    title: str
    meaning: str
    source: str
    registered: str = "IANA"
    reason: str | None = None
    specific: bool = True
    causes: tuple[str, ...] = ()
    do_now: tuple[str, ...] = ()
    do_later: tuple[str, ...] = ()
    investigate: tuple[str, ...] = ()
    recipient_side: tuple[str, ...] = ()
    practices: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
    texts: tuple[Wording, ...] = ()
    disputed: str = ""
    stated_class: str = ""
    provider: str = ""
    pattern: str = ""
    spellings: tuple[str, ...] = ()
    ambiguous: bool = False

    @property
    def code_class(self) -> str:
        """``success``, ``transient`` or ``permanent``."""
        return self.stated_class or CLASS_OF[self.code[0]]

    @property
    def bounce_type(self) -> str:
        """Kind of failure that the reason makes in this class."""
        return outcome(self.reason, self.code_class).bounce_type

    @property
    def category(self) -> str | None:
        """Group of the reason; None for success."""
        return outcome(self.reason, self.code_class).category

    @property
    def fault(self) -> str | None:
        """The fault: who must act; None for success."""
        return outcome(self.reason, self.code_class).fault

    @property
    def action(self) -> str | None:
        """The action for the address; None for success."""
        return outcome(self.reason, self.code_class).action


@dataclass(frozen=True, slots=True)
class Advice:
    """A reason: what it means and what to do about it, whatever code it came under.

    Attributes
    ----------
    reason, meaning : str
    do_now, do_later, investigate : tuple of str
    """

    reason: str
    meaning: str
    do_now: tuple[str, ...]
    do_later: tuple[str, ...] = ()
    investigate: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """Verdict on a reason and a class of code: the verdict columns of the same names."""

    bounce_type: str
    category: str | None = None
    fault: str | None = None
    action: str | None = None


def outcome(reason: str | None, code_class: str) -> Outcome:
    """Return type, category, fault and action of a reason met with a code of the given class.

    A transient code is no proof against an address: where the reason would remove it for good and the schema
    names no milder variant, the outcome is a soft bounce to be retried.

    Parameters
    ----------
    reason : str or None
        Name in :data:`bounceanalytics.schema.REASONS`; None for success.
    code_class : {'success', 'transient', 'permanent'}

    Returns
    -------
    Outcome

    Examples
    --------
    >>> outcome("system_full", "permanent").action, outcome("system_full", "transient").action
    ('remove', 'retry')
    """
    if reason is None:
        return Outcome("none")
    row = REASONS[reason]
    kind, action = row.bounce_type, row.action
    if code_class == "transient":
        kind = row.transient_type or ("soft" if kind == "hard" else kind)
        action = row.transient_action or ("retry" if action == "remove" else action)
    return Outcome(kind, row.category, row.fault, action)
