-- What became of the mail that was tried, for a replay. Tables: evidence.sql, activity.sql; view: events.

CREATE OR REPLACE TEMP TABLE deliveries AS
SELECT address, timestamp
FROM activity
WHERE event = 'delivered' AND timestamp IS NOT NULL AND address IN (SELECT address FROM failures);

CREATE OR REPLACE TEMP TABLE bounced AS
SELECT address, timestamp
FROM events
WHERE event = 'bounced' AND timestamp IS NOT NULL AND address IS NOT NULL;
