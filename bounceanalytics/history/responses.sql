-- Classified events in; what servers responded out: dated bounces and activity, by address.
-- View: events (address as a number); table: mailboxes. Parameters: invalid, the reasons that call a recipient invalid;
-- late hours.

-- Messages that came back; an automatic reply did not, and what the ESP did not try went nowhere.
CREATE OR REPLACE TEMP TABLE returned AS
SELECT address, message_id, timestamp AS moment
FROM events
WHERE
    event = 'bounced'
    AND message_id IS NOT NULL
    AND reason IS DISTINCT FROM 'challenge'
    AND bounce_type IS DISTINCT FROM 'suppressed';

-- A delivery whose own message came back within the given time is none.
CREATE OR REPLACE TEMP TABLE responses AS
SELECT
    coalesce(provider, 'generic')::VARCHAR AS provider,
    address,
    mailbox,
    mailbox_provider,
    timestamp AS moment,
    event::VARCHAR AS event,
    reason::VARCHAR AS reason,
    event <> 'bounced' AS accepted,
    event = 'bounced' AND coalesce(action = 'remove', false) AS removal,
    removal AND coalesce(reason IN $invalid, false) AS invalid
FROM (SELECT * EXCLUDE (mailbox_provider) FROM events) AS events
JOIN mailboxes USING (domain)
WHERE
    timestamp IS NOT NULL
    AND address IS NOT NULL
    AND (
        event IN ('delivered', 'opened', 'clicked')
        OR (event = 'bounced' AND reason IS DISTINCT FROM 'challenge' AND bounce_type IS DISTINCT FROM 'suppressed')
    )
    AND NOT (
        event = 'delivered'
        AND EXISTS (
            FROM returned
            WHERE
                returned.address = events.address
                AND returned.message_id = events.message_id
                AND returned.moment BETWEEN timestamp AND timestamp + to_hours($late)
        )
    );
