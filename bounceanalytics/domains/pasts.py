"""Own history of domains: when each last took mail, and whether bounces since speak of the whole domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from bounceanalytics.database import read_sql
from bounceanalytics.history import History
from bounceanalytics.history.responses import gather_responses

if TYPE_CHECKING:
    from bounceanalytics.datasets import Frame

#: Days for which what a domain did says how it is.
RECENT_DAYS = 30
#: Hours within which a delivery may come back, and is none then.
LATE_BOUNCE_HOURS = 120
#: Reasons of bounces that speak of the whole domain: after one of these it is asked, whatever it took before.
_TROUBLES = ("bad_domain", "dns_failure", "network")


@dataclass(frozen=True, slots=True)
class Past:
    """What own mail to a domain has shown.

    Attributes
    ----------
    last_accepted : pandas.Timestamp, optional
        When it last took mail.
    full_bounces : int
        Times that it has called its mail system full since.
    last_full : pandas.Timestamp, optional
        The last of them.
    failed_since : bool
        Whether something else has been wrong with the whole domain since.
    """

    last_accepted: pd.Timestamp | None = None
    full_bounces: int = 0
    last_full: pd.Timestamp | None = None
    failed_since: bool = False

    def accepts(self, at: pd.Timestamp) -> bool:
        """Return whether it took mail lately, and nothing of the whole domain has failed since."""
        return _recent(self.last_accepted, at) and not self.full_bounces and not self.failed_since

    def is_full(self, at: pd.Timestamp) -> bool:
        """Return whether it called itself full lately, and has taken no mail since."""
        return _recent(self.last_full, at)


def pasts_of(bounces: Frame | History | None) -> dict[str, Past]:
    """Return what is known of each domain of a classified frame; nothing without one.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one, optional

    Raises
    ------
    FrameError
        If columns are missing or hold something else than a classified frame does.
    """
    if bounces is None:
        return {}
    with History.open(bounces) as history:
        gather_responses(history, LATE_BOUNCE_HOURS)
        found = history.query(read_sql("domains", "pasts"), troubles=_TROUBLES)
    columns = (
        found[name].tolist() for name in ("domain", "last_accepted", "full_bounces", "last_full", "troubles")
    )
    return {
        domain: Past(_time(accepted), full, _time(last_full), troubles > 0)
        for domain, accepted, full, last_full, troubles in zip(*columns, strict=True)
    }


def _recent(moment: pd.Timestamp | None, at: pd.Timestamp) -> bool:
    # a little later is as good: the clock of who wrote the export may be ahead; much later, it is wrong
    return moment is not None and abs(at - moment) <= pd.Timedelta(days=RECENT_DAYS)


def _time(value: pd.Timestamp) -> pd.Timestamp | None:
    return None if pd.isna(value) else value
