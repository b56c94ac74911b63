-- Finish: runs of hours in which a mailbox provider, or a domain of its own, took next to nothing of what was sent to it, and
-- what is usual there. Table: refusal_hours. Parameters: nearly, the share refused; least, messages; compared, messages without
-- which there is nothing usual; mostly, a usual share at which it is no news.

CREATE OR REPLACE TEMP TABLE refusals AS
WITH hours AS (
    SELECT
        mailbox,
        hour,
        sum(tried)::BIGINT AS tried,
        sum(refused)::BIGINT AS refused,
        sum(refused) >= $nearly * sum(tried) AS broken
    FROM refusal_hours
    GROUP BY mailbox, hour
),
runs AS (
    SELECT *, count(*) FILTER (turns) OVER (PARTITION BY mailbox ORDER BY hour) AS run
    FROM (SELECT *, broken IS DISTINCT FROM lag(broken) OVER (PARTITION BY mailbox ORDER BY hour) AS turns FROM hours)
),
found AS (
    SELECT mailbox, min(hour) AS first_hour, max(hour) AS last_hour, sum(tried) AS tried, sum(refused) AS refused
    FROM runs
    WHERE broken
    GROUP BY mailbox, run
    HAVING sum(tried) >= $least
),
calm AS (
    SELECT mailbox, sum(hours.tried) AS tried, sum(hours.refused) AS refused
    FROM hours
    WHERE NOT EXISTS (
        SELECT 1 FROM found WHERE found.mailbox = hours.mailbox AND hours.hour BETWEEN first_hour AND last_hour
    )
    GROUP BY mailbox
),
-- a large provider that was never mailed before is held against the others; a domain of its own may have been closed long ago
usual AS (
    SELECT
        found.*,
        CASE
            WHEN calm.tried >= $compared THEN calm.refused / calm.tried
            WHEN NOT starts_with(found.mailbox, '@') AND every.tried >= $compared THEN every.refused / every.tried
        END AS usual_share
    FROM found
    LEFT JOIN calm USING (mailbox)
    CROSS JOIN (SELECT sum(tried) AS tried, sum(refused) AS refused FROM calm) AS every
)
SELECT * FROM usual WHERE usual_share <= $mostly;
