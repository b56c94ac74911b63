-- What became known of domains since the change of that number, or the moment. Parameters: first, moment.
WITH spans AS (
    SELECT domain, min(number) AS first, max(number) AS last
    FROM changes
    WHERE run >= :first AND known_at >= :moment
    GROUP BY domain
)
SELECT spans.domain, old.before, news.after, news.since, news.known_at, news.explanation
FROM spans
JOIN changes AS old ON old.number = spans.first
JOIN changes AS news ON news.number = spans.last
WHERE old.before IS NOT news.after
ORDER BY news.number
