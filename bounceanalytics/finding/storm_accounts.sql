-- What was said in each storm, and what became of those of whom it was said. What went on was no storm and is left out.
-- Tables: windows, attempts, answers, mailbox_hours, sender_hours; view: flagged. Placeholders: {stale} hours, {closed} days.

WITH inside AS (
    SELECT
        storm,
        finish,
        address,
        bool_or(CASE kind WHEN 'everything' THEN bounced ELSE hit END) AS struck,
        sum(CASE kind WHEN 'everything' THEN removals ELSE hits END) AS hits,
        bool_or(accepted_at IS NOT NULL) AS proven
    FROM windows
    JOIN attempts
        ON windows.place = CASE kind WHEN 'everything' THEN provider ELSE mailbox END
        AND attempts.moment BETWEEN windows.start AND finish
    GROUP BY storm, finish, address
),
later AS (
    SELECT
        storm,
        address,
        bool_or(accepted) AS accepted,
        bool_or(event <> 'opened' AND event <> 'clicked' AND moment > finish + to_hours({stale})) AS tried
    FROM inside
    JOIN answers USING (address)
    WHERE struck AND moment > finish
    GROUP BY storm, address
),
counts AS (
    SELECT
        storm,
        count(*) AS attempts,
        count(*) FILTER (struck) AS addresses,
        sum(hits) FILTER (struck) AS hits,
        count(*) FILTER (struck AND proven) AS accepted_before,
        count(*) FILTER (struck AND later.accepted) AS recovered,
        count(*) FILTER (struck AND (later.tried OR later.accepted)) AS retried
    FROM inside
    LEFT JOIN later USING (storm, address)
    GROUP BY storm
),
usual AS (
    SELECT kind, place, sum(hits) / sum(tried) AS usual_share
    FROM (
        SELECT 'unknown_users' AS kind, mailbox AS place, hour, hits, tried FROM mailbox_hours
        UNION ALL
        SELECT 'everything', provider, hour, bounced, tried FROM sender_hours WHERE covered
    )
    ANTI JOIN flagged USING (kind, place, hour)
    GROUP BY kind, place
),
alive AS (
    SELECT storm, bool_or(moment > finish + to_hours({stale})) AS alive
    FROM windows
    JOIN answers ON answers.mailbox = windows.place
    WHERE event = 'delivered'
    GROUP BY storm
),
ended AS (SELECT max(moment) AS ended FROM answers)
SELECT
    kind,
    CASE kind WHEN 'everything' THEN place END AS provider,
    CASE WHEN kind <> 'everything' THEN CASE WHEN place LIKE '@%' THEN 'other' ELSE place END END AS mailbox_provider,
    CASE WHEN place LIKE '@%' THEN place[2:] END AS domain,
    start,
    finish AS end,
    hits::BIGINT AS hits,
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
LEFT JOIN alive USING (storm)
CROSS JOIN ended
WHERE
    kind = 'everything'
    OR (
        -- most were tried again, and are as gone as they were
        NOT (2 * retried >= addresses AND 10 * recovered <= retried)
        -- a firm's own domain where nobody has taken mail at a later mailing
        AND (place NOT LIKE '@%' OR coalesce(alive, false) OR ended < finish + to_days({closed}))
    )
ORDER BY start, kind, place
