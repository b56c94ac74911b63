-- Count: episodes of each day, reason and mailbox provider. Table: episodes.

CREATE OR REPLACE TEMP TABLE episode_counts AS
SELECT reason, mailbox_provider, day, recovered, count(*) AS number, count(*) FILTER (no_longer_tried) AS no_longer_tried
FROM episodes
GROUP BY ALL;
