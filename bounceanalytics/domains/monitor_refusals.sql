-- Refusals by domain, receiving host, day and kind. Table: responses; view: events. Parameters: no_domain; bad_domain,
-- network and refused, the reasons of these kinds.
SELECT
    events.domain::VARCHAR AS domain,
    coalesce(lower(trim(remote_host)), '') AS host,
    epoch_us(moment) // 86400000000 AS day,
    CASE
        WHEN responses.reason = 'system_full' THEN 'full'
        WHEN responses.reason IN $bad_domain THEN 'bad_domain'
        WHEN responses.reason IN $network THEN 'network'
        WHEN responses.reason IN $refused THEN 'refused'
        WHEN bounce_type = 'hard' THEN 'hard'
    END AS kind,
    min(epoch_us(moment)) AS first,
    max(epoch_us(moment)) AS last,
    count(DISTINCT (responses.address, moment)) AS bounces,
    count(DISTINCT responses.address) AS addresses
FROM responses
JOIN events USING (row)
WHERE NOT accepted AND events.domain <> $no_domain AND kind IS NOT NULL
GROUP BY ALL
ORDER BY ALL
