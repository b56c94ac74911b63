"""Likely spam traps: addresses that refused mail for over a year and then took it.

Mailbox providers refuse mail to abandoned mailboxes for a long time before they turn some into traps, which take
everything and read nothing. An address that was opened or clicked since it takes mail again is not one of them.

Recycled traps: https://faq.oximailing.com/index.php?lang=en&action=artikel&cat=16&id=122&artlang=en
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounceanalytics.finding.recovery import gather_episodes
from bounceanalytics.history.responses import gather_responses

if TYPE_CHECKING:
    from bounceanalytics.history import History

#: Silence after which an address that takes mail again may have become a spam trap: providers refuse mail to abandoned
#: mailboxes for six to twelve months and more before they make traps of them.
TRAP_DAYS = 365

_SUSPICION = """SELECT address FROM responses GROUP BY address
HAVING max(moment) FILTER (accepted) - min(moment) FILTER (NOT accepted) > to_days($days) LIMIT 1"""


def gather_traps(history: History, late_bounce_hours: int) -> None:
    """Make the table ``traps``: the addresses that may be spam traps.

    ``address`` (its number), ``silent_from`` (its first response that it is invalid since it last took mail) and
    ``accepted_again`` (the delivery after that, more than 365 days later).
    """
    gather_responses(history, late_bounce_hours)
    if any(history.collect(_suspicious)):
        gather_episodes(history, late_bounce_hours)
        history.run("finding", "traps", days=TRAP_DAYS)
    else:  # nearly always, and episodes take a while
        history.run("finding", "no_traps")


def _suspicious(history: History) -> bool:
    return bool(len(history.table(_SUSPICION, days=TRAP_DAYS)))
