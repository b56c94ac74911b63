-- Classified events in; domains whose addresses bounce, and those that may have been meant, out.
-- Views: events (address as a number), names (address, its domain), likely (free-mail domains). Table: listed (domain, hash
-- of the address), empty where no list was given. Parameters: reasons, those that blame an address; as_listed; ratio; known,
-- domains that are no typing errors.

CREATE OR REPLACE TEMP TABLE typo_returned AS
SELECT address, message_id, max(timestamp) AS returned_at
FROM events
WHERE
    event = 'bounced'
    AND message_id IS NOT NULL
    AND reason IS DISTINCT FROM 'challenge'
    AND bounce_type IS DISTINCT FROM 'suppressed'
GROUP BY ALL;

-- Whoever opens, complains, leaves, answers by a machine or has a full mailbox has a mailbox.
CREATE OR REPLACE TEMP TABLE typo_mailboxes AS
SELECT
    address,
    arg_max(reason, (moment, reason)) FILTER (bounced) AS reason,
    bool_or(bounced) AS bounced,
    bool_or(accepted) AS accepted,
    bool_or(delivered) AS delivered
FROM (
    SELECT
        events.address,
        coalesce(reason::VARCHAR, 'unclassified') AS reason,
        coalesce(timestamp, TIMESTAMP '1970-01-01') AS moment,
        event = 'delivered' AS delivered,
        coalesce(bounce_type = 'hard' AND reason IN $reasons AND event <> 'deferred', false)
        OR coalesce(event = 'suppressed' AND action = 'remove' AND esp_type ILIKE '%bounce%', false) AS bounced,
        event IN ('opened', 'clicked', 'complained', 'unsubscribed')
        OR coalesce(reason IN ('challenge', 'mailbox_full'), false)
        OR (event = 'delivered' AND coalesce(returned_at < timestamp, returned.address IS NULL)) AS accepted
    FROM events
    LEFT JOIN typo_returned AS returned
        ON returned.address = events.address AND returned.message_id = events.message_id
    WHERE events.address IS NOT NULL
)
GROUP BY address;

CREATE OR REPLACE TEMP TABLE typo_domains AS
SELECT
    domain,
    count(*) AS known,
    count(*) FILTER (bounced) AS bounced,
    count(*) FILTER (accepted) AS accepted,
    count(*) FILTER (reason = 'bad_domain') AS nowhere
FROM typo_mailboxes
JOIN names USING (address)
GROUP BY domain;

CREATE OR REPLACE TEMP TABLE typo_counts AS
SELECT domain, count(DISTINCT hash) AS addresses FROM listed WHERE $as_listed GROUP BY domain
UNION ALL
SELECT domain, known AS addresses FROM typo_domains WHERE NOT $as_listed;

-- Most of its addresses bounced, or it is nowhere. Where no delivery is known, an address that did not bounce took mail.
CREATE OR REPLACE TEMP TABLE typo_suspects AS
SELECT domain, addresses, bounced, 2 * nowhere > bounced AS dead
FROM typo_domains
JOIN typo_counts USING (domain)
WHERE
    bounced > 0
    AND accepted = 0
    AND strlen(domain) <= $longest
    AND domain NOT IN $known
    AND (
        2 * nowhere > bounced
        OR 2 * bounced >= CASE
            WHEN (SELECT coalesce(bool_or(delivered), false) FROM typo_mailboxes) THEN known ELSE greatest(known, addresses)
        END
    );

CREATE OR REPLACE TEMP TABLE typo_targets AS
SELECT domain, coalesce(addresses, 0) AS addresses, place
FROM likely
FULL JOIN typo_counts USING (domain)
WHERE (place IS NOT NULL OR addresses >= $ratio) AND strlen(domain) <= $longest;
