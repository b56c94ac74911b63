-- What mail has shown of domains (table asked), in numbers; full_bounces are those since mail was last taken.
WITH failed AS MATERIALIZED (
    SELECT domain, max(last) AS last_failed
    FROM temp.asked
    CROSS JOIN troubles USING (domain)
    WHERE kind <> 'full'
    GROUP BY domain
)
SELECT
    domain,
    last_accepted,
    min(first) FILTER (WHERE kind = 'full') AS first_full,
    max(last) FILTER (WHERE kind = 'full') AS last_full,
    coalesce(
        sum(bounces) FILTER (WHERE kind = 'full' AND (last_accepted IS NULL OR last >= last_accepted)), 0
    ) AS full_bounces,
    (
        SELECT count(*)
        FROM (
            SELECT host FROM refusals WHERE refusals.domain = asked.domain AND host <> ''
            UNION
            SELECT host FROM accepted WHERE accepted.domain = asked.domain AND host <> ''
        )
    ) AS hosts,
    coalesce(
        (
            SELECT max(number)
            FROM (
                SELECT sum(addresses) AS number
                FROM refusals
                WHERE refusals.domain = asked.domain AND kind <> 'hard'
                GROUP BY day, kind
            )
        ),
        0
    ) AS addresses,
    last_failed
FROM (
    SELECT domain, (SELECT max(last) FROM accepted WHERE accepted.domain = asked.domain) AS last_accepted FROM temp.asked AS asked
) AS asked
LEFT JOIN refusals USING (domain)
LEFT JOIN failed USING (domain)
GROUP BY domain
