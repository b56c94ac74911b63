"""Server responses by address and time: the common ground of verdicts, storms and recovery."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

from bounceanalytics.errors import FrameError

if TYPE_CHECKING:
    from bounceanalytics.history.history import History

#: Responses that call a recipient invalid. A domain counts: when the resolver of the ESP fails, all are "bad".
INVALID_REASONS = ("unknown_user", "mailbox_disabled", "moved", "bad_domain")

#: Reasons with which nobody answered: the sender's own server gave up.
UNANSWERED_REASONS = ("expired", "network", "dns_failure")

#: The columns that responses are made of.
RESPONSE_COLUMNS = (
    "provider",
    "event",
    "recipient",
    "domain",
    "timestamp",
    "message_id",
    "bounce_type",
    "reason",
    "action",
    "mailbox_provider",
)


#: A hundred years.
_MOST_HOURS = 876_000


def checked_hours(hours: object) -> int:
    """Return ``late_bounce_hours`` as a whole number.

    Raises
    ------
    FrameError
        If it is none, or none that a mail can take.
    """
    if type(hours) is not bool and isinstance(hours, Real):
        number = float(hours)
        if number.is_integer() and 0 <= number <= _MOST_HOURS:
            return int(number)
    raise FrameError(
        f"late_bounce_hours is {str(hours)[:40]}; it must be a whole number of hours, from 0 to {_MOST_HOURS:,}"
    )


def gather_responses(history: History, late_bounce_hours: int) -> None:
    """Make the table ``responses``: dated bounces and activity, with the addresses numbered.

    Raises
    ------
    FrameError
        If a column is missing, or holds something else than it does in a classified frame.
    """

    def make() -> None:
        history.gather(RESPONSE_COLUMNS)
        history.number_addresses()
        history.mailboxes()
        history.count("history", "covered_counts", "covered_counts")
        history.finish("history", "covered", "covered")
        history.run("history", "responses", invalid=INVALID_REASONS, late=int(late_bounce_hours))

    history.once("responses", make, key=late_bounce_hours)
