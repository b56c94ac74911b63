-- Domains added up to what they belong to; an address has one domain, so that addresses add up as well.
-- Tables: domains.sql. Parameter: by, registrable_domain or mailbox_provider.

WITH named AS (
    SELECT
        CASE $by WHEN 'mailbox_provider' THEN mailbox_provider::VARCHAR ELSE registrable_domain END AS name,
        * EXCLUDE (mailbox_provider, registrable_domain, top_reason, t, tt, th, days)
    FROM domains
),
sums AS (
    SELECT
        name,
        sum(COLUMNS(* EXCLUDE (name, domain, first_seen, last_seen)))::BIGINT,
        count(*) AS domains,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen
    FROM named
    GROUP BY name
),
top AS (
    SELECT name, arg_max(reason, (n, reason)) AS top_reason
    FROM (SELECT name, reason, sum(n) AS n FROM domain_reasons JOIN named USING (domain) GROUP BY ALL)
    GROUP BY name
)
SELECT *
FROM sums
LEFT JOIN top USING (name)
ORDER BY
    CASE $by WHEN 'mailbox_provider' THEN (attempted, 0, 0) ELSE (hard, bounced, attempted) END DESC,
    name
