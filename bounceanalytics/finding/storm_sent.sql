-- Count: when the message of a response was sent, where an earlier event of it tells; servers may answer hours later.
-- View: events. Parameter: late hours.

CREATE OR REPLACE TEMP TABLE sent AS
WITH early AS (
    SELECT address, message_id, timestamp
    FROM events
    WHERE event IN ('accepted', 'deferred') AND message_id IS NOT NULL AND timestamp IS NOT NULL
    UNION ALL
    SELECT address, message_id, timestamp
    FROM events
    SEMI JOIN (SELECT address, message_id FROM events WHERE event = 'bounced') AS returned USING (address, message_id)
    WHERE event = 'delivered' AND timestamp IS NOT NULL
)
SELECT row, min(early.timestamp) AS sent_at
FROM events
JOIN early
    ON early.address = events.address
    AND early.message_id = events.message_id
    AND early.timestamp BETWEEN events.timestamp - to_hours($late) AND events.timestamp
WHERE event = 'bounced' OR (event = 'delivered' AND early.timestamp < events.timestamp)
GROUP BY row;
