-- How often the events and list entries of a domain name each mailbox provider. View: events. Parameter: sending, the events
-- of sent mail.

CREATE OR REPLACE TEMP TABLE mailbox_counts AS
SELECT
    domain,
    nullif(mailbox_provider, 'other')::VARCHAR AS named,
    count(*) FILTER (event IN $sending OR event = 'suppressed') AS n
FROM events
GROUP BY ALL;
