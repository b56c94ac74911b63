-- Count: of how many it was said in each storm, and what became of them. Tables: windows, attempts, responses.
-- Parameter: stale hours.

CREATE OR REPLACE TEMP TABLE storm_counts AS
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
        bool_or(event <> 'opened' AND event <> 'clicked' AND moment > finish + to_hours($stale)) AS tried
    FROM inside
    JOIN responses USING (address)
    WHERE struck AND moment > finish
    GROUP BY storm, address
),
counts AS (
    SELECT
        storm,
        count(*) AS attempts,
        count(*) FILTER (struck) AS addresses,
        (sum(hits) FILTER (struck))::BIGINT AS hits,
        count(*) FILTER (struck AND proven) AS accepted_before,
        count(*) FILTER (struck AND later.accepted) AS recovered,
        count(*) FILTER (struck AND (later.tried OR later.accepted)) AS retried
    FROM inside
    LEFT JOIN later USING (storm, address)
    GROUP BY storm
),
alive AS (
    SELECT storm, bool_or(moment > finish + to_hours($stale)) AS alive
    FROM windows
    JOIN responses ON responses.mailbox = windows.place
    WHERE event = 'delivered'
    GROUP BY storm
)
SELECT windows.storm, counts.* EXCLUDE (storm), alive, (SELECT max(moment) FROM responses) AS ended
FROM windows
LEFT JOIN counts USING (storm)
LEFT JOIN alive USING (storm);
