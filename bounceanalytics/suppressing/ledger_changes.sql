-- What has become of the entries of some keys (table asked) since they were looked at (table before) goes into the changes.
-- Parameters: made_at, run, why.

CREATE TEMP TABLE after (
    key TEXT PRIMARY KEY,
    verdict TEXT,
    reason TEXT,
    explanation TEXT,
    decided_at INTEGER
) STRICT, WITHOUT ROWID;

INSERT INTO after
SELECT key, entries.verdict, entries.reason, entries.explanation, entries.decided_at
FROM temp.asked
CROSS JOIN entries USING (key);

INSERT INTO changes (key, made_at, run, verdict_before, verdict, reason, why)
SELECT key, :made_at, :run, before.verdict, after.verdict, after.reason, coalesce(:why, after.explanation)
FROM after
LEFT JOIN before USING (key)
WHERE
    after.verdict <> coalesce(before.verdict, 'keep')
    OR (after.verdict <> 'keep' AND after.reason IS NOT before.reason)
ORDER BY key;
