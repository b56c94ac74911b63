-- Count: cheap, and nearly always the end. Invalid recipients of each mailbox, and the bounces of each ESP, by the hour.
-- View: events; table: mailboxes. Parameters: invalid, the reasons that call a recipient invalid; unanswered, those with
-- which nobody answered.

CREATE OR REPLACE TEMP TABLE invalid_hours AS
SELECT mailbox, date_trunc('hour', timestamp) AS hour, count(*) AS invalid
FROM events
JOIN mailboxes USING (domain)
WHERE event = 'bounced' AND action = 'remove' AND reason IN $invalid AND timestamp IS NOT NULL
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE bounced_hours AS
SELECT
    coalesce(provider::VARCHAR, 'generic') AS provider,
    date_trunc('hour', timestamp) AS hour,
    count(*) FILTER (event = 'bounced' AND reason IN $unanswered) AS unanswered,
    count(*) - unanswered AS tried,
    count(*) FILTER (event = 'bounced') - unanswered AS bounced,
    count(*) FILTER (event = 'bounced' AND action = 'remove') AS removals
FROM events
WHERE event IN ('bounced', 'delivered') AND timestamp IS NOT NULL
GROUP BY ALL;
