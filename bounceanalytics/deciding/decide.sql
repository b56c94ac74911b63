-- Evidence and the lines of a policy in, one row per address out; see decide.py for what the words mean.
-- Tables: evidence.sql, life.sql; views: lines (Policy.lines()), titles, traps. Parameter: at (the moment of the
-- decision). Addresses are numbers.

WITH alive AS (
    SELECT
        address,
        max(timestamp) FILTER (event = 'delivered') AS delivered,
        max(timestamp) FILTER (event = 'opened') AS opened,
        max(timestamp) FILTER (event = 'clicked') AS clicked,
        bool_or(event = 'delivered') AS has_delivered,
        bool_or(event = 'opened') AS has_opened,
        bool_or(event = 'clicked') AS has_clicked
    FROM life
    GROUP BY address
),

-- The line of the policy that counts a failure, and whether it still stands after the last sign of life.
counted AS (
    SELECT
        failures.*,
        lines.* EXCLUDE (kind, reason, action, conflict, storm),
        greatest(
            CASE WHEN by_delivered THEN delivered END,
            CASE WHEN by_opened THEN opened END,
            CASE WHEN by_clicked THEN clicked END
        ) AS last_life,
        CASE
            WHEN last_life IS NOT NULL AND by_clicked AND last_life = clicked THEN 'clicked'
            WHEN last_life IS NOT NULL AND by_opened AND last_life = opened THEN 'opened'
            WHEN last_life IS NOT NULL THEN 'delivered'
            WHEN by_opened AND has_opened THEN 'opened'
            WHEN by_delivered AND has_delivered THEN 'delivered'
            ELSE 'clicked'
        END AS sign,
        CASE
            WHEN kind IN ('complained', 'unsubscribed') THEN true
            WHEN timestamp IS NOT NULL THEN coalesce(timestamp >= last_life, true)
            WHEN kind = 'not_tried' THEN true
            ELSE NOT coalesce(
                (by_delivered AND has_delivered) OR (by_opened AND has_opened) OR (by_clicked AND has_clicked), false
            )
        END AS stands
    FROM failures
    JOIN lines USING (kind, reason, action, conflict, storm)
    LEFT JOIN alive USING (address)
),

standing AS (
    SELECT address, line, any_value(rank) AS rank, timestamp, max(weight) AS weight, 0 AS epoch
    FROM counted
    WHERE stands
    GROUP BY address, line, timestamp
),

-- {counting}: what standing failures add up to on each of their days

chosen_lines AS (
    SELECT
        address,
        line,
        count(*) AS days,
        min(day) AS first_day,
        max(day) AS last_day,
        CASE
            WHEN bool_or(removes) THEN 'remove'
            WHEN NOT bool_or(holds) THEN 'keep'
            WHEN $at >= max(last_moment) + to_days(any_value(hold_days)::INTEGER) THEN 'keep'
            ELSE 'hold'
        END AS verdict,
        bool_or(holds) AND verdict = 'keep' AS hold_over
    FROM reached
    GROUP BY address, line, rank
    QUALIFY row_number() OVER (
        PARTITION BY address
        ORDER BY CASE verdict WHEN 'remove' THEN 0 WHEN 'hold' THEN 1 ELSE 2 END, hold_over DESC, rank
    ) = 1
),

-- One failure per address: the last of the chosen line, else the last that a sign of life cleared.
deciding AS (
    SELECT counted.*, verdict, days, first_day, last_day, hold_over
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
        facts.* EXCLUDE (active),
        bounce_counts.* EXCLUDE (address),
        deciding.* EXCLUDE (address, verdict, last_life, sign, storm, conflict),
        coalesce(deciding.conflict, false) AS conflict,
        coalesce(deciding.storm AND deciding.line = 'storm', false) AS storm,
        coalesce(verdict, 'keep') AS verdict,
        CASE WHEN kind IS NULL THEN greatest(delivered, opened, clicked) ELSE deciding.last_life END AS last_life,
        CASE
            WHEN kind IS NOT NULL THEN deciding.sign
            WHEN clicked = greatest(delivered, opened, clicked) OR (delivered IS NULL AND opened IS NULL AND has_clicked)
                THEN 'clicked'
            WHEN opened = greatest(delivered, opened, clicked) OR (delivered IS NULL AND has_opened) THEN 'opened'
            WHEN has_delivered THEN 'delivered'
        END AS sign,
        traps.accepted_again IS NOT NULL AS trap_risk,
        silent_from,
        accepted_again,
        concat_ws(' ', reply_code, enhanced_code, title) AS said,
        coalesce('on ' || timestamp::DATE, 'at an unknown time') AS day,
        CASE verdict WHEN 'remove' THEN 'Removed: ' WHEN 'hold' THEN 'Held: ' ELSE 'Kept: ' END AS did,
        CASE
            WHEN by_delivered THEN ', no delivery since'
            WHEN by_opened OR by_clicked
                THEN ', no ' || concat_ws(' or ', CASE WHEN by_opened THEN 'open' END, CASE WHEN by_clicked THEN 'click' END) || ' since'
            ELSE ''
        END AS since
    FROM facts
    LEFT JOIN bounce_counts USING (address)
    LEFT JOIN deciding USING (address)
    LEFT JOIN alive USING (address)
    LEFT JOIN titles ON titles.reason = deciding.reason
    LEFT JOIN traps USING (address)
)

SELECT
    address,
    verdict,
    reason,
    bounce_type,
    fault,
    rule,
    coalesce(enhanced_code, reply_code::VARCHAR) AS code,
    CASE
        WHEN kind IS NULL OR NOT stands THEN CASE WHEN sign IS NULL THEN 'medium' ELSE 'high' END
        WHEN kind IN ('complained', 'unsubscribed') THEN 'high'
        WHEN conflict OR storm OR kind = 'suspected' OR action = 'review' THEN 'low'
        WHEN days > 1 OR evidence = 'text' THEN 'high'
        ELSE 'medium'
    END AS confidence,
    storm,
    trap_risk,
    CASE WHEN kind IS NULL THEN last_life ELSE timestamp END AS decided_at,
    CASE WHEN verdict = 'hold' THEN timestamp + to_days(hold_days::INTEGER) END AS hold_until,
    CASE WHEN verdict = 'remove' THEN date_trunc('day', timestamp + to_days(review_days::INTEGER)) END AS review_on,
    first_seen,
    last_seen,
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
        WHEN kind IS NULL THEN 'no bounce, ' || sign || coalesce(' on ' || last_life::DATE, '')
        WHEN NOT stands AND kind = 'suspected'
            THEN sign || coalesce(' on ' || last_life::DATE, '') || ', so the complaint ' || day || ' was most likely another''s'
        WHEN NOT stands
            THEN sign || coalesce(' on ' || last_life::DATE, '') || ' and so alive after ' || said || ' ' || day
        WHEN storm THEN said || ' ' || day || ' in an hour in which its server refused many that had taken mail before'
        WHEN event IN ('dropped', 'suppressed') THEN
            CASE event WHEN 'dropped' THEN 'dropped by the ESP ' ELSE 'on the suppression list of the ESP, entered ' END
            || day
            || CASE
                WHEN kind IN ('complained', 'unsubscribed') THEN ' (' || kind || ')'
                WHEN reason <> 'suppressed' THEN ' (' || said || ')'
                ELSE ''
            END
        WHEN kind IN ('complained', 'unsubscribed') THEN kind || ' ' || day
        WHEN kind = 'suspected' THEN 'one of several who may have complained ' || day
        WHEN verdict = 'hold' AND conflict THEN said || ' ' || day || '; code, text and the word of the ESP disagree'
        WHEN verdict <> 'keep' AND days = 1 THEN said || ' ' || day || since
        WHEN verdict <> 'keep' OR hold_over
            THEN format(
                '{} bounce day{} from {} to {}, at last {}',
                days, CASE days WHEN 1 THEN '' ELSE 's' END,
                coalesce(first_day::VARCHAR, 'an unknown day'), coalesce(last_day::VARCHAR, 'an unknown day'), said
            ) || since
        WHEN action = 'fix' THEN said || ' ' || day || '; it is for the sender to act, the address is not at fault'
        WHEN coalesce(remove_after, hold_after) IS NULL THEN said || ' ' || day || '; this does not speak against the address'
        WHEN days = 1 THEN said || ' ' || day || '; one bounce day is too few'
        ELSE said || ' ' || day || format('; {} bounce days are too few', days)
    END
    || CASE WHEN hold_over THEN '; its hold is over, so it is tried again' ELSE '' END
    || '.'
    || CASE
        WHEN trap_risk THEN format(
            ' Beware: it refused mail from {} and took it again on {}; such addresses can have become spam traps.',
            silent_from::DATE, accepted_again::DATE
        )
        ELSE ''
    END AS explanation,
    mailbox_provider
FROM told
