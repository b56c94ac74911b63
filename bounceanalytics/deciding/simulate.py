"""Replay of a history under other policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from bounceanalytics.database import read_sql
from bounceanalytics.deciding.gathering import (
    checked_policy,
    gather_activity,
    gather_evidence,
    register_lines,
)
from bounceanalytics.deciding.policy import Policy, presets
from bounceanalytics.errors import PolicyError
from bounceanalytics.history import History
from bounceanalytics.schema import OUTCOME_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounceanalytics.datasets import Frame


def compare_policies(
    bounces: Frame | History, policies: Sequence[Policy | str] | None = None
) -> pd.DataFrame:
    """Replay a history under several policies: who would have been removed, and who of them took mail later.

    Parameters
    ----------
    bounces : pandas.DataFrame, Dataset or path of one
        Classified events with times. Those without one have no place in a replay and are passed over.
    policies : sequence of Policy or str, optional
        Policies, or names of presets; all presets if not given.

    Returns
    -------
    pandas.DataFrame
        One row per policy, in the order asked for.

        =================== ========================================================================================
        ``policy``          string: name of the policy
        ``addresses``       int64: addresses in the history
        ``removed``         int64: addresses that the policy would have removed at some time
        ``wished``          int64: of these, for a complaint or an unsubscribe
        ``held``            int64: held at some time and never removed
        ``wrongly_removed`` int64: removed for bounces, and then took mail after all
        ``deliveries_lost`` int64: how many messages these took
        ``bounced``         int64: all bounces
        ``bounces_avoided`` int64: those after the removal of their address
        ``wrong_share``     float64: wrongly removed of all that were removed for bounces (0-1); missing where there
                            were none
        ``avoided_share``   float64: bounces avoided of all (0-1); missing where there were none
        =================== ========================================================================================

    Raises
    ------
    FrameError
        If columns are missing or hold something else than a classified frame does.
    PolicyError
        If there is no such policy, or two have the same name.

    See Also
    --------
    charts.policies : The trade-off as a chart.

    Notes
    -----
    The history is what happened under the policy that was in force. Where the ESP or the sender had stopped mailing an
    address, nobody knows whether it would have taken mail again, so wrong removals are counted too low there, for
    every policy alike. Holds end no delivery in this replay.

    Examples
    --------
    >>> from bounceanalytics import schema
    >>> nothing = schema.BOUNCE_COLUMNS.empty()
    >>> compare_policies(nothing, ["default", "klaviyo"])[["policy", "removed"]].values.tolist()
    [['default', 0], ['klaviyo', 0]]
    """
    wanted = list(presets().values()) if policies is None else [_policy(one) for one in policies]
    repeated = {one.name for one in wanted if [other.name for other in wanted].count(one.name) > 1}
    if repeated:
        raise PolicyError(f"{len(repeated)} names stand for several policies: {', '.join(sorted(repeated))}")
    if not wanted:
        raise PolicyError("no policy is given; leave policies out for all presets")
    rows = []
    with History.open(bounces) as history:

        def outcomes() -> None:
            history.run("deciding", "outcomes")

        gather_evidence(history, wanted[0].late_bounce_hours)
        for policy in wanted:
            gather_activity(history, policy.late_bounce_hours)
            history.once("outcomes", outcomes, key=policy.late_bounce_hours)
            register_lines(history, policy)
            history.run("deciding", "replay")
            history.run("deciding", "counting")
            # an address lies in one part of a history, and all of these are counts
            rows.append(pd.DataFrame(history.collect(_outcome)).sum())
    table = pd.DataFrame(rows).reset_index(drop=True).assign(policy=[one.name for one in wanted])
    for_bounces = table["removed"] - table["wished"]
    shares = table.assign(
        wrong_share=table["wrongly_removed"] / for_bounces.where(for_bounces > 0),
        avoided_share=table["bounces_avoided"] / table["bounced"].where(table["bounced"] > 0),
    )
    return OUTCOME_COLUMNS.frame(shares)


def _outcome(history: History) -> dict[str, int]:
    return dict(history.table(read_sql("deciding", "simulate")).to_pylist()[0])


def _policy(one: Policy | str) -> Policy:
    return Policy.preset(one) if isinstance(one, str) else checked_policy(one)
