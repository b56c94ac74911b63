-- Count: proven addresses that are invalid next to a storm belong to it. Tables: attempts, places, cores, raised.
-- Parameter: edge hours.

CREATE OR REPLACE TEMP TABLE edges AS
WITH struck AS (
    SELECT 'unknown_users' AS kind, place, hour, moment
    FROM attempts
    JOIN places USING (mailbox)
    WHERE hit AND proven AND place IN (SELECT place FROM cores)
    UNION ALL
    SELECT 'everything', provider, hour, moment
    FROM attempts
    WHERE bounced AND accepted_at IS NOT NULL AND provider IN (SELECT place FROM cores)
)
SELECT cores.kind, cores.place, island, min(moment) AS first, max(moment) AS last
FROM cores
JOIN (FROM struck SEMI JOIN raised USING (kind, place, hour)) AS struck
    ON struck.kind = cores.kind
    AND struck.place = cores.place
    AND struck.moment BETWEEN cores.first - to_hours($edge) AND cores.last + to_hours($edge)
GROUP BY cores.kind, cores.place, island;
