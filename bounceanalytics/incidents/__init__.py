"""Incidents: storms, refusals, blocks, spikes, full mail systems and recoveries, in the order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from bounceanalytics.datasets import Frame
    from bounceanalytics.history import History

__all__ = ["incidents"]


def incidents(bounces: Frame | History) -> pd.DataFrame:
    """Return what happened when, for the marks of :func:`bounceanalytics.charts.days`.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        A classified frame.

    Returns
    -------
    pandas.DataFrame
        One row per incident, in the order of time.

        ============ ===============================================================================================
        ``kind``     category: storm: many good addresses refused at once; block: a mailbox provider began to refuse
                     the sender; spike: one sent back more for good; refusal: one took nothing for a time; full: a
                     domain's mail system was full; recovery: one of these passed
        ``start``    timestamp, UTC: when it began
        ``end``      timestamp, UTC: when it ended; missing where it has no end
        ``name``     string: mailbox provider, domain or ESP
        ``reached``  int64: addresses, of changes messages
        ``title``    string: a few words
        ``sentence`` string: what happened, without addresses
        ============ ===============================================================================================

    Raises
    ------
    FrameError
        If columns are missing.

    See Also
    --------
    bounceanalytics.storms, bounceanalytics.summarize_changes, bounceanalytics.summarize_system_full

    Examples
    --------
    >>> import bounceanalytics as ba
    >>> bounces = ba.classify(ba.load(ba.samples() / "exports" / "ses").events)
    >>> ba.incidents(bounces).columns[0]
    'kind'
    """
    # loaded on use: this function hides its room, so an import of the package brings it at once
    from bounceanalytics.finding.refusals import find_refusals  # noqa: PLC0415
    from bounceanalytics.finding.storms import storms  # noqa: PLC0415
    from bounceanalytics.history import History  # noqa: PLC0415
    from bounceanalytics.incidents.collecting import collect  # noqa: PLC0415
    from bounceanalytics.summaries import summarize  # noqa: PLC0415

    with History.open(bounces) as history:
        return collect(storms(history), summarize(history), find_refusals(history))
