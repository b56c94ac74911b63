-- Answers in; attempts (an address in an hour) and what they add up to for each ESP out; see storms.py.
-- Table: answers. Placeholders: {stale} hours, {pause} days.

CREATE OR REPLACE TEMP TABLE attempts AS
WITH tried AS (
    SELECT
        provider,
        mailbox,
        address,
        date_trunc('hour', moment) AS hour,
        count(*) FILTER (gone) AS hits,
        count(*) FILTER (removal) AS removals,
        hits > 0 AS hit,
        bool_and(event = 'bounced') AS bounced,
        coalesce(min(moment) FILTER (gone), min(moment)) AS moment,
        coalesce(max(moment) FILTER (gone), max(moment)) AS last_moment
    FROM answers
    WHERE event IN ('delivered', 'bounced')
    GROUP BY ALL
),

placed AS (
    SELECT tried.*, life.moment AS accepted_at
    FROM tried
    ASOF LEFT JOIN (SELECT address, moment FROM answers WHERE accepted) AS life
        ON tried.address = life.address AND tried.moment > life.moment
),

first_hits AS (
    SELECT address, accepted_at, min(moment) AS first_hit
    FROM placed
    WHERE hit
    GROUP BY address, accepted_at
)

SELECT
    placed.*,
    -- gone for longer than any storm: what it answers now says nothing about this hour
    coalesce(moment - first_hit > to_hours({stale}), false) AS stale
FROM placed
LEFT JOIN first_hits
    ON first_hits.address = placed.address AND first_hits.accepted_at IS NOT DISTINCT FROM placed.accepted_at;

-- One row per ESP and hour, with whether the export holds deliveries of that time: without, every share reads 100 %.
CREATE OR REPLACE TEMP TABLE sender_hours AS
WITH mailboxes_of_hour AS (
    SELECT
        provider,
        hour,
        mailbox,
        count(*) AS tried,
        count(*) FILTER (bounced) AS bounced,
        sum(removals) AS removals,
        count(*) FILTER (NOT bounced) AS delivered
    FROM attempts
    GROUP BY ALL
),

sums AS (
    SELECT
        provider,
        hour,
        count(*) AS mailboxes,
        sum(tried)::BIGINT AS tried,
        sum(bounced)::BIGINT AS bounced,
        sum(removals)::BIGINT AS removals,
        sum(delivered)::BIGINT AS delivered,
        max(tried) AS largest,
        max(struct_pack(tried, bounced)).bounced AS largest_bounced
    FROM mailboxes_of_hour
    GROUP BY ALL
),

pauses AS (
    SELECT provider, greatest({pause}, coalesce(2 * median(pause), 0))::INTEGER AS days
    FROM (
        SELECT provider, day - lag(day) OVER (PARTITION BY provider ORDER BY day) AS pause
        FROM (SELECT DISTINCT provider, hour::DATE AS day FROM sums WHERE delivered > 0)
    )
    GROUP BY provider
),

recent AS (
    SELECT
        *,
        max(hour) FILTER (delivered > 0) OVER (
            PARTITION BY provider
            ORDER BY hour
        ) AS last_delivered
    FROM sums
)

SELECT recent.* EXCLUDE (last_delivered), coalesce(hour - last_delivered <= to_days(days), false) AS covered
FROM recent
LEFT JOIN pauses USING (provider);
