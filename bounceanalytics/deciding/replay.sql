-- A history and the lines of a policy in; every failure that counted at its time out, whether or not the address was active
-- later. Tables: evidence.sql, activity.sql; view: policy_lines (Policy.lines()).
-- Nothing without a time takes part: it has no place in a replay.

CREATE OR REPLACE TEMP TABLE disputed AS
SELECT DISTINCT address, line
FROM failures
JOIN policy_lines USING (kind, reason, action, conflict, storm)
WHERE conflict;

CREATE OR REPLACE TEMP TABLE standing AS
WITH dated AS (
    SELECT address, timestamp, kind, line, rank, weight, by_delivered, by_opened, by_clicked
    FROM failures
    JOIN policy_lines USING (kind, reason, action, conflict, storm)
    WHERE
        timestamp IS NOT NULL
        AND (remove_after IS NOT NULL OR hold_after IS NOT NULL)
        AND (NOT beside OR (address, line) IN (FROM disputed))
        AND (permanent_only = 0 OR coalesce(left(enhanced_code, 1) = '5', reply_code >= 500, false))
),

-- The last activity that the line asks for, up to each failure: the time between two makes an epoch.
placed AS (
    SELECT
        dated.*,
        CASE
            WHEN kind IN ('complained', 'unsubscribed', 'unsubscribed_partly') THEN NULL
            ELSE greatest(
                CASE WHEN by_delivered THEN delivered.timestamp END,
                CASE WHEN by_opened THEN opened.timestamp END,
                CASE WHEN by_clicked THEN clicked.timestamp END
            )
        END AS epoch
    FROM dated
    ASOF LEFT JOIN (FROM activity WHERE event = 'delivered') AS delivered
        ON delivered.address = dated.address AND delivered.timestamp <= dated.timestamp
    ASOF LEFT JOIN (FROM activity WHERE event = 'opened') AS opened
        ON opened.address = dated.address AND opened.timestamp <= dated.timestamp
    ASOF LEFT JOIN (FROM activity WHERE event = 'clicked') AS clicked
        ON clicked.address = dated.address AND clicked.timestamp <= dated.timestamp
)

SELECT address, line, any_value(rank) AS rank, timestamp, max(weight) AS weight, epoch
FROM placed
GROUP BY address, line, timestamp, epoch;
