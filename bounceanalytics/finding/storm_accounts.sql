-- The end: an account of each storm. What went on was no storm and is left out. Tables: windows, storm_counts,
-- mailbox_hours, sender_hours, hour_counts, places, raised. Parameters: retried, share of those refused and number of them
-- of which it must be known; stale hours.

WITH counts AS (
    SELECT
        storm,
        sum(attempts)::BIGINT AS attempts,
        sum(addresses)::BIGINT AS addresses,
        sum(hits)::BIGINT AS hits,
        sum(accepted_before)::BIGINT AS accepted_before,
        sum(recovered)::BIGINT AS recovered,
        sum(retried)::BIGINT AS retried
    FROM storm_counts
    GROUP BY storm
),
usual AS (
    SELECT kind, place, sum(hits) / sum(tried) AS usual_share
    FROM (
        SELECT 'unknown_users' AS kind, place, hour, hits, tried FROM mailbox_hours
        UNION ALL
        SELECT 'everything', provider, hour, bounced, tried FROM sender_hours WHERE covered
    )
    ANTI JOIN (FROM raised WHERE storm) AS flagged USING (kind, place, hour)
    GROUP BY kind, place
),
struck_domains AS (
    SELECT storm, count(DISTINCT mailbox) AS domains
    FROM windows
    JOIN places USING (place)
    JOIN hour_counts USING (mailbox)
    WHERE first_hit <= finish AND last_hit >= start
    GROUP BY storm
),
-- A domain of its own that takes nobody's mail at the next mailing is closed, and so it was before.
firms AS (
    SELECT
        storm,
        sum(hour_counts.hits) FILTER (hour > finish + to_hours($stale)) AS later_hits,
        coalesce(bool_or(tried > bounced AND hour > finish + to_hours($stale)), false) AS alive,
        max(hour) FILTER (tried > bounced AND hour <= start) AS delivered_before
    FROM windows
    JOIN hour_counts ON mailbox = place
    WHERE place LIKE '@%'
    GROUP BY storm
),
closed AS (
    SELECT storm
    FROM windows
    JOIN firms USING (storm)
    WHERE
        (later_hits >= $retried AND NOT alive)
        OR EXISTS (
            FROM windows AS earlier
            WHERE
                earlier.place = windows.place
                AND earlier.finish < windows.start - to_hours($stale)
                AND earlier.finish >= delivered_before
        )
)
SELECT
    kind,
    CASE kind WHEN 'everything' THEN place END AS provider,
    CASE
        WHEN kind = 'everything' THEN NULL
        WHEN place[1] IN ('@', '#', '"') THEN 'other'
        ELSE place
    END AS mailbox_provider,
    CASE WHEN kind <> 'everything' THEN CASE WHEN place[1] IN ('@', '#') THEN place[2:] WHEN place[1] = '"' THEN place END END
        AS domain,
    CASE WHEN place[1] IN ('#', '"') THEN domains END AS domains,
    start,
    finish AS end,
    hits,
    addresses,
    attempts,
    addresses / attempts AS share,
    usual_share,
    accepted_before,
    recovered,
    retried,
    p_value
FROM windows
JOIN counts USING (storm)
LEFT JOIN usual USING (kind, place)
LEFT JOIN struck_domains USING (storm)
WHERE
    kind = 'everything'
    OR NOT (
        storm IN (FROM closed)
        -- enough were tried again, and are as invalid as they were
        OR (
            retried >= least(addresses, greatest($retried, addresses * $retried_share))
            AND 10 * recovered <= retried
        )
    )
ORDER BY start, kind, place
