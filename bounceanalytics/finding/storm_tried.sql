-- Count: mail tried at the suspects, by the hour. View: events; tables: mailboxes, suspects. Parameter: invalid.

CREATE OR REPLACE TEMP TABLE tried_hours AS
SELECT
    mailbox,
    date_trunc('hour', timestamp) AS hour,
    count(*) AS tried,
    count(*) FILTER (event = 'bounced' AND action = 'remove' AND reason IN $invalid) AS invalid
FROM events
JOIN (
    SELECT domain, mailbox FROM mailboxes SEMI JOIN suspects USING (mailbox)
    UNION ALL
    SELECT domain, '@' FROM mailboxes WHERE mailbox LIKE '@%' AND '@' IN (FROM suspects)
) USING (domain)
WHERE event IN ('bounced', 'delivered') AND timestamp IS NOT NULL
GROUP BY ALL;
