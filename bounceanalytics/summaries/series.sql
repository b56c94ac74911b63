-- Messages and hits of each period, where there are enough hits to tell anything: a list has many domains, and few of them
-- have. View: named (sends with a name). Parameters: unit of periods; measure, hard or block; least, hits.

WITH enough AS (
    SELECT name
    FROM named
    WHERE rated AND outcome = 'bounced' AND bounce_type = $measure AND moment IS NOT NULL
    GROUP BY name
    HAVING count(*) >= $least
)
SELECT
    name,
    date_trunc($unit, moment)::TIMESTAMP AS period,
    count(*) AS tried,
    count(*) FILTER (outcome = 'bounced' AND bounce_type = $measure) AS hits
FROM named
SEMI JOIN enough USING (name)
WHERE rated AND moment IS NOT NULL
GROUP BY name, period
ORDER BY name, period
