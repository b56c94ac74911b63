-- Count: attempts (an address in the hour in which its message was sent), and what they add up to for each ESP and mailbox.
-- Tables: responses, sent. Parameters: stale hours; late hours; longest, milliseconds since an address took mail that
-- count; unanswered, the reasons with which nobody answered.

CREATE OR REPLACE TEMP TABLE attempts AS
WITH answers AS (
    SELECT responses.* EXCLUDE (moment), coalesce(sent_at, moment) AS moment, sent_at IS NOT NULL AS dated
    FROM responses
    LEFT JOIN sent USING (row)
    WHERE event = 'delivered' OR (event = 'bounced' AND coalesce(reason NOT IN $unanswered, true))
),

tried AS (
    SELECT
        provider,
        mailbox,
        address,
        date_trunc('hour', moment) AS hour,
        count(*) FILTER (invalid) AS hits,
        count(*) FILTER (removal) AS removals,
        hits > 0 AS hit,
        bool_and(event = 'bounced') AS bounced,
        bool_or(dated) AS dated,
        coalesce(min(moment) FILTER (invalid), min(moment)) AS moment,
        coalesce(max(moment) FILTER (invalid), max(moment)) AS last_moment,
        bool_and(named) AS named
    FROM answers
    GROUP BY ALL
),

placed AS (
    SELECT tried.*, activity.moment AS accepted_at
    FROM tried
    ASOF LEFT JOIN (SELECT address, moment FROM responses WHERE accepted) AS activity
        ON tried.address = activity.address
        -- a delivery shortly before may be that of the same message, where ids do not tell
        AND tried.moment - to_hours(CASE WHEN tried.named THEN 0 ELSE $late END) > activity.moment
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
    coalesce(moment - first_hit > to_hours($stale), false) AS stale,
    placed.accepted_at IS NOT NULL AND NOT stale AS proven
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
    count(*) FILTER (hit) AS hits,
    count(*) FILTER (proven) AS proven,
    count(*) FILTER (proven AND hit) AS proven_hits,
    count(*) FILTER (proven AND bounced) AS proven_bounced,
    count(*) FILTER (proven AND removals > 0) AS proven_removals,
    coalesce(
        sum(least(epoch_ms(moment) - epoch_ms(accepted_at), $longest)) FILTER (proven), 0
    )::BIGINT AS proven_since,
    min(moment) FILTER (hit AND NOT stale) AS first_hit,
    max(last_moment) FILTER (hit AND NOT stale) AS last_hit,
    min(moment) FILTER (bounced) AS first_bounce,
    max(last_moment) FILTER (bounced) AS last_bounce
FROM attempts
GROUP BY provider, mailbox, hour;
