-- Messages by the mail server that answered. Table: sends; macros: measures.sql.

-- Where an ESP names the servers of bounces only, every rate would be 100%.
WITH telling AS (
    SELECT DISTINCT provider
    FROM sends
    WHERE outcome = 'delivered' AND remote_host IS NOT NULL
)
FROM (
    SELECT
        remote_host,
        unnest(counts(outcome, bounce_type, rated AND telling.provider IS NOT NULL)),
        count(*) FILTER (reason = 'system_full' AND outcome IN ('bounced', 'pending')) AS system_full,
        unnest(reach(domain, address)),
        unnest(seen(moment))
    FROM sends
    LEFT JOIN telling ON telling.provider = sends.provider
    WHERE remote_host IS NOT NULL
    GROUP BY remote_host
)
ORDER BY system_full DESC, hard DESC, bounced DESC, attempted DESC, remote_host
