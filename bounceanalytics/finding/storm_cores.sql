-- Finish: hours of a storm that follow one another are one, also across an hour in which too little was sent to tell.
-- Tables: hour_counts, places, raised (hours in which more is invalid than usual, and which are a storm). Parameter: edge
-- hours.

CREATE OR REPLACE TEMP TABLE cores AS
WITH flagged AS (FROM raised WHERE storm),
struck AS (
    SELECT 'unknown_users' AS kind, place, hour, min(first_hit) AS first, max(last_hit) AS last
    FROM hour_counts
    JOIN places USING (mailbox)
    WHERE first_hit IS NOT NULL AND place IN (SELECT place FROM flagged)
    GROUP BY place, hour
    UNION ALL
    SELECT 'everything', provider, hour, min(first_bounce), max(last_bounce)
    FROM hour_counts
    WHERE first_bounce IS NOT NULL AND provider IN (SELECT place FROM flagged)
    GROUP BY provider, hour
),
islands AS (
    SELECT *, count(*) FILTER (begins) OVER (PARTITION BY kind, place ORDER BY hour) AS island
    FROM (
        SELECT
            *,
            coalesce(
                hour - lag(hour) OVER (PARTITION BY kind, place ORDER BY hour) > to_hours(2 * $edge), true
            ) AS begins
        FROM flagged
    )
)
SELECT kind, place, island, min(p_value) AS p_value, min(first) AS first, max(last) AS last
FROM islands
JOIN struck USING (kind, place, hour)
GROUP BY kind, place, island;
