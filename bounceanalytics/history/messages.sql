-- Events in, messages out; see the docstring of the summaries for what counts. View: events; table: mailboxes; types: one
-- for each column of words, messages.py makes them. Parameters: sending, the events of sent mail; counted, the rules of
-- messages that are bounces of the account though the ESP did not try; no_code, no_name; slack.

-- Addresses and messages are told apart by 64-bit hashes: no address is kept here, and numbers are grouped faster.
-- An entry of a suppression list is a bounce where it keeps the answer, or where the ESP calls its list so; one without an
-- answer blames nobody, and is hard where the address is to be removed.
CREATE OR REPLACE TEMP TABLE sending AS
SELECT
    provider::provider_type AS provider,
    domain::domain_type AS domain,
    CASE WHEN address IS NOT NULL THEN hash(address) END AS address,
    CASE
        WHEN NOT listed AND coalesce(message_id, event_id) IS NOT NULL THEN hash(address, coalesce(message_id, event_id))
    END AS message,
    timestamp AS moment,
    listed,
    event = 'deferred' AS deferred,
    CASE
        WHEN listed THEN 'bounced'
        WHEN event IN ('dropped', 'rejected') OR (event = 'bounced' AND bounce_type = 'suppressed') THEN 'dropped'
        WHEN event = 'deferred' THEN 'pending'
        ELSE event
    END::outcome_type AS outcome,
    coalesce(enhanced_code, reply_code::VARCHAR, $no_code)::code_type AS code,
    code_class::code_class_type AS code_class,
    CASE
        WHEN listed AND bounce_type = 'suppressed' THEN CASE action WHEN 'remove' THEN 'hard' ELSE 'unknown' END
        ELSE coalesce(bounce_type, 'unknown')
    END::bounce_type_type AS bounce_type,
    coalesce(category, 'unclassified')::category_type AS category,
    coalesce(reason, 'unclassified')::reason_type AS reason,
    CASE WHEN listed AND bounce_type = 'suppressed' THEN 'unknown' ELSE coalesce(fault, 'unknown') END::fault_type AS fault,
    coalesce(action, 'review')::action_type AS action,
    nullif(lower(rtrim(remote_host, '.')), '')::remote_host_type AS remote_host,
    nullif(sending_ip, '')::sending_ip_type AS sending_ip,
    nullif(nullif(tags, ''), '[]')::tags_type AS tags,
    coalesce(rule IN $counted, false) AS counted,
    source::source_type AS source,
    record
FROM (
    SELECT
        *,
        event = 'suppressed'
            AND NOT regexp_matches(coalesce(esp_type, ''), '(?i)complain|spam|unsub')
            AND (coalesce(bounce_type IN ('hard', 'soft', 'block'), false) OR coalesce(esp_type, '') ILIKE '%bounce%')
            AS listed
    FROM events
    WHERE event IN $sending OR event = 'suppressed'
)
WHERE listed OR event <> 'suppressed';

-- A list keeps one entry of an address, however often it was downloaded. It is no bounce more where the bounce itself is in
-- the history, nor of the time that the events are about where it is older than they are.
DELETE FROM sending
WHERE listed AND rowid NOT IN (
    SELECT entries.rowid
    FROM sending AS entries
    ANTI JOIN (
        SELECT address FROM sending WHERE NOT listed AND outcome = 'bounced' AND reason <> 'challenge'
    ) AS bounces USING (address)
    LEFT JOIN (SELECT provider, min(moment) AS first FROM sending WHERE NOT listed GROUP BY provider) AS events
        USING (provider)
    WHERE listed AND coalesce(moment >= first - to_days($slack), true)
    QUALIFY address IS NULL OR row_number() OVER (
        PARTITION BY address ORDER BY moment DESC NULLS LAST, record DESC, source DESC
    ) = 1
);

-- The time of which the exports of an ESP hold deliveries. A server may take days to give up (RFC 5321, 4.5.4.1).
CREATE OR REPLACE TEMP TABLE coverage AS
SELECT provider, min(moment) - to_days($slack) AS begins, max(moment) + to_days($slack) AS ends
FROM sending
WHERE outcome = 'delivered'
GROUP BY provider;

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
)
SELECT
    settled.* EXCLUDE (counted, deferred, listed, message, source, record, sending_ip, tags),
    coalesce(sending_ip, $no_name::sending_ip_type) AS sending_ip,
    coalesce(tags, $no_name::tags_type) AS tags,
    providers.mailbox_provider,
    coverage.provider IS NOT NULL AND coalesce(moment BETWEEN begins AND ends, true) AS covered,
    covered AND NOT listed AND outcome IN ('delivered', 'bounced') AS rated,
    covered AND counted AND outcome = 'dropped' AS counted
FROM settled
JOIN providers USING (domain)
LEFT JOIN coverage ON coverage.provider = settled.provider;
