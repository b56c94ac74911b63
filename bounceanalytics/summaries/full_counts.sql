-- Answers "mail system full" by domain. Table: sending.

CREATE OR REPLACE TEMP TABLE full_counts AS
WITH messages AS (
    SELECT
        domain::VARCHAR AS domain,
        address,
        coalesce(message, hash(rowid)) AS message,
        min(moment) AS first_at,
        max(moment) AS last_at,
        coalesce(bool_or(bounce_type = 'hard'), false) AS permanent,
        max(moment) FILTER (bounce_type = 'hard') AS last_permanent
    FROM sending
    WHERE reason = 'system_full' AND outcome IN ('bounced', 'pending')
    GROUP BY ALL
)
SELECT
    domain,
    min(first_at) AS first_seen,
    max(last_at) AS last_seen,
    max(last_permanent) AS last_permanent,
    count(DISTINCT address) AS addresses,
    count(*) AS bounces,
    count(*) FILTER (permanent) AS permanent
FROM messages
GROUP BY domain;
