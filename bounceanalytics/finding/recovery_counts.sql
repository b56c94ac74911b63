-- Episodes of each day, for every reason and mailbox provider and for all of them together. Table: episodes.
-- Parameter: everyone, the word for all.

SELECT
    CASE WHEN grouping(reason) = 0 THEN reason ELSE $everyone END AS reason,
    CASE WHEN grouping(mailbox_provider) = 0 THEN mailbox_provider ELSE $everyone END AS mailbox_provider,
    day,
    recovered,
    count(*) AS number,
    count(*) FILTER (no_longer_tried) AS no_longer_tried
FROM episodes
GROUP BY day, recovered, CUBE (reason, mailbox_provider)
ORDER BY sum(number) OVER (PARTITION BY 1, 2) DESC, 1, 2, day, recovered
