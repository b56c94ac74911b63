-- Count: in hours that may be a storm, how many of the refusals may be late answers to earlier mail, and how many of those
-- tried, and refused, had opened or clicked. Tables: attempts, responses, places, candidates, quiet. Parameter: engaged days.

CREATE OR REPLACE TEMP TABLE doubts AS
WITH looked_at AS (
    SELECT place, candidates.hour, provider, address, moment, dated, named, hit AS struck
    FROM candidates
    JOIN places USING (place)
    JOIN attempts USING (mailbox, hour)
    WHERE proven AND kind = 'unknown_users'
    UNION ALL
    SELECT place, candidates.hour, provider, address, moment, dated, named, bounced
    FROM candidates
    JOIN attempts ON attempts.provider = candidates.place AND attempts.hour = candidates.hour
    WHERE proven AND kind = 'everything'
),
late AS (
    SELECT place, looked_at.hour, looked_at.address
    FROM looked_at
    JOIN quiet USING (provider, hour)
    -- who had an answer of that time has not waited for another; without ids it may be the same message
    LEFT JOIN attempts AS others
        ON looked_at.named
        AND others.address = looked_at.address
        AND others.hour BETWEEN since AND until
        AND others.hour <> looked_at.hour
    WHERE struck AND NOT looked_at.dated
    GROUP BY ALL
    HAVING count(others.address) = 0
),
engaged AS (
    SELECT DISTINCT place, hour, looked_at.address
    FROM looked_at
    JOIN responses
        ON responses.address = looked_at.address
        AND responses.event IN ('opened', 'clicked')
        AND responses.moment >= looked_at.moment - to_days($engaged)
        AND responses.moment < looked_at.moment
)
SELECT
    place,
    hour,
    count(late.address) AS late,
    count(engaged.address) AS engaged,
    count(engaged.address) FILTER (struck) AS engaged_struck
FROM looked_at
LEFT JOIN late USING (place, hour, address)
LEFT JOIN engaged USING (place, hour, address)
GROUP BY place, hour;
