-- Classified events in; what speaks for and against each address out, whatever the policy.
-- Views: events (address as a number, timestamp in UTC), in_storm (row).

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
    coalesce(conflict, false) AS conflict,
    mailbox_provider,
    source,
    record,
    coalesce(wish, reason, 'unclassified') AS reason,
    CASE WHEN wish IS NOT NULL THEN 'remove' ELSE coalesce(action, 'review') END AS action,
    CASE
        WHEN wish = 'complained' AND coalesce(suspect, false) THEN 'suspected'
        ELSE coalesce(wish, CASE event WHEN 'bounced' THEN 'bounce' ELSE 'not_tried' END)
    END AS kind,
    row IN (SELECT row FROM in_storm) AS storm
FROM (
    SELECT
        *,
        CASE
            WHEN event IN ('complained', 'unsubscribed') THEN event
            WHEN event = 'bounced' THEN NULL
            WHEN regexp_matches(concat_ws(' ', esp_type, esp_reason), '(?i)complain|spam') THEN 'complained'
            WHEN regexp_matches(concat_ws(' ', esp_type, esp_reason), '(?i)unsub') THEN 'unsubscribed'
        END AS wish
    FROM events
    WHERE event IN ('bounced', 'dropped', 'suppressed', 'complained', 'unsubscribed') AND address IS NOT NULL
);

-- An ESP that took a storm at its word drops what follows; such a drop says no more than the bounce before it.
UPDATE failures
SET storm = true
FROM (
    SELECT drops.rowid AS row, arg_max(bounces.storm, bounces.timestamp) AS storm
    FROM failures AS drops
    JOIN failures AS bounces
        ON bounces.address = drops.address AND bounces.kind = 'bounce' AND bounces.timestamp <= drops.timestamp
    WHERE
        drops.kind = 'not_tried'
        AND drops.reason = 'suppressed'
        AND drops.address IN (SELECT address FROM failures WHERE storm)
    GROUP BY drops.rowid
) AS followed
WHERE failures.rowid = followed.row AND followed.storm;
