-- Events in; events of sent mail out, and how far those of each ESP reach. View: events; types: one for each column of words,
-- messages.py makes them. Parameters: sending, the events of sent mail; counted, the rules of messages that are bounces of the
-- account though the ESP did not try; no_code; no_name.

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

CREATE OR REPLACE TEMP TABLE reaches AS
SELECT
    provider::VARCHAR AS provider,
    min(moment) FILTER (NOT listed) AS first,
    min(moment) FILTER (outcome = 'delivered') AS delivered_first,
    max(moment) FILTER (outcome = 'delivered') AS delivered_last,
    count(*) FILTER (outcome = 'delivered') AS delivered
FROM sending
GROUP BY provider;
