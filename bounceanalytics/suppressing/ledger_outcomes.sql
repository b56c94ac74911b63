-- What became of the verdicts of an update (table asked), by the entries before and after it; the first that fits.
SELECT
    CASE
        WHEN after.key IS NULL THEN 'passed'
        WHEN before.key IS NULL THEN iif(after.verdict = 'keep', 'older', 'added')
        WHEN before.verdict <> 'keep' AND after.verdict = 'keep' THEN 'lifted'
        WHEN after.verdict <> before.verdict THEN 'changed'
        WHEN after.verdict = 'keep' THEN iif(asked.verdict = 'keep', 'passed', 'older')
        WHEN after.reason IS NOT before.reason THEN 'changed'
        WHEN asked.verdict = after.verdict AND asked.reason IS after.reason
            THEN iif(coalesce(asked.decided_at, -1) >= coalesce(after.decided_at, -1), 'confirmed', 'older')
        -- a wish stays whatever else is known, and so does an undated entry of a list
        WHEN after.verdict = 'remove' AND after.reason IN ('complained', 'unsubscribed')
            THEN iif(coalesce(asked.reason, '') IN ('complained', 'unsubscribed'), 'older', 'confirmed')
        WHEN after.verdict = 'remove' AND after.decided_at IS NULL THEN 'confirmed'
        ELSE 'older'
    END AS outcome,
    count(*)
FROM temp.asked AS asked
LEFT JOIN temp.before USING (key)
LEFT JOIN temp.after USING (key)
GROUP BY outcome
