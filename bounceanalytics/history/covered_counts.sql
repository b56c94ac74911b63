-- When the exports of each ESP hold deliveries with the id of their message. View: events.

CREATE OR REPLACE TEMP TABLE covered_counts AS
SELECT coalesce(provider::VARCHAR, 'generic') AS esp, min(timestamp) AS begins, max(timestamp) AS ends
FROM events
WHERE event = 'delivered' AND message_id IS NOT NULL
GROUP BY 1;
