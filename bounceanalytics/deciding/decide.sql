-- What stands against each address in, one row per address out; see decide.py for what the words mean.
-- Tables: standing.sql, counting.sql, evidence.sql; views: titles, traps. Parameter: at, the moment of the decision.

CREATE OR REPLACE TEMP TABLE chosen_lines AS
SELECT
    address,
    line,
    count(*) AS days,
    min(day) AS first_day,
    max(day) AS last_day,
    CASE
        WHEN bool_or(removes) THEN 'remove'
        WHEN NOT bool_or(holds) THEN 'keep'
        -- of a storm that the ESP took at its word nothing new is learned until somebody tries
        WHEN line = 'storm' AND any_value(suppressed_by) IS NOT NULL THEN 'hold'
        WHEN $at >= max(last_moment) + to_days(any_value(hold_days)::INTEGER) THEN 'keep'
        ELSE 'hold'
    END AS verdict,
    bool_or(holds) AND verdict = 'keep' AS hold_over
FROM reached
LEFT JOIN suppressing USING (address)
GROUP BY address, line, rank
QUALIFY row_number() OVER (
    PARTITION BY address
    ORDER BY CASE verdict WHEN 'remove' THEN 0 WHEN 'hold' THEN 1 ELSE 2 END, hold_over DESC, rank
) = 1;

-- One failure per address: the last of the chosen line, else the last that activity cleared.
CREATE OR REPLACE TEMP TABLE deciding AS
WITH eligible AS (
    SELECT counted.*, verdict, days, first_day, last_day, hold_over
    FROM counted
    LEFT JOIN chosen_lines USING (address)
    WHERE chosen_lines.line IS NULL OR (stands AND counted.line = chosen_lines.line)
),

-- nearly every address has one, and needs no sorting
repeated AS (SELECT address FROM eligible GROUP BY address HAVING count(*) > 1)

FROM eligible ANTI JOIN repeated USING (address)
UNION ALL
FROM (FROM eligible SEMI JOIN repeated USING (address))
QUALIFY row_number() OVER (
    PARTITION BY address
    ORDER BY
        timestamp DESC NULLS LAST,
        CASE action WHEN 'remove' THEN 0 WHEN 'review' THEN 1 WHEN 'retry' THEN 2 ELSE 3 END,
        CASE event WHEN 'bounced' THEN 0 WHEN 'dropped' THEN 1 ELSE 2 END,
        source, record, enhanced_code, reply_code, reason, rule
) = 1;

CREATE OR REPLACE TEMP VIEW decided AS
WITH gathered AS (
    SELECT
        facts.* EXCLUDE (active),
        bounce_counts.* EXCLUDE (address),
        deciding.* EXCLUDE (address, provider, verdict, last_active, active_by, storm, conflict),
        coalesce(deciding.conflict, false) AS conflict,
        coalesce(deciding.storm AND deciding.line = 'storm', false) AS storm,
        coalesce(verdict, 'keep') AS verdict,
        CASE WHEN kind IS NULL THEN greatest(delivered, opened, clicked) ELSE deciding.last_active END AS last_active,
        CASE
            WHEN kind IS NOT NULL THEN deciding.active_by
            WHEN clicked = greatest(delivered, opened, clicked) OR (delivered IS NULL AND opened IS NULL AND has_clicked)
                THEN 'clicked'
            WHEN opened = greatest(delivered, opened, clicked) OR (delivered IS NULL AND has_opened) THEN 'opened'
            WHEN has_delivered THEN 'delivered'
        END AS active_by,
        CASE active_by WHEN 'clicked' THEN clicked_on WHEN 'opened' THEN opened_on ELSE last_active END AS active_on,
        suppressing.suppressed_by,
        coalesce(esp_title, 'the ESP') AS esp_title,
        scopes,
        traps.accepted_again IS NOT NULL AS trap_risk,
        silent_from,
        accepted_again,
        title
    FROM facts
    LEFT JOIN bounce_counts USING (address)
    LEFT JOIN deciding USING (address)
    LEFT JOIN latest USING (address)
    LEFT JOIN titles ON titles.reason = deciding.reason
    LEFT JOIN traps USING (address)
    LEFT JOIN suppressing USING (address)
    LEFT JOIN left_parts USING (address)
    LEFT JOIN esps ON esps.provider = suppressed_by
)
SELECT
    * REPLACE (
        coalesce(bounce_days, 0) AS bounce_days,
        coalesce(hard_days, 0) AS hard_days,
        coalesce(soft_days, 0) AS soft_days,
        coalesce(block_days, 0) AS block_days,
        coalesce(record, 0) AS record
    ),
    coalesce(enhanced_code, reply_code::VARCHAR) AS code,
    CASE
        WHEN kind IS NULL OR NOT stands THEN CASE WHEN active_by IS NULL THEN 'medium' ELSE 'high' END
        WHEN kind IN ('complained', 'unsubscribed', 'unsubscribed_partly') THEN 'high'
        WHEN conflict OR storm OR kind = 'suspected' OR action = 'review' OR probability < 0.5 THEN 'low'
        WHEN days > 1 OR (evidence = 'text' AND coalesce(probability >= 0.9, true)) THEN 'high'
        ELSE 'medium'
    END AS confidence,
    CASE WHEN kind IS NULL THEN last_active ELSE timestamp END AS decided_at,
    CASE
        WHEN verdict = 'hold' AND NOT (storm AND suppressed_by IS NOT NULL) THEN timestamp + to_days(hold_days::INTEGER)
    END AS hold_until,
    CASE
        WHEN verdict = 'remove' OR (verdict = 'hold' AND remove_after IS NULL)
            THEN date_trunc('day', timestamp + to_days(review_days::INTEGER))
    END AS review_on
FROM gathered;
