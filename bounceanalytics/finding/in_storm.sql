-- Rows that lie in a storm: bounces that would remove the address, and drops and list entries that repeat them a little
-- later. View: events, storms_found; table: mailboxes. Parameters: invalid, the reasons that call a recipient invalid; delay
-- hours.

SELECT DISTINCT row
FROM events
JOIN mailboxes USING (domain)
JOIN storms_found AS windows
    ON timestamp BETWEEN windows.start
        AND windows.end + to_hours(CASE event WHEN 'bounced' THEN 0 ELSE $delay END)
    AND CASE
        WHEN kind = 'everything' THEN windows.provider = coalesce(events.provider::VARCHAR, 'generic')
        ELSE reason IN $invalid OR (reason = 'suppressed' AND event <> 'bounced')
    END
    AND (
        kind = 'everything'
        OR mailbox = coalesce('@' || windows.domain, windows.mailbox_provider)
    )
WHERE event IN ('bounced', 'dropped', 'suppressed') AND action = 'remove'
