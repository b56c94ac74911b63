-- Events of sent mail in, messages out; see the docstring of the summaries for what counts. Tables: sending, coverage, mailboxes;
-- types as in sending.sql. Parameter: no_name.

-- A list keeps one entry of an address, however often it was downloaded. It is no bounce more where the bounce itself is in
-- the history, nor of the time that the events are about where it is older than they are.
DELETE FROM sending
WHERE listed AND rowid NOT IN (
    SELECT entries.rowid
    FROM sending AS entries
    ANTI JOIN (
        SELECT address FROM sending WHERE NOT listed AND outcome = 'bounced' AND reason <> 'challenge'
    ) AS bounces USING (address)
    LEFT JOIN coverage ON coverage.provider = entries.provider::VARCHAR
    WHERE listed AND coalesce(moment >= since, true)
    QUALIFY address IS NULL OR row_number() OVER (
        PARTITION BY address ORDER BY moment DESC NULLS LAST, record DESC, source DESC
    ) = 1
);

CREATE OR REPLACE TEMP TABLE sends AS
WITH counted AS (SELECT * FROM sending WHERE NOT deferred OR message IS NOT NULL),
-- nearly every message has one event, and needs no sorting
repeated AS (SELECT message FROM counted WHERE message IS NOT NULL GROUP BY message HAVING count(*) > 1),
settled AS (
    FROM counted ANTI JOIN repeated USING (message)
    UNION ALL
    -- a tag, a server or an address that one event of a message lacks, another may have
    SELECT * REPLACE (
        coalesce(remote_host, max(remote_host) OVER same) AS remote_host,
        coalesce(sending_ip, max(sending_ip) OVER same) AS sending_ip,
        coalesce(tags, max(tags) OVER same) AS tags
    )
    FROM counted SEMI JOIN repeated USING (message)
    WINDOW same AS (PARTITION BY message)
    QUALIFY row_number() OVER (
        PARTITION BY message
        ORDER BY
            CASE
                WHEN outcome = 'pending' THEN 3
                WHEN outcome = 'dropped' THEN 2
                WHEN outcome = 'bounced' AND reason = 'challenge' THEN 1
                ELSE 0
            END,
            moment DESC NULLS LAST, outcome = 'bounced' DESC, record DESC, source DESC
    ) = 1
),
-- the same words as numbers, for a faster join
providers AS (
    SELECT domain::domain_type AS domain, mailbox_provider::mailbox_provider_type AS mailbox_provider FROM mailboxes
),
delivering AS (
    SELECT try_cast(provider AS provider_type) AS provider, begins, ends FROM coverage WHERE has_deliveries
)
SELECT
    settled.* EXCLUDE (counted, deferred, listed, message, source, record, sending_ip, tags),
    coalesce(sending_ip, $no_name::sending_ip_type) AS sending_ip,
    coalesce(tags, $no_name::tags_type) AS tags,
    providers.mailbox_provider,
    delivering.provider IS NOT NULL AND coalesce(moment BETWEEN begins AND ends, true) AS covered,
    covered AND NOT listed AND outcome IN ('delivered', 'bounced') AS rated,
    covered AND counted AND outcome = 'dropped' AS counted
FROM settled
JOIN providers USING (domain)
LEFT JOIN delivering ON delivering.provider = settled.provider;
