-- Activity of addresses: that of the responses, and that without a time. View: events; table: responses.

CREATE OR REPLACE TEMP TABLE activity AS
SELECT address, event, moment AS timestamp, happened
FROM responses
WHERE accepted
UNION ALL
SELECT address, event::VARCHAR, NULL, NULL
FROM events
WHERE event IN ('delivered', 'opened', 'clicked') AND timestamp IS NULL AND address IS NOT NULL;
