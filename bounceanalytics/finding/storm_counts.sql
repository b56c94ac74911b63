-- Count: of how many it was said in each storm, and what became of them. Tables: windows, attempts, responses, places.
-- Parameter: stale hours.

CREATE OR REPLACE TEMP TABLE storm_counts AS
WITH looked_at AS (
    SELECT storm, finish, address, hit AS struck, attempts.hits, accepted_at
    FROM windows
    JOIN places USING (place)
    JOIN attempts ON attempts.mailbox = places.mailbox AND attempts.moment BETWEEN windows.start AND finish
    WHERE kind = 'unknown_users'
    UNION ALL
    SELECT storm, finish, address, bounced, removals, accepted_at
    FROM windows
    JOIN attempts ON attempts.provider = windows.place AND attempts.moment BETWEEN windows.start AND finish
    WHERE kind = 'everything'
),
inside AS (
    SELECT
        storm,
        finish,
        address,
        bool_or(struck) AS struck,
        sum(hits) AS hits,
        bool_or(accepted_at IS NOT NULL) AS proven
    FROM looked_at
    GROUP BY storm, finish, address
),
later AS (
    -- what the ESP drops was not tried, and where nobody answered nothing was learned
    SELECT
        storm,
        address,
        bool_or(accepted) AS accepted,
        bool_or((event = 'delivered' OR invalid) AND moment > finish + to_hours($stale)) AS tried
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
)
SELECT windows.storm, counts.* EXCLUDE (storm)
FROM windows
LEFT JOIN counts USING (storm);
