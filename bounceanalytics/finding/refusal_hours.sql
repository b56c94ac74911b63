-- Count: messages sent to each mailbox, and those refused, by the hour. Tables: sends, mailboxes.

CREATE OR REPLACE TEMP TABLE refusal_hours AS
SELECT
    mailbox,
    date_trunc('hour', moment) AS hour,
    count(*) AS tried,
    count(*) FILTER (outcome = 'bounced') AS refused
FROM sends
JOIN mailboxes ON mailboxes.domain = sends.domain::VARCHAR
WHERE rated AND moment IS NOT NULL
GROUP BY mailbox, hour;
