-- Classified events and the lines of a policy in, one row per address out; see decide.py for what the words mean.
-- Views from Python: events (address in normal form, timestamp in UTC), lines (Policy.lines()), titles.
-- Parameters: cleared_by, late_seconds.

WITH seen AS NOT MATERIALIZED (
    SELECT * REPLACE (coalesce(conflict, false) AS conflict)
    FROM events
    WHERE address <> ''
),

-- What is known of an address, whatever the policy.
facts AS (
    SELECT
        address,
        max(timestamp) FILTER (event = 'delivered') AS last_delivered,
        max(timestamp) FILTER (event = 'opened') AS last_opened,
        max(timestamp) FILTER (event = 'clicked') AS last_clicked,
        max(timestamp) FILTER (event = 'complained') AS complained_at,
        max(timestamp) FILTER (event = 'unsubscribed') AS unsubscribed_at,
        count(*) FILTER (conflict) AS conflicts
    FROM seen
    GROUP BY address
),

bounce_days AS (
    SELECT
        address,
        timestamp::DATE AS day,
        min(timestamp) AS first_bounced,
        max(timestamp) AS last_bounced,
        bool_or(coalesce(bounce_type = 'hard', false)) AS hard,
        bool_or(coalesce(bounce_type = 'soft', false)) AS soft,
        bool_or(coalesce(bounce_type = 'block', false)) AS block
    FROM seen
    WHERE event = 'bounced'
    GROUP BY ALL
),

bounce_counts AS (
    SELECT
        address,
        min(first_bounced) AS first_bounced,
        max(last_bounced) AS last_bounced,
        count(*) AS bounce_days,
        count(*) FILTER (hard) AS hard_days,
        count(*) FILTER (soft) AS soft_days,
        count(*) FILTER (block) AS block_days
    FROM bounce_days
    GROUP BY address
),

-- Signs of life. A delivery whose own message came back afterwards is none; an automatic reply did not come back.
returned AS (
    SELECT address, message_id, timestamp
    FROM seen
    WHERE event = 'bounced' AND message_id IS NOT NULL AND reason IS DISTINCT FROM 'challenge'
),

life AS (
    SELECT
        address,
        max(timestamp) AS last_life,
        CASE
            WHEN last_life IS NULL THEN max(event)
            WHEN last_life = max(timestamp) FILTER (event = 'clicked') THEN 'clicked'
            WHEN last_life = max(timestamp) FILTER (event = 'opened') THEN 'opened'
            ELSE 'delivered'
        END AS sign
    FROM seen AS one
    WHERE
        list_contains($cleared_by::VARCHAR[], event)
        AND NOT (
            event = 'delivered'
            AND EXISTS (
                FROM returned
                WHERE
                    returned.address = one.address
                    AND returned.message_id = one.message_id
                    AND returned.timestamp >= one.timestamp
                    AND returned.timestamp <= one.timestamp + to_seconds($late_seconds)
            )
        )
    GROUP BY address
),

-- What speaks against an address. A list entry or a drop for a complaint or an unsubscribe is that wish once more.
failures AS (
    SELECT
        seen.* REPLACE (
            CASE
                WHEN wish IS NOT NULL THEN wish
                ELSE coalesce(reason, 'unclassified')
            END AS reason,
            CASE
                WHEN wish IS NOT NULL THEN 'remove'
                ELSE coalesce(action, 'review')
            END AS action
        ),
        coalesce(wish, CASE event WHEN 'bounced' THEN 'bounce' ELSE 'not_tried' END) AS kind
    FROM (
        SELECT
            *,
            CASE
                WHEN event IN ('complained', 'unsubscribed') THEN event
                WHEN event = 'bounced' THEN NULL
                WHEN regexp_matches(concat_ws(' ', esp_type, esp_reason), '(?i)complain|spam') THEN 'complained'
                WHEN regexp_matches(concat_ws(' ', esp_type, esp_reason), '(?i)unsub') THEN 'unsubscribed'
            END AS wish
        FROM seen
        WHERE event IN ('bounced', 'dropped', 'suppressed', 'complained', 'unsubscribed')
    ) AS seen
),

-- The line of the policy that counts it, and whether it still stands after the last sign of life.
counted AS (
    SELECT
        failures.*,
        lines.* EXCLUDE (kind, reason, action, conflict),
        CASE
            WHEN kind IN ('complained', 'unsubscribed') THEN true
            WHEN timestamp IS NOT NULL THEN coalesce(timestamp >= last_life, true)
            WHEN kind = 'not_tried' THEN true
            ELSE life.address IS NULL
        END AS stands
    FROM failures
    JOIN lines USING (kind, reason, action, conflict)
    LEFT JOIN life USING (address)
),

line_days AS (
    SELECT
        address,
        line,
        rank,
        remove_after,
        remove_span,
        hold_after,
        hold_span,
        count(DISTINCT coalesce(timestamp::DATE, DATE '0001-01-01')) AS days,
        min(timestamp)::DATE AS first_day,
        max(timestamp)::DATE AS last_day,
        coalesce(last_day - first_day, 0) AS span
    FROM counted
    WHERE stands
    GROUP BY address, line, rank, remove_after, remove_span, hold_after, hold_span
),

chosen_lines AS (
    SELECT
        address,
        line,
        days,
        first_day,
        last_day,
        CASE
            WHEN days >= remove_after AND span >= remove_span THEN 'remove'
            WHEN days >= hold_after AND span >= hold_span THEN 'hold'
            ELSE 'keep'
        END AS verdict
    FROM line_days
    QUALIFY row_number() OVER (
        PARTITION BY address
        ORDER BY CASE verdict WHEN 'remove' THEN 0 WHEN 'hold' THEN 1 ELSE 2 END, rank
    ) = 1
),

-- One failure per address: the last of the chosen line, else the last that a sign of life cleared.
deciding AS (
    SELECT counted.*, verdict, days, first_day, last_day
    FROM counted
    LEFT JOIN chosen_lines USING (address)
    WHERE chosen_lines.line IS NULL OR (stands AND counted.line = chosen_lines.line)
    QUALIFY row_number() OVER (
        PARTITION BY address
        ORDER BY
            timestamp DESC NULLS LAST,
            CASE action WHEN 'remove' THEN 0 WHEN 'review' THEN 1 WHEN 'retry' THEN 2 ELSE 3 END,
            CASE event WHEN 'bounced' THEN 0 WHEN 'dropped' THEN 1 ELSE 2 END,
            source, record, enhanced_code, reply_code, reason, rule
    ) = 1
),

told AS (
    SELECT
        facts.*,
        bounce_counts.* EXCLUDE (address),
        deciding.* EXCLUDE (address, verdict),
        coalesce(verdict, 'keep') AS verdict,
        last_life,
        sign,
        concat_ws(' ', reply_code, enhanced_code, title) AS said,
        coalesce('on ' || strftime(timestamp, '%Y-%m-%d'), 'at an unknown time') AS day,
        CASE verdict WHEN 'remove' THEN 'Removed: ' WHEN 'hold' THEN 'Held: ' ELSE 'Kept: ' END AS did
    FROM facts
    LEFT JOIN bounce_counts USING (address)
    LEFT JOIN deciding USING (address)
    LEFT JOIN life USING (address)
    LEFT JOIN titles USING (reason)
)

SELECT
    address,
    verdict,
    reason,
    bounce_type,
    fault,
    rule,
    coalesce(enhanced_code, reply_code::VARCHAR) AS code,
    CASE WHEN kind IS NULL THEN last_life ELSE timestamp END AS decided_at,
    first_bounced,
    last_bounced,
    coalesce(bounce_days, 0) AS bounce_days,
    coalesce(hard_days, 0) AS hard_days,
    coalesce(soft_days, 0) AS soft_days,
    coalesce(block_days, 0) AS block_days,
    conflicts,
    last_delivered,
    last_opened,
    last_clicked,
    complained_at,
    unsubscribed_at,
    source,
    coalesce(record, 0) AS record,
    did || CASE
        WHEN kind IS NULL AND sign IS NULL THEN 'no bounce'
        WHEN kind IS NULL THEN 'no bounce, ' || sign || coalesce(' on ' || strftime(last_life, '%Y-%m-%d'), '')
        WHEN NOT stands
            THEN sign || coalesce(' on ' || strftime(last_life, '%Y-%m-%d'), '') || ' and so alive after ' || said || ' ' || day
        WHEN event IN ('dropped', 'suppressed') THEN
            CASE event WHEN 'dropped' THEN 'dropped by the ESP ' ELSE 'on the suppression list of the ESP, entered ' END
            || day
            || CASE
                WHEN kind IN ('complained', 'unsubscribed') THEN ' (' || kind || ')'
                WHEN reason <> 'suppressed' THEN ' (' || said || ')'
                ELSE ''
            END
        WHEN kind IN ('complained', 'unsubscribed') THEN kind || ' ' || day
        WHEN verdict = 'hold' AND conflict THEN said || ' ' || day || '; code, text and the word of the ESP disagree'
        WHEN verdict <> 'keep' AND days = 1 THEN said || ' ' || day || ', no delivery since'
        WHEN verdict <> 'keep'
            THEN format(
                '{} bounce days from {} to {}, at last {}, no delivery since',
                days, coalesce(first_day::VARCHAR, 'an unknown day'), coalesce(last_day::VARCHAR, 'an unknown day'), said
            )
        WHEN action = 'fix' THEN said || ' ' || day || '; it is for the sender to act, the address is not at fault'
        WHEN coalesce(remove_after, hold_after) IS NULL THEN said || ' ' || day || '; this does not speak against the address'
        WHEN days = 1 THEN said || ' ' || day || '; one bounce day is too few'
        ELSE said || ' ' || day || format('; {} bounce days are too few', days)
    END || '.' AS explanation
FROM told
ORDER BY address
