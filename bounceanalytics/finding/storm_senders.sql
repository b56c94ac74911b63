-- Finish: one row per ESP and hour, with whether the export holds deliveries of that time: without, every share reads
-- 100 %. Table: hour_counts. Parameter: pause, days.

CREATE OR REPLACE TEMP TABLE sender_hours AS
WITH mailboxes_of_hour AS (
    SELECT
        provider,
        hour,
        mailbox,
        sum(tried) AS tried,
        sum(bounced) AS bounced,
        sum(proven) AS proven,
        sum(proven_bounced) AS proven_bounced,
        sum(proven_removals) AS proven_removals
    FROM hour_counts
    GROUP BY ALL
),

sums AS (
    SELECT
        provider,
        hour,
        count(*) FILTER (proven > 0) AS mailboxes,
        sum(tried)::BIGINT AS tried,
        sum(bounced)::BIGINT AS bounced,
        sum(proven)::BIGINT AS proven,
        sum(proven_bounced)::BIGINT AS proven_bounced,
        sum(proven_removals)::BIGINT AS proven_removals,
        max(proven)::BIGINT AS largest,
        (max(struct_pack(proven, proven_bounced)).proven_bounced)::BIGINT AS largest_bounced
    FROM mailboxes_of_hour
    GROUP BY ALL
),

pauses AS (
    SELECT provider, greatest($pause, coalesce(2 * median(pause), 0))::INTEGER AS days
    FROM (
        SELECT provider, day - lag(day) OVER (PARTITION BY provider ORDER BY day) AS pause
        FROM (SELECT DISTINCT provider, hour::DATE AS day FROM sums WHERE tried > bounced)
    )
    GROUP BY provider
),

recent AS (
    SELECT
        *,
        max(hour) FILTER (tried > bounced) OVER (
            PARTITION BY provider
            ORDER BY hour
        ) AS last_delivered
    FROM sums
)

SELECT recent.* EXCLUDE (last_delivered), coalesce(hour - last_delivered <= to_days(days), false) AS covered
FROM recent
LEFT JOIN pauses USING (provider);

CREATE OR REPLACE TEMP VIEW place_hours AS
SELECT provider AS place, hour, proven_bounced AS hits, proven AS tried FROM sender_hours;
