-- Evidence and the lines of a policy in; failures that still stand after the last activity out.
-- Tables: evidence.sql, activity.sql; view: policy_lines (Policy.lines()). Addresses are numbers.

CREATE OR REPLACE TEMP TABLE latest AS
-- nearly all activity is deliveries, of which no more than the time is asked
WITH deliveries AS (
    SELECT address, max(timestamp) AS delivered
    FROM activity
    WHERE event = 'delivered'
    GROUP BY address
),

reads AS (
    SELECT
        address,
        max(timestamp) FILTER (event = 'opened') AS opened,
        max(timestamp) FILTER (event = 'clicked') AS clicked,
        arg_max(happened, (timestamp, happened)) FILTER (event = 'opened' AND timestamp IS NOT NULL) AS opened_on,
        arg_max(happened, (timestamp, happened)) FILTER (event = 'clicked' AND timestamp IS NOT NULL) AS clicked_on,
        bool_or(event = 'opened') AS has_opened,
        bool_or(event = 'clicked') AS has_clicked
    FROM activity
    WHERE event IN ('opened', 'clicked')
    GROUP BY address
)

SELECT
    address,
    reads.* EXCLUDE (address) REPLACE (
        coalesce(has_opened, false) AS has_opened, coalesce(has_clicked, false) AS has_clicked
    ),
    delivered,
    deliveries.address IS NOT NULL AS has_delivered
FROM deliveries
FULL JOIN reads USING (address);

-- Where there is a conflict, what is beyond dispute counts in the line of it, too.
CREATE OR REPLACE TEMP TABLE disputed AS
SELECT DISTINCT address, line
FROM failures
JOIN policy_lines USING (kind, reason, action, conflict, storm)
WHERE conflict;

-- The line of the policy that counts a failure, and whether it still stands after the last activity.
CREATE OR REPLACE TEMP TABLE counted AS
SELECT
    failures.*,
    policy_lines.* EXCLUDE (kind, reason, action, conflict, storm),
    greatest(
        CASE WHEN by_delivered THEN delivered END,
        CASE WHEN by_opened THEN opened END,
        CASE WHEN by_clicked THEN clicked END
    ) AS last_active,
    CASE
        WHEN last_active IS NOT NULL AND by_clicked AND last_active = clicked THEN 'clicked'
        WHEN last_active IS NOT NULL AND by_opened AND last_active = opened THEN 'opened'
        WHEN last_active IS NOT NULL THEN 'delivered'
        WHEN by_opened AND has_opened THEN 'opened'
        WHEN by_delivered AND has_delivered THEN 'delivered'
        ELSE 'clicked'
    END AS active_by,
    CASE
        WHEN kind IN ('complained', 'unsubscribed', 'unsubscribed_partly') THEN true
        WHEN timestamp IS NOT NULL THEN coalesce(timestamp >= last_active, true)
        WHEN kind = 'not_tried' OR event = 'suppressed' THEN true
        ELSE NOT coalesce(
            (by_delivered AND has_delivered) OR (by_opened AND has_opened) OR (by_clicked AND has_clicked), false
        )
    END AS stands
FROM failures
JOIN policy_lines USING (kind, reason, action, conflict, storm)
LEFT JOIN latest USING (address)
WHERE
    (NOT beside OR (address, line) IN (FROM disputed))
    AND (permanent_only = 0 OR coalesce(left(enhanced_code, 1) = '5', reply_code >= 500, false));

CREATE OR REPLACE TEMP TABLE standing AS
SELECT address, line, any_value(rank) AS rank, timestamp, max(weight) AS weight, 0 AS epoch
FROM counted
WHERE stands
GROUP BY address, line, timestamp;
