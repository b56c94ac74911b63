"""The course of a domain: what was seen of it, one thing after the other, and the states that follow from it.

Own mail outranks whatever a check finds, and a check ends only what it could have seen: name servers do not know
whether a mail system is full, or answers. What could not be found out ends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from bounceanalytics.domains.pasts import RECENT_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterable

_DAY = timedelta(days=1) // timedelta(microseconds=1)
_RECENT = RECENT_DAYS * _DAY
#: Bases of a check that asked name servers or registries only.
_NAMES = ("dns", "rdap")
#: States that mean that nothing is wrong, or that nothing is known.
_WELL, _UNSURE = "healthy", "unknown"

#: Age of a state up to which it is asked for again after so many days; beyond the last, after so many.
BACK_OFF = ((timedelta(weeks=1), 1), (timedelta(weeks=10), 7))
LATER = 30


class Item(NamedTuple):
    """What was seen of a domain; times are microseconds since 1970.

    ``kind`` is ``accepted``, ``full``, ``failed`` (its name led nowhere), ``unreached`` (nobody answered, or everybody
    was refused), or ``check`` with what it found.
    """

    moment: int
    kind: str
    status: str | None = None
    basis: str | None = None
    explanation: str | None = None
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A state of a domain from when it was first seen until another one was, None while it lasts.

    ``told`` is the check that confirmed it last, None if it rests on own mail, or on nothing yet.
    """

    status: str
    basis: str | None
    begin: int
    until: int | None
    last_seen: int
    told: Item | None = None


@dataclass(slots=True)
class Course:
    """What became of a domain.

    Attributes
    ----------
    spans : list of Span
        One after the other; never empty.
    checked_at : int, optional
        When it was last checked.
    same_since : int, optional
        Since when checks have found the same.
    failed_at : int, optional
        When something was wrong with the whole domain, if it has taken no mail since.
    """

    spans: list[Span]
    checked_at: int | None = None
    same_since: int | None = None
    failed_at: int | None = None

    @property
    def now(self) -> Span:
        """The state that lasts."""
        return self.spans[-1]

    @property
    def rank(self) -> tuple[bool, int]:
        """Smaller the worse: in trouble now, since when; else for how long in all."""
        troubles = self.troubles
        if troubles and troubles[-1][2] is None:
            return False, troubles[-1][0].begin
        return True, sum(first.begin - after.begin for first, _, after in troubles if after is not None)

    @property
    def due_on(self) -> int | None:
        """Day on which to ask again, as a moment; None where mail that it takes answers for it."""
        now = self.now
        if now.status == _WELL and now.basis == "history" and self.failed_at is None:
            return None
        news = now.begin if self.failed_at is None else max(self.failed_at, now.begin)
        if self.checked_at is None or self.checked_at < news:
            return news // _DAY * _DAY
        age = self.checked_at - max(now.begin, self.same_since or 0)
        days = next((days for span, days in BACK_OFF if age < span // timedelta(microseconds=1)), LATER)
        return (self.checked_at // _DAY + days) * _DAY

    @property
    def recovery(self) -> tuple[Span, int, Span] | None:
        """The last trouble of a domain that is well, when that began, and how it is since; else None."""
        troubles = self.troubles
        if self.now.status != _WELL or not troubles:
            return None
        first, last, after = troubles[-1]
        return None if after is None else (last, first.begin, after)

    @property
    def troubles(self) -> list[tuple[Span, Span, Span | None]]:
        """Each trouble: its first and its last state, and the one that ended it."""
        found: list[tuple[Span, Span, Span | None]] = []
        first: Span | None = None
        last: Span | None = None
        for span in self.spans:
            if span.status == _WELL:
                if first is not None and last is not None:
                    found.append((first, last, span))
                first = last = None
            elif span.status != _UNSURE:
                first, last = first or span, span
        if first is not None and last is not None:
            found.append((first, last, None))
        return found


def course_of(items: Iterable[Item], since: int) -> Course:
    """Return what follows from the items of a domain in the order of time.

    Parameters
    ----------
    items : iterable of Item
    since : int
        Since when the domain is watched, for where there is none.

    Examples
    --------
    >>> day = 86_400_000_000
    >>> seen = [Item(3 * day, "full"), Item(5 * day, "check", "healthy", "dns"), Item(9 * day, "accepted")]
    >>> course = course_of(seen, 0)
    >>> [(span.status, span.begin // day) for span in course.spans]
    [('full', 3), ('healthy', 9)]
    """
    course = Course([])
    accepted = full = None
    said: str | None = None
    for item in items:
        if item.kind == "accepted":
            accepted, full, course.failed_at = item.moment, None, None
            _add(course, item.moment, _WELL, "history")
        elif item.kind == "full":
            full = item.moment
            _add(course, item.moment, "full", "history")
        elif item.kind in {"failed", "unreached"}:
            course.failed_at = item.moment
            _doubt(course, item)
        else:
            course.checked_at = item.moment
            if item.status != said:
                said, course.same_since = item.status, item.moment
            answered = accepted is not None and item.moment - accepted <= _RECENT
            # own mail answers for it; what the check knew of own mail is in the items already
            if item.basis != "history" and not (answered and full is None and course.failed_at is None):
                _judge(course, item, full)
    if not course.spans:
        _add(course, since, _UNSURE, None)
    return course


def _doubt(course: Course, item: Item) -> None:
    """Take in that something was wrong with the whole domain: nobody knows whether it still takes mail."""
    now = course.spans[-1] if course.spans else None
    if now is not None and now.status not in {_WELL, _UNSURE}:
        course.spans[-1] = replace(now, last_seen=item.moment)
    elif item.kind == "unreached":
        _add(course, item.moment, _UNSURE, "history")
    elif now is None or now.status == _UNSURE or now.basis == "history":
        _add(course, item.moment, _UNSURE, None)


def _judge(course: Course, item: Item, full: int | None) -> None:
    """Add what a check found, where it could have seen what there was before."""
    status = item.status or _UNSURE
    before = course.spans[-1] if course.spans else None
    known = before is not None and before.status != _UNSURE
    if status == _UNSURE and known:
        return
    if status == _WELL and before is not None and before.status != _WELL:
        unseen = item.basis in _NAMES and before.basis not in {*_NAMES, None}
        if unseen and not known:
            _add(course, item.moment, _UNSURE, before.basis, item)
        if unseen or (known and full is not None and item.moment - full <= _RECENT):
            return
    _add(course, item.moment, status, item.basis, item)


def _add(course: Course, moment: int, status: str, basis: str | None, told: Item | None = None) -> None:
    """Begin a state, or go on with the one that lasts."""
    last = course.spans[-1] if course.spans else None
    if last is not None and last.status == status:
        if status == _UNSURE:  # what a check said of it is all that is known
            told = told or last.told
        course.spans[-1] = replace(last, basis=basis or last.basis, last_seen=moment, told=told)
        return
    if last is not None:
        course.spans[-1] = replace(last, until=moment)
    course.spans.append(Span(status, basis, moment, None, moment, told))
