-- How often an address began to bounce, was seen to recover, and was no longer tried. Table: episode_counts.

SELECT
    coalesce(sum(number), 0)::BIGINT AS episodes,
    coalesce(sum(number) FILTER (recovered), 0)::BIGINT AS recovered,
    coalesce(sum(no_longer_tried), 0)::BIGINT AS no_longer_tried
FROM episode_counts
