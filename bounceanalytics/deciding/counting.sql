-- Failures that stand, by address, line and epoch (the time between two activities), in; bounce days out, each with what
-- has come together up to it. Tables: standing (address, line, rank, timestamp, weight, epoch), facts, activity; view:
-- policy_lines.
-- An undated failure makes a day of its own, and stretches no span: it lies where the first dated one does.

CREATE OR REPLACE TEMP TABLE reached AS
WITH rules AS (
    SELECT DISTINCT
        line, remove_after, remove_span, hold_after, hold_span, within, forget_after, erode_after,
        remove_after_if_active, hold_days
    FROM policy_lines
),

days AS (
    SELECT
        address,
        line,
        any_value(rank) AS rank,
        epoch,
        timestamp::DATE AS day,
        max(timestamp) AS last_moment,
        max(weight) AS weight
    FROM standing
    GROUP BY address, line, epoch, timestamp::DATE
),

-- Nearly all of what stands is a single day, about which no other one has a say: sorting is for the others.
groups AS (
    SELECT
        address,
        line,
        any_value(rank) AS rank,
        epoch,
        any_value(day) AS day,
        max(last_moment) AS last_moment,
        max(weight) AS weight,
        count(*) AS number
    FROM days
    GROUP BY address, line, epoch
),

several AS (
    SELECT days.*, coalesce(days.day, min(days.day) OVER (PARTITION BY address, line, days.epoch), DATE '0001-01-01') AS place
    FROM days
    JOIN (SELECT address, line, epoch FROM groups WHERE number > 1) AS groups USING (address, line)
    WHERE days.epoch IS NOT DISTINCT FROM groups.epoch
),

streaks AS (
    SELECT
        * EXCLUDE (pause),
        count(*) FILTER (pause > forget_after) OVER (
            PARTITION BY address, line, epoch
            ORDER BY place
        ) AS streak
    FROM (
        SELECT
            several.*,
            rules.* EXCLUDE (line),
            place - lag(place) OVER (PARTITION BY address, line, epoch ORDER BY place) AS pause
        FROM several
        JOIN rules USING (line)
    )
),

-- Only where the policy has deliveries take something off.
deliveries AS (
    SELECT address, timestamp, count(*) OVER (PARTITION BY address ORDER BY timestamp) AS number
    FROM activity
    WHERE event = 'delivered' AND timestamp IS NOT NULL AND (SELECT count(erode_after) FROM rules) > 0
),

-- What deliveries take off never goes below nothing: a count that erodes is the largest that began on any day up to now.
eroding AS (
    SELECT
        streaks.*,
        sum(weight) OVER (PARTITION BY streaks.address, line, epoch, streak ORDER BY place) AS gathered,
        coalesce(number, 0) / erode_after AS eroded
    FROM streaks
    ASOF LEFT JOIN deliveries ON deliveries.address = streaks.address AND deliveries.timestamp < streaks.last_moment
),

together AS (
    SELECT
        * EXCLUDE (gathered, eroded),
        coalesce(
            gathered - eroded + max(eroded - gathered + weight) OVER near,
            sum(weight) OVER near
        ) AS points,
        place - min(place) OVER near AS span
    FROM eroding
    WINDOW near AS (
        PARTITION BY address, line, epoch, streak
        ORDER BY place
        RANGE BETWEEN to_days(coalesce(within, 1000000)::INTEGER) PRECEDING AND CURRENT ROW
    )
    UNION ALL BY NAME
    SELECT
        groups.* EXCLUDE (number),
        rules.* EXCLUDE (line),
        coalesce(day, DATE '0001-01-01') AS place,
        0 AS streak,
        weight AS points,
        0 AS span
    FROM groups
    JOIN rules USING (line)
    WHERE number = 1
)

SELECT
    *,
    coalesce(
        points >= CASE WHEN active THEN coalesce(remove_after_if_active, remove_after) ELSE remove_after END
        AND span >= remove_span,
        false
    ) AS removes,
    coalesce(points >= hold_after AND span >= hold_span, false) AS holds
FROM together
JOIN (SELECT address, active FROM facts) USING (address);
