-- What the attempts at each mailbox provider add up to by the hour. What the export does not cover is left out; what
-- bounced as the relay was broken says nothing about mailbox providers. Tables: attempts, sender_hours; view: broken.
-- Placeholders: {ordinary}, {decay}, {ceiling}.

CREATE OR REPLACE TEMP TABLE mailbox_hours AS
SELECT
    mailbox,
    hour,
    count(*) AS tried,
    count(*) FILTER (attempts.hit) AS hits,
    count(*) FILTER (NOT stale AND accepted_at IS NOT NULL) AS proven,
    count(*) FILTER (NOT stale AND accepted_at IS NOT NULL AND attempts.hit) AS proven_hits,
    coalesce(
        sum(least({ceiling}, {ordinary} + {decay} * epoch(moment - accepted_at) / (30 * 86400)))
            FILTER (NOT stale AND accepted_at IS NOT NULL),
        0
    ) AS proven_expected,
    count(*) FILTER (NOT stale AND accepted_at IS NULL) AS fresh,
    count(*) FILTER (NOT stale AND accepted_at IS NULL AND attempts.hit) AS fresh_hits
FROM attempts
JOIN sender_hours USING (provider, hour)
ANTI JOIN broken USING (provider, hour)
WHERE covered
GROUP BY mailbox, hour;
