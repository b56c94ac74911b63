-- Who runs a domain, as the summaries have it: a bounce often names the provider where a delivery does not.
CREATE OR REPLACE TEMP TABLE mailboxes AS
SELECT
    domain,
    coalesce(arg_max(home, (n, home)) FILTER (home IS NOT NULL), 'other') AS mailbox_provider,
    CASE WHEN mailbox_provider = 'other' THEN '@' || domain ELSE mailbox_provider END AS mailbox
FROM (
    SELECT
        coalesce(nullif(domain, ''), '(none)') AS domain,
        nullif(mailbox_provider, 'other')::VARCHAR AS home,
        count(*) FILTER (event IN ('delivered', 'bounced', 'deferred', 'dropped', 'rejected')) AS n
    FROM events
    GROUP BY ALL
)
GROUP BY domain;
