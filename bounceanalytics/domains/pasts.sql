-- When each domain last took mail, what it said of a full mail system since, and what else went wrong with all of it. Table:
-- responses; view: events. Parameter: troubles, reasons that speak of a domain.

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
    max(moment) FILTER (reason = 'system_full' AND moment > coalesce(last_accepted, TIMESTAMP '-infinity')) AS last_full,
    count(*) FILTER (reason IN $troubles AND moment > last_accepted) AS troubles
FROM placed
LEFT JOIN accepted USING (domain)
GROUP BY placed.domain
HAVING last_accepted IS NOT NULL OR full_bounces > 0
