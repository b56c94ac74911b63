-- Domains that answered "mail system full", and when they took mail again. Tables: full_domains, accepted_counts, mailboxes.

WITH accepted AS (
    SELECT
        domain,
        sum(accepted_between)::BIGINT AS accepted_between,
        min(accepted_again) AS accepted_again,
        max(last_accepted) AS last_accepted
    FROM accepted_counts
    GROUP BY domain
)
SELECT
    full_domains.*,
    mailboxes.mailbox_provider,
    coalesce(accepted_between, 0) AS accepted_between,
    accepted_again,
    last_accepted,
    accepted_again IS NOT NULL AS recovered,
    epoch(coalesce(accepted_again, last_seen) - first_seen) / (7 * 86400) AS weeks_out
FROM full_domains
LEFT JOIN accepted USING (domain)
JOIN mailboxes USING (domain)
ORDER BY recovered, permanent DESC, bounces DESC, full_domains.domain
