-- Events in, messages out; see the docstring of the package for what counts.
-- View: frame; types: one for each column of words. Placeholders: {sending} events, {no_domain},
-- {no_code}, {no_name}, {slack} days.

-- Addresses and messages are told apart by 64-bit hashes: no address is kept here, and numbers are grouped faster.
CREATE TEMP TABLE events AS
SELECT
    provider::provider_type AS provider,
    coalesce(nullif(domain, ''), '{no_domain}')::domain_type AS domain,
    CASE WHEN recipient IS NOT NULL THEN hash(lower(recipient)) END AS address,
    CASE
        WHEN coalesce(message_id, event_id) IS NOT NULL THEN hash(lower(recipient), coalesce(message_id, event_id))
    END AS message,
    timezone('UTC', timestamp::TIMESTAMPTZ) AS moment,  -- UTC without a zone, which is faster
    event = 'deferred' AS deferred,
    CASE
        WHEN event IN ('dropped', 'rejected') OR (event = 'bounced' AND bounce_type = 'suppressed') THEN 'dropped'
        WHEN event = 'deferred' THEN 'pending'
        ELSE event
    END::outcome_type AS outcome,
    coalesce(enhanced_code, reply_code::VARCHAR, '{no_code}')::code_type AS code,
    code_class::code_class_type AS code_class,
    coalesce(bounce_type, 'unknown')::bounce_type_type AS bounce_type,
    coalesce(category, 'unclassified')::category_type AS category,
    coalesce(reason, 'unclassified')::reason_type AS reason,
    coalesce(fault, 'unknown')::fault_type AS fault,
    coalesce(action, 'review')::action_type AS action,
    coalesce(mailbox_provider, 'other')::mailbox_provider_type AS mailbox_provider,
    nullif(sending_ip, '')::sending_ip_type AS sending_ip,
    nullif(array_to_string(tags, chr(31)), '')::tags_type AS tags,
    source::source_type AS source,
    record
FROM frame
WHERE event IN {sending};

-- Who runs a domain: a bounce often names the provider where a delivery does not.
CREATE TEMP TABLE homes AS
SELECT
    domain,
    coalesce(arg_max(home, (n, home)) FILTER (home <> 'other'), 'other'::mailbox_provider_type) AS mailbox_provider
FROM (SELECT domain, mailbox_provider AS home, count(*) AS n FROM events GROUP BY ALL)
GROUP BY domain;

-- The time of which the exports of an ESP hold deliveries. A server may take days to give up (RFC 5321, 4.5.4.1).
CREATE TEMP TABLE coverage AS
SELECT provider, min(moment) - to_days({slack}) AS begins, max(moment) + to_days({slack}) AS ends
FROM events
WHERE outcome = 'delivered'
GROUP BY provider;

CREATE TEMP TABLE sends AS
WITH counted AS (SELECT * FROM events WHERE NOT deferred OR message IS NOT NULL),
-- nearly every message has one event, and needs no sorting
told_often AS (SELECT message FROM counted WHERE message IS NOT NULL GROUP BY message HAVING count(*) > 1),
settled AS (
    FROM counted ANTI JOIN told_often USING (message)
    UNION ALL
    -- a tag or an address that one event of a message lacks, another may have
    SELECT * REPLACE (
        coalesce(sending_ip, max(sending_ip) OVER same) AS sending_ip,
        coalesce(tags, max(tags) OVER same) AS tags
    )
    FROM counted SEMI JOIN told_often USING (message)
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
)
SELECT
    settled.* EXCLUDE (deferred, message, mailbox_provider, source, record, sending_ip, tags),
    coalesce(sending_ip, '{no_name}'::sending_ip_type) AS sending_ip,
    coalesce(tags, '{no_name}'::tags_type) AS tags,
    homes.mailbox_provider,
    outcome IN ('delivered', 'bounced')
        AND coverage.provider IS NOT NULL
        AND coalesce(moment BETWEEN begins AND ends, true) AS rated
FROM settled
JOIN homes USING (domain)
LEFT JOIN coverage ON coverage.provider = settled.provider;
