-- Classified events in; what speaks for and against each address out, whatever the policy.
-- View: events (address as a number, timestamp in UTC); tables: in_storm (row), wishes. Parameter: logs, what ESPs call lists
-- that keep no mail from anybody.

CREATE OR REPLACE TEMP TABLE facts AS
SELECT
    address,
    min(timestamp) AS first_seen,
    max(timestamp) AS last_seen,
    max(timestamp) FILTER (event = 'delivered') AS last_delivered,
    max(timestamp) FILTER (event = 'opened') AS last_opened,
    max(timestamp) FILTER (event = 'clicked') AS last_clicked,
    max(timestamp) FILTER (event = 'complained') AS complained_at,
    max(timestamp) FILTER (event = 'unsubscribed') AS unsubscribed_at,
    count(*) FILTER (coalesce(conflict, false)) AS conflicts,
    bool_or(event IN ('opened', 'clicked')) AS active
FROM events
WHERE address IS NOT NULL
GROUP BY address;

CREATE OR REPLACE TEMP TABLE bounce_counts AS
SELECT
    address,
    min(first_bounced) AS first_bounced,
    max(last_bounced) AS last_bounced,
    count(*) AS bounce_days,
    count(*) FILTER (hard) AS hard_days,
    count(*) FILTER (soft) AS soft_days,
    count(*) FILTER (block) AS block_days
FROM (
    SELECT
        address,
        min(timestamp) AS first_bounced,
        max(timestamp) AS last_bounced,
        bool_or(coalesce(bounce_type = 'hard', false)) AS hard,
        bool_or(coalesce(bounce_type = 'soft', false)) AS soft,
        bool_or(coalesce(bounce_type = 'block', false)) AS block
    FROM events
    WHERE event = 'bounced' AND address IS NOT NULL
    GROUP BY address, timestamp::DATE
)
GROUP BY address;

-- What speaks against an address. A list entry or a drop for a complaint or an unsubscribe is that wish once more.
CREATE OR REPLACE TEMP TABLE failures AS
SELECT
    address,
    timestamp,
    event,
    reply_code,
    enhanced_code,
    bounce_type,
    fault,
    rule,
    evidence,
    confidence AS probability,
    coalesce(conflict, false) AS conflict,
    mailbox_provider,
    provider,
    source,
    record,
    scope,
    -- a list that is a log: mail is still sent
    coalesce(esp_type IN $logs, false) AS passing,
    coalesce(wish, reason, 'unclassified') AS reason,
    CASE WHEN wish IS NOT NULL THEN 'remove' ELSE coalesce(action, 'review') END AS action,
    CASE
        WHEN wish = 'complained' AND suspect THEN 'suspected'
        WHEN wish IS NOT NULL THEN wish
        -- an entry of a list with what the server said is that bounce, told once more
        WHEN event = 'dropped' OR (event = 'suppressed' AND coalesce(reason, 'suppressed') = 'suppressed') THEN 'not_tried'
        -- nothing but the ESP's word that it was for good
        WHEN bounce_type = 'hard' AND reason = 'unclassified' THEN 'unexplained'
        ELSE 'bounce'
    END AS kind,
    row IN (SELECT row FROM in_storm) AS storm
FROM (SELECT * EXCLUDE (suspect) FROM events) AS events
LEFT JOIN wishes USING (row)
WHERE address IS NOT NULL AND (stands OR (wish IS NULL AND event IN ('bounced', 'dropped', 'suppressed')));

-- Mail that the ESP did not try, with the last time the address bounced and took mail before; an entry of a list without a
-- time describes how things stand.
CREATE OR REPLACE TEMP TABLE not_tried AS
WITH drops AS (
    SELECT rowid AS failure, address, provider, kind, coalesce(timestamp, TIMESTAMP 'infinity') AS moment
    FROM failures
    WHERE (kind = 'not_tried' AND action <> 'fix') OR (event = 'suppressed' AND kind IN ('bounce', 'unexplained') AND NOT passing)
),

bounces AS (
    SELECT address, coalesce(timestamp, TIMESTAMP '-infinity') AS moment
    FROM failures
    WHERE kind IN ('bounce', 'unexplained')
),

deliveries AS (
    SELECT address, timestamp AS moment
    FROM events
    WHERE event = 'delivered' AND timestamp IS NOT NULL AND address IN (SELECT address FROM drops)
)

SELECT drops.*, bounces.moment AS bounced, deliveries.moment AS delivered
FROM drops
ASOF LEFT JOIN bounces ON bounces.address = drops.address AND bounces.moment <= drops.moment
ASOF LEFT JOIN deliveries ON deliveries.address = drops.address AND deliveries.moment <= drops.moment;

-- Whose list keeps mail from an address.
CREATE OR REPLACE TEMP TABLE suppressing AS
SELECT address, arg_max(provider, (drops.moment, provider)) AS suppressed_by
FROM not_tried AS drops
LEFT JOIN facts USING (address)
WHERE NOT coalesce(last_delivered > drops.moment, false)
GROUP BY address;

-- What an address left, of all its mail.
CREATE OR REPLACE TEMP TABLE left_parts AS
SELECT address, string_agg(DISTINCT scope, ', ' ORDER BY scope) AS scopes
FROM failures
WHERE kind = 'unsubscribed_partly' AND scope IS NOT NULL
GROUP BY address;

-- The ESP repeats its answer to a bounce, and has learned nothing since: the bounce speaks for itself.
DELETE FROM failures
WHERE rowid IN (SELECT failure FROM not_tried WHERE kind = 'not_tried' AND bounced >= coalesce(delivered, bounced));
