-- When each domain last took mail, and what it said of a full mail system since. Table: responses; view: events.

WITH placed AS (
    SELECT events.domain AS domain, responses.moment AS moment, responses.accepted AS accepted, responses.reason AS reason
    FROM responses
    JOIN events USING (row)
),
accepted AS (
    SELECT domain, max(moment) AS last_accepted
    FROM placed
    WHERE accepted
    GROUP BY domain
)
SELECT
    placed.domain AS domain,
    any_value(last_accepted) AS last_accepted,
    count(*) FILTER (reason = 'system_full' AND moment > coalesce(last_accepted, TIMESTAMP '-infinity')) AS full_bounces,
    max(moment) FILTER (reason = 'system_full' AND moment > coalesce(last_accepted, TIMESTAMP '-infinity')) AS last_full
FROM placed
LEFT JOIN accepted USING (domain)
GROUP BY placed.domain
HAVING last_accepted IS NOT NULL OR full_bounces > 0
