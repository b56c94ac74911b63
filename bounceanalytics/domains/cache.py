"""Facts of domains in a file: what is known is not asked for again, and what was missing an hour ago is remembered."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bounceanalytics.domains.facts import Answers, Facts, Greeting, Host, Registration
from bounceanalytics.domains.known_hosts import known_hosts, said
from bounceanalytics.domains.states import is_certain
from bounceanalytics.errors import SourceError
from bounceanalytics.sqlite_file import FileKind, SqliteFile

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

#: The number in the header spells "bncd".
_KIND = FileKind("cache of domains", 0x626E6364, 1, ("domains", "cache"))

#: How long what nobody could tell for certain counts as told.
UNCERTAIN = timedelta(minutes=10)
#: How far apart a resolver must say twice that a domain does not exist, and how long the first time counts.
APART, FORGOTTEN = timedelta(hours=1), timedelta(days=7)
#: Domains that one query asks for.
_BATCH = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DomainCache(SqliteFile):
    """A cache of domains, in one SQLite file.

    Parameters
    ----------
    path : path
        Made if it is not there; ``:memory:`` for none.

    Raises
    ------
    SourceError
        If the file is no such cache, or cannot be opened.

    Examples
    --------
    >>> now = datetime(2026, 11, 30, tzinfo=UTC)
    >>> with DomainCache(":memory:") as cache:
    ...     cache.write({"example.com": Facts(Answers("example.com", "NXDOMAIN"), checked_at=now)}, "dns")
    ...     again = Facts(Answers("example.com", "NXDOMAIN"), checked_at=now + timedelta(hours=2))
    ...     cache.confirmed(again).answers.confirmed
    True
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path, _KIND)

    def read(
        self, domains: Sequence[str], means: Iterable[str], *, at: datetime, max_age: timedelta
    ) -> dict[str, Facts]:
        """Return the facts of those domains that were found out by these means, or more, not too long ago.

        Parameters
        ----------
        domains : sequence of str
        means : iterable of str
            Each a text such as ``dns greeting``.
        at : datetime
            The time that counts as now.
        max_age : timedelta
            What is older is asked for again; what is not certain, after ten minutes.
        """
        wanted = list(means)
        oldest = min(max_age, at - _EPOCH)  # what is older has no number
        found: dict[str, Facts] = {}
        for begin in range(0, len(domains), _BATCH):
            names = domains[begin : begin + _BATCH]
            rows = self._execute(
                f"""SELECT domain, facts FROM finished
                    WHERE domain IN ({_marks(names)}) AND means IN ({_marks(wanted)})
                        AND checked_at > iif(certain, ?, ?)
                    ORDER BY checked_at""",
                [*names, *wanted, _number(at - oldest), _number(at - min(oldest, UNCERTAIN))],
            )
            found |= {domain: self._facts(facts) for domain, facts in rows}
        return found

    def write(self, facts: Mapping[str, Facts], means: str) -> None:
        """Keep facts, all of them or none."""
        with self._writing():
            for domain, one in facts.items():
                checked = _number(one.checked_at or _EPOCH)
                self._execute(
                    "INSERT OR REPLACE INTO finished VALUES (?, ?, ?, ?, ?)",
                    [
                        domain,
                        means,
                        checked,
                        int(is_certain(one)),
                        json.dumps(dataclasses.asdict(one), default=str),
                    ],
                )
                self._remember(domain, one, checked)

    def confirmed(self, facts: Facts) -> Facts:
        """Return the facts of a domain that is missing; confirmed if it was missing an hour and more before."""
        answers = facts.answers
        if not is_missing(answers) or answers.confirmed or facts.checked_at is None:
            return facts
        row = self._execute(
            "SELECT first_missing, last_missing FROM missing WHERE domain = ?", [answers.domain]
        ).fetchone()
        at = _number(facts.checked_at)
        if row is None or at - row[0] < _span(APART) or at - row[1] > _span(FORGOTTEN):
            return facts
        return dataclasses.replace(facts, answers=dataclasses.replace(answers, confirmed=True))

    def _remember(self, domain: str, facts: Facts, checked: int) -> None:
        if is_missing(facts.answers):
            self._execute(
                """INSERT INTO missing VALUES (:domain, :at, :at)
                   ON CONFLICT (domain) DO UPDATE SET
                       first_missing = iif(:at - last_missing > :forgotten, :at, first_missing),
                       last_missing = :at""",
                {"domain": domain, "at": checked, "forgotten": _span(FORGOTTEN)},
            )
        elif facts.answers.rcode == "NOERROR":
            self._execute("DELETE FROM missing WHERE domain = ?", [domain])

    def _facts(self, text: str) -> Facts:
        try:
            return _read(json.loads(text))
        except (ValueError, TypeError, KeyError):
            raise SourceError(f"{self.path} is damaged; name a new file") from None


def is_missing(answers: Answers) -> bool:
    """Return whether it is said, by nobody who withholds the truth, that a domain does not exist."""
    known = answers.name_servers or said(known_hosts().withheld, answers.errors)
    return answers.rcode == "NXDOMAIN" and not known


def _read(told: dict[str, Any]) -> Facts:
    """Return facts as they were before they were written down."""
    answers, registration = told["answers"], told["registration"]
    hosts = tuple(Host(**{**host, "addresses": tuple(host["addresses"])}) for host in answers["hosts"])
    answers |= {
        "hosts": hosts,
        "name_servers": tuple(answers["name_servers"]),
        "errors": tuple(answers["errors"]),
    }
    if registration:
        until = registration["until"]
        registration |= {
            "until": datetime.fromisoformat(until) if until else None,
            "states": tuple(registration["states"]),
        }
    return Facts(
        Answers(**answers),
        tuple(Greeting(**greeting) for greeting in told["greetings"]),
        told["closed"],
        Registration(**registration) if registration else None,
        datetime.fromisoformat(told["checked_at"]) if told["checked_at"] else None,
    )


def _number(moment: datetime) -> int:
    return _span(moment - _EPOCH)


def _span(time: timedelta) -> int:
    return time // timedelta(microseconds=1)


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
