-- Domains that answered "mail system full", and when they took mail again. Tables: sending, sends, mailboxes.

WITH responses AS (
    SELECT domain, address, coalesce(message, hash(rowid)) AS message, moment, bounce_type = 'hard' AS permanent
    FROM sending
    WHERE reason = 'system_full' AND outcome IN ('bounced', 'pending')
),
messages AS (
    SELECT
        domain,
        address,
        message,
        min(moment) AS first_at,
        max(moment) AS last_at,
        coalesce(bool_or(permanent), false) AS permanent,
        max(moment) FILTER (permanent) AS last_permanent
    FROM responses
    GROUP BY ALL
),
full_domains AS (
    SELECT
        domain,
        min(first_at) AS first_seen,
        max(last_at) AS last_seen,
        count(DISTINCT address) AS addresses,
        count(*) AS bounces,
        count(*) FILTER (permanent) AS permanent,
        count(*) FILTER (NOT permanent) AS transient,
        coalesce(max(last_permanent), max(last_at)) AS decisive
    FROM messages
    GROUP BY domain
),
accepted AS (
    SELECT
        domain,
        count(*) FILTER (moment BETWEEN first_seen AND last_seen) AS accepted_between,
        min(moment) FILTER (moment > decisive) AS accepted_again,
        max(moment) AS last_accepted
    FROM sends
    JOIN full_domains USING (domain)
    WHERE outcome = 'delivered'
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
JOIN mailboxes ON mailboxes.domain = full_domains.domain
ORDER BY recovered, permanent DESC, bounces DESC, full_domains.domain
