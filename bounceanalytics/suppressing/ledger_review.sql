-- Entries at recovered domains (table recovered) come up for review on a day, those that are not due by then; they become the
-- table asked. Parameters: made_at, day.
CREATE TEMP TABLE asked AS
SELECT entries.key, entries.moment, entries.verdict, entries.reason, recovered.why
FROM temp.recovered
JOIN entries USING (domain)
JOIN evidence ON evidence.key = entries.key AND evidence.moment = entries.moment AND evidence.decides
WHERE
    entries.verdict <> 'keep'
    AND evidence.class = 'failed'
    AND entries.moment < recovered.moment
    AND entries.reason IN (SELECT value FROM json_each(recovered.reasons))
    AND coalesce(entries.review_on > :day, TRUE)
    AND NOT EXISTS (
        SELECT 1
        FROM changes
        WHERE
            changes.key = entries.key
            AND (changes.why = recovered.why OR (changes.why = 'reviewed' AND made_at >= recovered.moment))
    );

INSERT INTO changes (key, made_at, verdict_before, verdict, reason, why)
SELECT key, :made_at, verdict, verdict, reason, why FROM temp.asked ORDER BY key;

INSERT OR REPLACE INTO reviews SELECT key, moment, :day FROM temp.asked;
