-- What a policy would have come to: one row. Tables: counting.sql, facts, deliveries (address, timestamp), bounced (address,
-- timestamp).

WITH removed AS (
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
