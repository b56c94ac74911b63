-- Rows that lie in a storm: bounces that would remove the address, of messages sent in that time, and drops and list entries
-- that repeat them a little later. View: events, storms_found; tables: mailboxes, hosts, sent. Parameters: invalid, the
-- reasons that call a recipient invalid; delay hours.

CREATE OR REPLACE TEMP TABLE in_storm AS
WITH failures AS (
    SELECT
        row,
        address,
        timestamp,
        coalesce(provider::VARCHAR, 'generic') AS provider,
        mailbox,
        place,
        event,
        reason,
        coalesce(sent_at, timestamp) AS moment
    FROM (SELECT * EXCLUDE (mailbox_provider) FROM events) AS events
    JOIN mailboxes USING (domain)
    LEFT JOIN hosts USING (mailbox)
    LEFT JOIN sent USING (row)
    WHERE event IN ('bounced', 'dropped', 'suppressed') AND action = 'remove'
),
inside AS (
    SELECT row, event, address, timestamp
    FROM failures
    JOIN storms_found AS windows
        ON moment BETWEEN windows.start
            AND windows.end + to_hours(CASE event WHEN 'bounced' THEN 0 ELSE $delay END)
        AND CASE
            WHEN kind = 'everything' THEN windows.provider = failures.provider
            ELSE
                (reason IN $invalid OR (reason = 'suppressed' AND event <> 'bounced'))
                AND (
                    mailbox = coalesce('@' || windows.domain, windows.mailbox_provider)
                    OR ltrim(place, '#') = windows.domain
                )
        END
)
SELECT DISTINCT row FROM inside
UNION
-- an answer that came late
SELECT failures.row
FROM failures
JOIN inside USING (address)
WHERE
    inside.event = 'bounced'
    AND failures.event <> 'bounced'
    AND failures.timestamp BETWEEN inside.timestamp AND inside.timestamp + to_hours($delay);
