-- Hours of a storm that follow one another are one, also across an hour in which too little was sent to tell; proven
-- addresses that are gone next to it belong to it. Tables: attempts; views: flagged, raised. Placeholder: {edge} hours.

CREATE OR REPLACE TEMP TABLE windows AS
WITH struck AS (
    SELECT mailbox AS place, hour, moment, last_moment, accepted_at IS NOT NULL AS proven
    FROM attempts
    WHERE hit AND NOT stale AND mailbox IN (SELECT place FROM flagged)
    UNION ALL
    SELECT provider, hour, moment, last_moment, accepted_at IS NOT NULL
    FROM attempts
    WHERE bounced AND provider IN (SELECT place FROM flagged WHERE kind = 'everything')
),
islands AS (
    SELECT *, count(*) FILTER (begins) OVER (PARTITION BY kind, place ORDER BY hour) AS island
    FROM (
        SELECT
            *,
            coalesce(
                hour - lag(hour) OVER (PARTITION BY kind, place ORDER BY hour) > to_hours(2 * {edge}), true
            ) AS begins
        FROM flagged
    )
),
cores AS (
    SELECT kind, place, island, min(p_value) AS p_value, min(moment) AS first, max(last_moment) AS last
    FROM islands
    JOIN struck USING (place, hour)
    GROUP BY kind, place, island
)
SELECT
    row_number() OVER (ORDER BY first, kind, cores.place) AS storm,
    kind,
    cores.place,
    p_value,
    least(first, min(moment)) AS start,
    greatest(last, max(moment)) AS finish
FROM cores
LEFT JOIN (SELECT struck.* FROM struck SEMI JOIN raised USING (place, hour)) AS struck
    ON struck.place = cores.place
    AND struck.proven
    AND struck.moment BETWEEN first - to_hours({edge}) AND last + to_hours({edge})
GROUP BY kind, cores.place, island, p_value, first, last;
