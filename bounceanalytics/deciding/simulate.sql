-- A history and the lines of a policy in, what the policy would have come to out: one row.
-- Tables: evidence.sql, life.sql; lines (Policy.lines()), deliveries (address, timestamp), bounced (address, timestamp).
-- Nothing without a time takes part: it has no place in a replay.

WITH dated AS (
    SELECT address, timestamp, kind, line, rank, weight, by_delivered, by_opened, by_clicked
    FROM failures
    JOIN lines USING (kind, reason, action, conflict, storm)
    WHERE timestamp IS NOT NULL AND (remove_after IS NOT NULL OR hold_after IS NOT NULL)
),

-- The last sign of life that the line takes for one, up to each failure: what lies between two makes an epoch.
placed AS (
    SELECT
        dated.*,
        CASE
            WHEN kind IN ('complained', 'unsubscribed') THEN NULL
            ELSE greatest(
                CASE WHEN by_delivered THEN delivered.timestamp END,
                CASE WHEN by_opened THEN opened.timestamp END,
                CASE WHEN by_clicked THEN clicked.timestamp END
            )
        END AS epoch
    FROM dated
    ASOF LEFT JOIN (FROM life WHERE event = 'delivered') AS delivered
        ON delivered.address = dated.address AND delivered.timestamp <= dated.timestamp
    ASOF LEFT JOIN (FROM life WHERE event = 'opened') AS opened
        ON opened.address = dated.address AND opened.timestamp <= dated.timestamp
    ASOF LEFT JOIN (FROM life WHERE event = 'clicked') AS clicked
        ON clicked.address = dated.address AND clicked.timestamp <= dated.timestamp
),

standing AS (
    SELECT address, line, any_value(rank) AS rank, timestamp, max(weight) AS weight, epoch
    FROM placed
    GROUP BY address, line, timestamp, epoch
),

-- {counting}: what failures add up to on each of their days

removed AS (
    SELECT
        address,
        min(last_moment) AS removed_at,
        arg_min(line, (last_moment, rank)) IN ('complained', 'unsubscribed') AS wished
    FROM reached
    WHERE removes
    GROUP BY address
),

lost AS (
    SELECT count(DISTINCT address) AS addresses, count(*) AS messages
    FROM removed
    JOIN deliveries USING (address)
    WHERE NOT wished AND deliveries.timestamp > removed_at
),

avoided AS (
    SELECT count(*) AS messages
    FROM removed
    JOIN bounced USING (address)
    WHERE bounced.timestamp > removed_at
)

SELECT
    (SELECT count(*) FROM facts) AS addresses,
    (SELECT count(*) FROM removed) AS removed,
    (SELECT count(*) FROM removed WHERE wished) AS wished,
    (SELECT count(DISTINCT address) FROM reached WHERE holds AND address NOT IN (SELECT address FROM removed)) AS held,
    lost.addresses AS wrongly_removed,
    lost.messages AS deliveries_lost,
    (SELECT count(*) FROM bounced) AS bounced,
    avoided.messages AS bounces_avoided
FROM lost, avoided
