-- Domains whose mail system is full, or that a check found in trouble, as a table. Views: events, with the addresses by their
-- numbers, and checked: domain, status, reply, registry_contact. Parameters: failures, the events that are some; no_domain;
-- troubles, the states of which somebody is to be told; unsure, those that leave it to the history.

CREATE OR REPLACE TEMP TABLE affected AS
WITH known AS (
    SELECT
        domain,
        count(DISTINCT address) AS addresses,
        max(timestamp) FILTER (event = 'delivered') AS delivered,
        bool_or(reason = 'system_full' AND event IN $failures) AS answered_full,
        max(timestamp) FILTER (reason = 'system_full' AND event IN $failures AND bounce_type = 'hard') AS last_permanent,
        max(timestamp) FILTER (reason = 'system_full' AND event IN $failures) AS last_full
    FROM events
    WHERE domain <> $no_domain
    GROUP BY domain
)
SELECT
    coalesce(checked.domain, known.domain) AS domain,
    coalesce(known.addresses, 0) AS addresses,
    status,
    CASE WHEN status IN $troubles THEN status ELSE 'full' END AS state,
    nullif(reply, '') AS reply,
    nullif(registry_contact, '') AS registry_contact
FROM known
FULL JOIN checked ON checked.domain = known.domain
-- one that took mail after it said for good that it is full has room again
WHERE status IN $troubles OR (
    coalesce(answered_full AND (delivered <= coalesce(last_permanent, last_full)) IS NOT FALSE, false)
    AND (status IS NULL OR status IN $unsure)
);
