-- Signs of life: those of the answers, and those without a time. View: events; table: answers.

CREATE OR REPLACE TEMP TABLE life AS
SELECT address, event, moment AS timestamp
FROM answers
WHERE accepted
UNION ALL
SELECT address, event::VARCHAR, NULL
FROM events
WHERE event IN ('delivered', 'opened', 'clicked') AND timestamp IS NULL AND address IS NOT NULL;
