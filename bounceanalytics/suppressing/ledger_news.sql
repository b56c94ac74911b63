-- Entries that are not as they were. Parameters: first, the number of a change; moment; hashes.
WITH spans AS (
    SELECT key, min(number) AS first, max(number) AS last
    FROM changes
    WHERE number >= :first AND made_at >= :moment
    GROUP BY key
)
SELECT
    iif(:hashes OR entries.erased, NULL, spans.key) AS address,
    iif(:hashes OR entries.erased, spans.key, NULL) AS hash,
    entries.domain,
    CASE
        WHEN news.verdict = 'keep' THEN 'lifted'
        WHEN news.verdict = 'hold' AND coalesce(old.verdict_before, '') <> 'hold' THEN 'held'
        WHEN coalesce(old.verdict_before, 'keep') = 'keep' THEN 'added'
        ELSE 'changed'
    END AS change,
    old.verdict_before,
    news.verdict,
    news.reason,
    news.why,
    news.run,
    news.made_at
FROM spans
JOIN changes AS old ON old.number = spans.first
JOIN changes AS news ON news.number = spans.last
JOIN entries ON entries.key = spans.key
WHERE
    news.verdict <> coalesce(old.verdict_before, 'keep')
    OR (
        news.verdict <> 'keep'
        AND EXISTS (
            SELECT 1
            FROM changes
            WHERE
                changes.key = spans.key
                AND number BETWEEN spans.first AND spans.last
                AND why IS NOT 'reviewed'
                AND coalesce(why, '') NOT GLOB 'to review: *'
        )
    )
ORDER BY entries.domain, spans.key
