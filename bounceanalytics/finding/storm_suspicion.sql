-- Finish: is there an hour in which clearly more is invalid at a mailbox than at other times, or in which most of an ESP
-- bounced? A storm is far more than that; what stands out so little here is not one. Tables: tried_hours, bounced_hours.
-- Parameters: least invalid; most, up to which a share is usual; tried at an ESP, and nearly all of them bounced.

WITH hours AS (
    SELECT mailbox, hour, sum(tried) AS tried, sum(invalid) AS invalid
    FROM tried_hours
    GROUP BY mailbox, hour
),
compared AS (
    SELECT
        invalid,
        tried,
        -- at other times, which may hold other hours of the storm
        least(coalesce((sum(invalid) OVER same - invalid) / nullif(sum(tried) OVER same - tried, 0), 0), $most) AS usual
    FROM hours
    WINDOW same AS (PARTITION BY mailbox)
    QUALIFY invalid >= $least
)
SELECT
    EXISTS (FROM compared WHERE invalid > tried * usual + 4 * sqrt(tried * usual) + 2)
    OR EXISTS (
        SELECT provider
        FROM bounced_hours
        GROUP BY provider, hour
        HAVING sum(bounced) >= $tried AND sum(removals) >= $least AND sum(bounced) >= $nearly * sum(tried)
    )
