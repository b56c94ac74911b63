-- Classified events in; what servers responded out: dated bounces and activity, by address. An open counts at the time at which
-- its message was sent, where that is known; a response is `named` that has the id of its message.
-- View: events (address as a number); tables: mailboxes, covered. Parameters: invalid, the reasons that call a recipient invalid;
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

-- When the messages were sent that somebody opened: who opens an old letter shows nothing about the mailbox of today.
CREATE OR REPLACE TEMP TABLE opened_messages AS
SELECT address, message_id, min(timestamp) AS moment
FROM events
SEMI JOIN (FROM events WHERE event IN ('opened', 'clicked')) AS opens USING (address, message_id)
WHERE event IN ('accepted', 'delivered', 'deferred', 'bounced')
GROUP BY ALL;

-- A delivery whose own message came back within the given time is none. Few are: found from the few that came back, in a
-- quarter of the time of a question asked of every delivery.
CREATE OR REPLACE TEMP TABLE taken_back AS
SELECT DISTINCT row
FROM events
JOIN returned USING (address, message_id)
WHERE event = 'delivered' AND returned.moment BETWEEN timestamp AND timestamp + to_hours($late);

CREATE OR REPLACE TEMP TABLE responses AS
SELECT
    row,
    coalesce(provider, 'generic')::VARCHAR AS provider,
    events.address AS address,
    mailbox,
    mailbox_provider,
    CASE
        WHEN event NOT IN ('opened', 'clicked') THEN timestamp
        ELSE coalesce(
            opened_messages.moment,
            CASE WHEN events.message_id IS NOT NULL AND timestamp BETWEEN begins AND ends THEN begins END,
            timestamp
        )
    END AS moment,
    timestamp AS happened,
    events.message_id IS NOT NULL AS named,
    event::VARCHAR AS event,
    reason::VARCHAR AS reason,
    event <> 'bounced' AS accepted,
    event = 'bounced' AND coalesce(action = 'remove', false) AS removal,
    removal AND coalesce(reason IN $invalid, false) AS invalid
FROM (SELECT * EXCLUDE (mailbox_provider) FROM events) AS events
JOIN mailboxes USING (domain)
LEFT JOIN covered ON esp = coalesce(provider, 'generic')
LEFT JOIN opened_messages ON opened_messages.address = events.address AND opened_messages.message_id = events.message_id
ANTI JOIN taken_back USING (row)
WHERE
    timestamp IS NOT NULL
    AND events.address IS NOT NULL
    AND (
        event IN ('delivered', 'opened', 'clicked')
        OR (event = 'bounced' AND reason IS DISTINCT FROM 'challenge' AND bounce_type IS DISTINCT FROM 'suppressed')
    );
