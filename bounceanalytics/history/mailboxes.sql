-- Who runs each domain: a bounce often names the provider where a delivery does not. A mailbox is that of a provider, else
-- that of the domain itself ('@domain'). Table: mailbox_counts.

CREATE OR REPLACE TEMP TABLE mailboxes AS
SELECT
    domain,
    coalesce(arg_max(named, (n, named)) FILTER (named IS NOT NULL), 'other') AS mailbox_provider,
    CASE WHEN mailbox_provider = 'other' THEN '@' || domain ELSE mailbox_provider END AS mailbox
FROM (SELECT domain, named, sum(n) AS n FROM mailbox_counts GROUP BY ALL)
GROUP BY domain;
