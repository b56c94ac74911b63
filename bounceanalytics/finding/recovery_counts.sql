-- Episodes of each day, for every reason and mailbox provider and for all of them together. Table: episode_counts.
-- Parameter: everyone, the word for all.

SELECT
    CASE WHEN grouping(reason) = 0 THEN reason ELSE $everyone END AS reason,
    CASE WHEN grouping(mailbox_provider) = 0 THEN mailbox_provider ELSE $everyone END AS mailbox_provider,
    day,
    recovered,
    sum(episode_counts.number)::BIGINT AS number,
    sum(episode_counts.no_longer_tried)::BIGINT AS no_longer_tried
FROM episode_counts
GROUP BY day, recovered, CUBE (reason, mailbox_provider)
ORDER BY 1, 2, day, recovered
