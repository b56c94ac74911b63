-- The doubts of each hour, and how it looks together with the mail that its late answers belong to. Tables: doubts, quiet;
-- views: candidates, place_hours.

WITH doubted AS (
    SELECT place, hour, sum(late) AS late, sum(engaged) AS engaged, sum(engaged_struck) AS engaged_struck
    FROM doubts
    GROUP BY place, hour
),
pooled AS (
    SELECT place, doubted.hour, sum(hits) AS pooled_hits, sum(tried) AS pooled_tried
    FROM doubted
    JOIN (SELECT hour, min(since) AS since, max(until) AS until FROM quiet GROUP BY hour) AS quiet USING (hour)
    JOIN place_hours USING (place)
    WHERE late > 0 AND place_hours.hour BETWEEN since AND until
    GROUP BY place, doubted.hour
)
SELECT place, hour, late, engaged, engaged_struck, pooled_hits, pooled_tried
FROM doubted
LEFT JOIN pooled USING (place, hour)
