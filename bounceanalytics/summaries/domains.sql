-- Domains, from which registrable domains and mailbox providers are added up. Tables: domain_counts, domain_reasons,
-- mailboxes; view: registrable (of each domain).

CREATE OR REPLACE TEMP TABLE domains AS
SELECT sums.*, mailboxes.mailbox_provider, registrable.registrable_domain, top.top_reason
FROM (
    SELECT
        domain,
        sum(COLUMNS(* EXCLUDE (domain, first_seen, last_seen, rated_first, rated_last, t, tt, th)))::BIGINT,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen,
        -- minutes as days
        sum(t)::DOUBLE / 1440 AS t,
        sum(tt)::DOUBLE / 1440 / 1440 AS tt,
        sum(th)::DOUBLE / 1440 AS th,
        epoch(max(rated_last) - min(rated_first)) / 86400 AS days
    FROM domain_counts
    GROUP BY domain
) AS sums
JOIN mailboxes USING (domain)
JOIN registrable USING (domain)
LEFT JOIN (
    SELECT domain, arg_max(reason, (n, reason)) AS top_reason
    FROM (SELECT domain, reason, sum(n) AS n FROM domain_reasons GROUP BY ALL)
    GROUP BY domain
) AS top USING (domain);
