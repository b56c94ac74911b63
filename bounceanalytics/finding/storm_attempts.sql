-- Count: attempts (an address in an hour), and what they add up to for each ESP and mailbox. Table: responses.
-- Parameters: stale hours; longest, milliseconds since an address took mail that count.

CREATE OR REPLACE TEMP TABLE attempts AS
WITH tried AS (
    SELECT
        provider,
        mailbox,
        address,
        date_trunc('hour', moment) AS hour,
        count(*) FILTER (invalid) AS hits,
        count(*) FILTER (removal) AS removals,
        hits > 0 AS hit,
        bool_and(event = 'bounced') AS bounced,
        coalesce(min(moment) FILTER (invalid), min(moment)) AS moment,
        coalesce(max(moment) FILTER (invalid), max(moment)) AS last_moment
    FROM responses
    WHERE event IN ('delivered', 'bounced')
    GROUP BY ALL
),

placed AS (
    SELECT tried.*, activity.moment AS accepted_at
    FROM tried
    ASOF LEFT JOIN (SELECT address, moment FROM responses WHERE accepted) AS activity
        ON tried.address = activity.address AND tried.moment > activity.moment
),

first_hits AS (
    SELECT address, accepted_at, min(moment) AS first_hit
    FROM placed
    WHERE hit
    GROUP BY address, accepted_at
)

SELECT
    placed.*,
    -- invalid for longer than any storm: what it answers now says nothing about this hour
    coalesce(moment - first_hit > to_hours($stale), false) AS stale
FROM placed
LEFT JOIN first_hits
    ON first_hits.address = placed.address AND first_hits.accepted_at IS NOT DISTINCT FROM placed.accepted_at;

-- Whole numbers throughout, so that the sum over parts of a history is that of the whole.
CREATE OR REPLACE TEMP TABLE hour_counts AS
SELECT
    provider,
    mailbox,
    hour,
    count(*) AS tried,
    count(*) FILTER (bounced) AS bounced,
    sum(removals)::BIGINT AS removals,
    count(*) FILTER (hit) AS hits,
    count(*) FILTER (NOT stale AND accepted_at IS NOT NULL) AS proven,
    count(*) FILTER (NOT stale AND accepted_at IS NOT NULL AND hit) AS proven_hits,
    coalesce(
        sum(least(epoch_ms(moment) - epoch_ms(accepted_at), $longest))
            FILTER (NOT stale AND accepted_at IS NOT NULL),
        0
    )::BIGINT AS proven_since,
    count(*) FILTER (NOT stale AND accepted_at IS NULL) AS fresh,
    count(*) FILTER (NOT stale AND accepted_at IS NULL AND hit) AS fresh_hits,
    min(moment) FILTER (hit AND NOT stale) AS first_hit,
    max(last_moment) FILTER (hit AND NOT stale) AS last_hit,
    min(moment) FILTER (bounced) AS first_bounce,
    max(last_moment) FILTER (bounced) AS last_bounce
FROM attempts
GROUP BY provider, mailbox, hour;
