-- Finish: an account of each storm. What went on was no storm and is left out.
-- Tables: windows, storm_counts, mailbox_hours, sender_hours, raised. Parameters: stale hours, closed days.

WITH counts AS (
    SELECT
        storm,
        sum(attempts)::BIGINT AS attempts,
        sum(addresses)::BIGINT AS addresses,
        sum(hits)::BIGINT AS hits,
        sum(accepted_before)::BIGINT AS accepted_before,
        sum(recovered)::BIGINT AS recovered,
        sum(retried)::BIGINT AS retried,
        bool_or(alive) AS alive,
        max(ended) AS ended
    FROM storm_counts
    GROUP BY storm
),
usual AS (
    SELECT kind, place, sum(hits) / sum(tried) AS usual_share
    FROM (
        SELECT 'unknown_users' AS kind, mailbox AS place, hour, hits, tried FROM mailbox_hours
        UNION ALL
        SELECT 'everything', provider, hour, bounced, tried FROM sender_hours WHERE covered
    )
    ANTI JOIN (FROM raised WHERE storm) AS flagged USING (kind, place, hour)
    GROUP BY kind, place
)
SELECT
    kind,
    CASE kind WHEN 'everything' THEN place END AS provider,
    CASE WHEN kind <> 'everything' THEN CASE WHEN place LIKE '@%' THEN 'other' ELSE place END END AS mailbox_provider,
    CASE WHEN place LIKE '@%' THEN place[2:] END AS domain,
    start,
    finish AS end,
    hits,
    addresses,
    attempts,
    addresses / attempts AS share,
    usual_share,
    accepted_before,
    recovered,
    p_value
FROM windows
JOIN counts USING (storm)
LEFT JOIN usual USING (kind, place)
WHERE
    kind = 'everything'
    OR (
        -- most were tried again, and are as invalid as they were
        NOT (2 * retried >= addresses AND 10 * recovered <= retried)
        -- a firm's own domain where nobody has taken mail at a later mailing
        AND (place NOT LIKE '@%' OR coalesce(alive, false) OR ended < finish + to_days($closed))
    )
ORDER BY start, kind, place
